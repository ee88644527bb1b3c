import { GokeepError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { gitAnswer } from './git-answer.ts';
import type { Asked } from './git-answer.ts';
import { secretsOf, withoutSecrets } from './git-host.ts';
import { reasonIn } from './reason.ts';

interface Rule {
  readonly code: ErrorCode;
  readonly pattern: RegExp;
  /** Replaces the words of go or git. */
  readonly say?: string;
}

/**
 * What go and git say, in the order in which it is tested; they offer nothing but text, in English under LC_ALL=C.
 * "Not found" sends clients elsewhere, so it needs words that only an answer can produce: the repository was
 * read and lacks the version, or its server said so itself. Everything unknown is a failure.
 */
const RULES: readonly Rule[] = [
  {
    code: 'no_go',
    pattern:
      /exec: "git": |missing Git command|cannot find GOROOT|unknown flag|flag provided but not defined/,
    say: 'there is no usable go command and git on the gokeep host',
  },
  {
    code: 'no_go',
    pattern: /requires go >= /,
    say: 'it needs a newer Go than the gokeep host has; update Go there',
  },
  { code: 'not_found', pattern: /fatal: repository '[^']*' not found|Repository not found/ },
  { code: 'upstream_unreachable', pattern: /unable to access|Could not read from remote/ },
  {
    code: 'upstream_failed',
    // A git that is stopped at its limit says nothing itself; the one that started it misses an answer.
    pattern: /signal 25|[Ff]ile size limit exceeded|File too large|invalid index-pack output/,
    say: 'git could not take in its repository, which may be larger than direct.max_repository allows',
  },
  // git failed for a reason that is none of the above; go may call that an "invalid version" all the same.
  { code: 'upstream_failed', pattern: /exit status \d|signal: / },
  {
    code: 'not_found',
    pattern: /unknown revision|no matching versions for query|no commits|invalid pseudo-version: /,
  },
  {
    code: 'not_found',
    pattern:
      /module path must match major version|should be v\d+(?: or v1)?, not v|missing \S*go\.mod|go\.mod has (?:post-v0|non-|malformed|no )|resolves to version v|\+incompatible suffix not allowed|module declares its path as/,
  },
  {
    code: 'not_found',
    pattern: /unrecognized import path .*(?:: 404 Not Found|: 410 Gone|no go-import meta tags)/s,
  },
];

export interface Verdict {
  readonly error: GokeepError;
  /** The host that could not be reached, where the words name one. */
  readonly host: string | undefined;
}

export interface Failed extends Asked {
  /** `Module example.com/m@v1.0.0` */
  readonly subject: string;
  /** Cut out of what is shown, since it is a path on our disk. */
  readonly directory: string;
}

/** The error for a failed command. `said` is what go and git wrote, attacker-influenced. */
export async function directError(said: string, failed: Failed): Promise<Verdict> {
  const { subject, directory, credentials } = failed;
  const secrets = credentials === undefined ? [] : await secretsOf(credentials);
  const shown = withoutSecrets(said, secrets);
  const rule = RULES.find(({ pattern }) => pattern.test(said));
  const answer = rule?.code === 'no_go' ? undefined : await gitAnswer(said, shown, failed);
  const code = answer?.code ?? rule?.code ?? 'upstream_failed';
  const why = reasonIn(
    answer?.why ?? rule?.say ?? telling(shown).replaceAll(directory, '…'),
    [],
    LONGEST_WHY,
  );
  const words =
    code === 'not_found' ? 'does not exist in its repository' : 'could not be fetched from its repository';
  const error = new GokeepError(code, `${subject} ${words}${why === '' ? '' : `: ${why}`}.`, {
    detail: reasonedDetail(shown),
  });
  return { error, host: answer?.host };
}

/** Our own words name files, so they may be longer than somebody else's. */
const LONGEST_WHY = 400;

/** The line that says most: git's own last words, or go's. */
function telling(said: string): string {
  const lines = said.split('\n').map((line) => line.trim());
  const git = lines.find((line) => /^(?:fatal|remote|ERROR|error): /.test(line));
  return (
    git ?? lines.find((line) => line !== '' && !line.startsWith('go: missing'))?.replace(/^go: /, '') ?? ''
  );
}

function reasonedDetail(said: string): string {
  return said
    .split('\n')
    .map((line) => reasonIn(line))
    .join(' | ')
    .slice(0, 4096);
}
