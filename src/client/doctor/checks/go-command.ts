import { explain } from '../explain/explain.ts';
import { valueOf } from '../facts/facts.ts';
import type { Finding } from '../finding.ts';
import { setTo, unset } from '../fixes.ts';
import type { Check } from './check.ts';
import { where } from './verification.ts';

/** The go command itself, and which one go.mod wants. */
export const goCommand: Check = (facts) => {
  if (facts.go.kind === 'absent')
    return [
      {
        id: 'go-missing',
        harm: 'broken',
        what: 'No go command is found on PATH.',
        why: 'Nothing else can be tried; a shell that has it reads another profile.',
        fix: ['# install Go, or add its bin directory to PATH: https://go.dev/doc/install'],
      },
    ];
  if (facts.go.kind === 'refuses') {
    const known = explain(facts.go.said)[0];
    return [
      {
        id: 'go-refuses',
        harm: 'broken',
        what: `\`go env\` fails: ${firstLine(facts.go.said)}`,
        why: known?.cause ?? 'A setting that go cannot use stops every command, not only those that need it.',
        fix: known?.fix ?? ['go env', `# its settings are in the environment and in ${goenvFile(facts)}`],
      },
    ];
  }
  return flagsProblem(facts);
};

/** cmd/go/internal/base goflags.go: what is no flag stops every command but `go env`. */
function flagsProblem(facts: Parameters<Check>[0]): Finding[] {
  const flags = valueOf(facts, 'GOFLAGS')
    .split(/\s+/)
    .filter((each) => each !== '');
  const bad = flags.find((each) => !/^--?[^-=]/.test(each));
  if (bad === undefined) return [];
  return [
    {
      id: 'goflags-bad',
      harm: 'broken',
      what: `GOFLAGS holds ${JSON.stringify(bad)}, which is no flag of go, by ${where(facts, 'GOFLAGS')}.`,
      why: 'go stops every command but `go env` with "parsing $GOFLAGS", or "unknown flag".',
      fix:
        flags.length === 1
          ? unset(facts, 'GOFLAGS')
          : setTo(facts, 'GOFLAGS', flags.filter((each) => each !== bad).join(' ')),
    },
  ];
}

function goenvFile(facts: Parameters<Check>[0]): string {
  return valueOf(facts, 'GOENV') || 'the file that `go env GOENV` names';
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.slice(0, 300) ?? '';
}

const TOOLCHAIN = /^(?:local|auto|path|default|(?:local|go[0-9][\w.-]*)(?:\+(?:auto|path))?)$/;

/** GOTOOLCHAIN, and the release that the main module asks for. */
export const toolchain: Check = (facts) => {
  const chosen = valueOf(facts, 'GOTOOLCHAIN') || 'auto';
  if (!TOOLCHAIN.test(chosen))
    return [
      {
        id: 'gotoolchain-bad',
        harm: 'broken',
        what: `GOTOOLCHAIN is ${JSON.stringify(chosen)}, which go does not understand.`,
        why: 'go refuses every command with it: "invalid GOTOOLCHAIN".',
        fix: setTo(facts, 'GOTOOLCHAIN', 'auto'),
      },
    ];
  if (facts.go.kind !== 'runs') return [];
  const running = facts.go.version.replace(/^go/, '').split(' ')[0] ?? '';
  const named = /^go([0-9][\w.]*)/.exec(chosen)?.[1];
  const asked = [facts.main?.go, facts.main?.toolchain?.replace(/^go/, '')].filter(
    (each) => each !== undefined,
  );
  const wanted = named ?? asked.find((each) => isNewer(each, running));
  if (wanted === undefined || !(named === undefined ? isNewer(wanted, running) : wanted !== running))
    return [];
  const asks = named === undefined ? `${facts.main?.file} asks for` : 'GOTOOLCHAIN asks for';
  if (/^local$/.test(chosen)) {
    return [
      {
        id: 'toolchain-too-old',
        harm: 'broken',
        what: `${asks} go ${wanted}, this is go ${running}, and GOTOOLCHAIN=local forbids to fetch another.`,
        why: 'go stops with "go.mod requires go >= …".',
        fix: [...setTo(facts, 'GOTOOLCHAIN', 'auto'), `# or install go ${wanted}`],
      },
    ];
  }
  if (facts.sumdb.kind !== 'off' || /\+path$|^path$/.test(chosen)) return [];
  const finding: Finding = {
    id: 'toolchain-without-database',
    harm: 'unsafe',
    what: `${asks} go ${wanted}, which has to be downloaded, and GOSUMDB is off.`,
    why: 'go never runs a toolchain that no checksum database vouches for, so every command fails; and without a database modules are not verified either.',
    fix: unset(facts, 'GOSUMDB'),
  };
  return [finding];
};

/** Compares releases by their numbers; of a release candidate only those before `rc` count. */
function isNewer(a: string, b: string): boolean {
  const numbers = (text: string) => (/^[0-9.]+/.exec(text)?.[0] ?? '').split('.').map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
