import { valueOf } from '../facts/facts.ts';
import type { Finding } from '../finding.ts';
import { unset } from '../fixes.ts';
import type { Check } from './check.ts';
import { where } from './verification.ts';

/** Directories that go needs, and the C compiler. */
export const places: Check = (facts) => {
  if (facts.go.kind !== 'runs') return [];
  const found: Finding[] = [];
  const { gocache, gomodcache, gopath, cgo, isCi } = facts;
  const undefinedCache = gocache.directory === '' || gocache.directory === 'off';
  if (gocache.problem !== undefined || undefinedCache)
    found.push({
      id: 'gocache',
      harm: 'broken',
      what: undefinedCache
        ? 'There is no build cache: GOCACHE is not set, and neither is HOME or XDG_CACHE_HOME.'
        : `GOCACHE ${gocache.directory} cannot be written: ${gocache.problem}.`,
      why: isCi
        ? 'go builds nothing without it; in CI the job often runs as another user than the one that owns the directory.'
        : 'go builds nothing without it.',
      fix:
        facts.platform === 'win32'
          ? [String.raw`$env:GOCACHE = "$env:TEMP\go-build"`]
          : ['export GOCACHE="${TMPDIR:-/tmp}/go-build"'],
    });
  for (const [name, { directory }] of Object.entries({
    GOPATH: gopath,
    GOMODCACHE: gomodcache,
    GOCACHE: gocache,
  }))
    if (directory !== '' && directory !== 'off' && !/^(?:[/\\]|[A-Za-z]:)/.test(directory))
      found.push({
        id: 'relative-path',
        harm: 'broken',
        what: `${name} is ${JSON.stringify(directory)}, by ${where(facts, name)}: it has to be an absolute path.`,
        why: 'go stops with "must be absolute path".',
        fix: unset(facts, name),
      });
  if (gomodcache.problem !== undefined)
    found.push({
      id: 'gomodcache',
      harm: 'broken',
      what: `GOMODCACHE ${gomodcache.directory} cannot be written: ${gomodcache.problem}.`,
      why: 'go cannot keep the modules that it downloads, so it downloads none.',
      fix:
        facts.platform === 'win32'
          ? [String.raw`$env:GOMODCACHE = "$env:TEMP\go-mod"`]
          : ['export GOMODCACHE="${TMPDIR:-/tmp}/go-mod"'],
    });
  if (cgo.enabled && !cgo.found)
    found.push({
      id: 'cgo-without-compiler',
      harm: 'broken',
      what: `CGO_ENABLED is 1, and there is no C compiler ${JSON.stringify(cgo.cc)} on PATH.`,
      why: 'Packages with C in them fail to build, some of the standard library included: "C compiler not found".',
      fix: ['export CGO_ENABLED=0', `# or install ${cgo.cc}`],
    });
  for (const [name, { directory, onShare }] of [
    ['GOPATH', gopath],
    ['GOMODCACHE', gomodcache],
    ['GOCACHE', gocache],
  ] as const) {
    if (onShare === undefined || found.some(({ id }) => id === 'on-share')) continue;
    found.push({
      id: 'on-share',
      harm: 'risk',
      what: `${name} ${directory} is on another machine (${onShare}).`,
      why: 'go locks files in its caches and makes very many of them: on a share this is slow, and where locks do not hold between machines the cache gets damaged.',
      fix: [
        ...(valueOf(facts, name) === '' ? [] : unset(facts, name)),
        'go env -w GOMODCACHE=/var/tmp/go-mod GOCACHE=/var/tmp/go-build',
      ],
    });
  }
  return found;
};

/** Settings that no go reads. */
export const myths: Check = (facts) =>
  facts.myths.map(({ name, where }) => ({
    id: 'myth',
    harm: 'note',
    what: `${name} is set, by ${where}, and no go command reads it.`,
    why: 'Whoever set it believes that something is switched on or off, and it is not.',
    fix: name.includes('\\')
      ? ['# remove it; what go reads are environment variables and the file of go env -w']
      : [facts.platform === 'win32' ? `Remove-Item Env:${name}` : `unset ${name}`],
  }));
