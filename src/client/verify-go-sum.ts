/**
 * Holds go.sum files against a checksum database: for each line a record, proven to be in the log, that has the same hash; and
 * a signature of each module that has to have one.
 */

import { type ErrorCode, GokeepError } from '../errors.ts';
import { type GoSumLine, parseGoSum } from '../modfile/go-sum.ts';
import { forEachAtOnce } from '../store/at-once.ts';

export interface GoSumOptions {
  /** A record, proven. Throws what a ChecksumDatabase does. */
  readonly lookup: (path: string, version: string) => Promise<{ readonly zip: string; readonly mod: string }>;
  /** Whether a module has to be signed. */
  readonly isDemanded: (path: string) => boolean;
  /**
   * Verifies the signature of a version whose zip has this hash.
   *
   * @throws refused without one, bad_signature, mismatch; what fetching throws
   */
  readonly checkSigned: (path: string, version: string, zip: string) => Promise<void>;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface GoSumFinding {
  readonly file: string;
  readonly path: string;
  readonly version: string;
  readonly problem: string;
}

export interface GoSumVerdict {
  /** Distinct lines that were looked at, and module versions that they are of. */
  readonly lines: number;
  readonly versions: number;
  /** Versions whose signature was demanded and verified. */
  readonly signed: number;
  /** In the order of the files. */
  readonly findings: readonly GoSumFinding[];
}

interface Version {
  readonly path: string;
  readonly version: string;
  readonly lines: (GoSumLine & { readonly file: string })[];
}

/** Enough to hide the network's latency, few enough for a server that others use too. */
const AT_ONCE = 16;
/** Nobody has said anything about the module then. */
const UNSAID: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_refused',
]);

/**
 * Nothing is taken from a file but what is looked for; nothing is believed that is not proven.
 *
 * @throws bad_record for what is no go.sum, naming file and line; upstream_unreachable, upstream_timeout, upstream_refused where
 * nothing can be said
 */
export async function verifyGoSum(
  files: readonly { readonly name: string; readonly text: string }[],
  o: GoSumOptions,
): Promise<GoSumVerdict> {
  const versions = collect(files);
  const problems = new Map<Version, string[]>();
  let done = 0;
  let signed = 0;
  await forEachAtOnce(versions, AT_ONCE, async (version) => {
    const { found, isSigned } = await problemsOf(version, o);
    problems.set(version, found);
    if (isSigned) signed++;
    o.onProgress?.(++done, versions.length);
  });
  const findings = versions.flatMap((each) =>
    (problems.get(each) ?? []).map((problem) => ({
      file: each.lines[0]?.file ?? '',
      path: each.path,
      version: each.version,
      problem,
    })),
  );
  const lines = versions.reduce((sum, each) => sum + each.lines.length, 0);
  return { lines, versions: versions.length, signed, findings };
}

function collect(files: readonly { readonly name: string; readonly text: string }[]): Version[] {
  const versions = new Map<string, Version>();
  for (const { name: file, text } of files)
    for (const line of linesOf(file, text)) {
      const { path, version } = line;
      const key = `${path}@${version}`;
      const here = versions.get(key) ?? { path, version, lines: [] };
      versions.set(key, here);
      if (!here.lines.some(({ goMod, h1 }) => goMod === line.goMod && h1 === line.h1))
        here.lines.push({ ...line, file });
    }
  return [...versions.values()];
}

function linesOf(file: string, text: string): GoSumLine[] {
  try {
    return parseGoSum(text);
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    throw new GokeepError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}

async function problemsOf({ path, version, lines }: Version, o: GoSumOptions) {
  const found: string[] = [];
  let isSigned = false;
  try {
    const record = await o.lookup(path, version);
    for (const { goMod, h1, file } of lines) {
      const recorded = goMod ? record.mod : record.zip;
      if (h1 !== recorded)
        found.push(
          `SECURITY: ${file} says ${h1} for its ${goMod ? 'go.mod' : 'zip'}, the checksum database has proven ${recorded}`,
        );
    }
    // A version of which only the go.mod was read is not built.
    if (found.length === 0 && lines.some(({ goMod }) => !goMod) && o.isDemanded(path)) {
      await o.checkSigned(path, version, record.zip);
      isSigned = true;
    }
  } catch (error) {
    if (!(error instanceof GokeepError) || UNSAID.has(error.code)) throw error;
    found.push(error.message);
  }
  return { found, isSigned };
}
