import { GokeepError, hasCode } from '../errors.ts';
import { openNote } from '../note/note.ts';
import type { Verifier } from '../note/verifier.ts';
import type { LoggedRecord, LogReader } from '../store/log-reader.ts';
import { formatGoSumRecord } from '../tlog/go-sum-record.ts';
import { type Hash, recordHash } from '../tlog/hash.ts';
import { parseTree, type TreeHead } from '../tlog/tree-note.ts';

/** One thing in storage that is not as it has to be. */
export interface Finding {
  readonly kind:
    | 'database'
    | 'record'
    | 'tile'
    | 'head'
    | 'mark'
    | 'zip'
    | 'mod'
    | 'info'
    | 'list'
    | 'signature';
  /** Which one, for example `record 17 (example.com/m@v1.0.0)`. */
  readonly subject: string;
  /** What is wrong with it: the rest of a sentence that begins with the subject. */
  readonly problem: string;
}

/** What any audit of a log takes, be the log our own or a replica of another's. */
export interface AuditOptions {
  readonly log: LogReader;
  /** Of the key that signs the log. */
  readonly verifier: Verifier;
  readonly report: (finding: Finding) => void;
  /** Records checked, and how many there are. */
  readonly progress: (done: number, total: number) => void;
}

export interface LogFacts {
  readonly records: number;
  readonly heads: number;
  /** A head at the end that is integrated and will be signed when the server goes on. */
  readonly waiting: boolean;
}

const FILE = { kind: 'database', subject: 'the database file' } as const;

/** Reports what SQLite says of its file. */
export function auditFile({ log, report }: AuditOptions): void {
  for (const problem of log.integrityProblems()) report({ ...FILE, problem: `is damaged: ${problem}` });
}

/** Reports an error of an audit that is the file's; any other is thrown again. */
export function reportUnreadable({ report }: AuditOptions, error: unknown): void {
  if (!hasCode(error, 'storage_failed')) throw error;
  report({ ...FILE, problem: 'cannot be read to its end' });
}

/**
 * What is wrong with the signature under a stored head; undefined where nothing is.
 *
 * @param key whose it has to be, as the problem names it
 */
export function signatureProblem(
  head: TreeHead,
  note: Buffer,
  verifier: Verifier,
  key: string,
): string | undefined {
  try {
    const signed = parseTree(openNote(note, [verifier]).text);
    if (signed.size === head.size && signed.root.equals(head.root)) return undefined;
    return `carries a signature for another tree, of size ${signed.size}`;
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    return `has no good signature by ${key}: ${error.message}`;
  }
}

/** A record as a finding names it. */
export function recordSubject({ id, path, version }: LoggedRecord): string {
  return `record ${id} (${path}@${version})`;
}

/** The leaf hash of a record; undefined for one that no log can hold. */
export function leafOf(record: LoggedRecord): Hash | undefined {
  try {
    return recordHash(formatGoSumRecord(record.path, record.version, record.zip, record.mod));
  } catch (error) {
    if (error instanceof GokeepError) return undefined;
    throw error;
  }
}

/**
 * What is wrong with a record that has this leaf hash; undefined where nothing is.
 *
 * @param inTree the hash that the tree has for it; undefined where the tree says nothing
 */
export function leafProblem(leaf: Hash | undefined, inTree: Buffer | undefined): string | undefined {
  if (leaf === undefined) return 'cannot be what was logged: it is malformed';
  if (inTree === undefined || leaf.equals(inTree)) return undefined;
  return 'is not what was logged: its hash differs from the one in the tree';
}
