import { GokeepError, hasCode } from '../errors.ts';
import { openNote } from '../note/note.ts';
import type { Verifier } from '../note/verifier.ts';
import type { IntegratedHead, LoggedRecord, LogReader } from '../store/log-reader.ts';
import { checkTree, proveTree } from '../tlog/proof.ts';
import { tileHashReader } from '../tlog/tile-reader.ts';
import { type HashReader, storedHashIndex } from '../tlog/tree.ts';
import { parseTree, type TreeHead } from '../tlog/tree-note.ts';
import { type Finding, leafOf, type LogFacts } from './audit-log.ts';
import { storedTiles } from './prove-record.ts';

export interface ReplicaAuditOptions {
  readonly log: LogReader;
  /** Of the origin's key. */
  readonly verifier: Verifier;
  readonly report: (finding: Finding) => void;
  /** Records checked, and how many are held. */
  readonly progress: (done: number, total: number) => void;
}

/** Records whose tiles are read and proven together. */
const BATCH = 1_000;
/** Beyond every tree. */
const NO_SIZE = Number.MAX_SAFE_INTEGER;

/**
 * Checks all that a replica holds of the origin's log: what SQLite says of its file; each head's signature, and that the
 * tree of the newest head begins as the older ones were; and that the newest head covers each record, proven by the tiles
 * that are held. What is not held is no damage.
 *
 * In constant memory, and beside a running server: what the newest head at the start covers cannot change meanwhile.
 */
export async function auditReplica(o: ReplicaAuditOptions): Promise<LogFacts> {
  for (const problem of o.log.integrityProblems())
    o.report({ kind: 'database', subject: 'the database file', problem: `is damaged: ${problem}` });
  const audit = new ReplicaAudit(o);
  try {
    await audit.run();
  } catch (error) {
    if (!hasCode(error, 'storage_failed')) throw error;
    o.report({ kind: 'database', subject: 'the database file', problem: 'cannot be read to its end' });
  }
  return audit.facts;
}

class ReplicaAudit {
  readonly #o: ReplicaAuditOptions;
  #records = 0;
  #heads = 0;

  constructor(options: ReplicaAuditOptions) {
    this.#o = options;
  }

  get facts(): LogFacts {
    return { records: this.#records, heads: this.#heads, waiting: false };
  }

  async run(): Promise<void> {
    const { log } = this.#o;
    const heads = log.heads(0, NO_SIZE);
    const newest = heads.at(-1);
    const hashes = newest === undefined ? undefined : await this.#provenHashes(newest);
    for (const head of heads) await this.#auditHead(head, newest, hashes);
    const total = log.heldCount();
    for (let from = 0; ; ) {
      const records = log.recordsFrom(from, BATCH);
      const last = records.at(-1);
      if (last === undefined) break;
      await this.#auditRecords(records, newest?.size ?? 0, hashes);
      this.#records += records.length;
      this.#o.progress(this.#records, total);
      from = last.id + 1;
    }
  }

  /** The hashes of the tree under a head, each proven; undefined, and found, when its right edge does not hold. */
  async #provenHashes(head: TreeHead): Promise<HashReader | undefined> {
    if (head.size === 0) return undefined;
    const hashes = tileHashReader(head, storedTiles(this.#o.log));
    try {
      await hashes([storedHashIndex(0, head.size - 1)]);
      return hashes;
    } catch (error) {
      if (!hasCode(error, 'bad_tile')) throw error;
      this.#o.report({
        kind: 'tile',
        subject: `the tiles at the end of the tree of size ${head.size}`,
        problem: 'do not give its root, so no record could be checked; import the newest bundle anew',
      });
      return undefined;
    }
  }

  async #auditHead(
    head: IntegratedHead,
    newest: IntegratedHead | undefined,
    hashes: HashReader | undefined,
  ): Promise<void> {
    this.#heads++;
    const report = (problem: string) =>
      this.#o.report({ kind: 'head', subject: `head ${head.size}`, problem });
    if (head.note === null) {
      report('carries no signature');
      return;
    }
    try {
      const signed = parseTree(openNote(head.note, [this.#o.verifier]).text);
      if (signed.size !== head.size || !signed.root.equals(head.root))
        report(`carries a signature for another tree, of size ${signed.size}`);
    } catch (error) {
      if (!(error instanceof GokeepError)) throw error;
      report(`has no good signature by the origin's key: ${error.message}`);
    }
    if (newest === undefined || hashes === undefined || head.size === 0 || head.size === newest.size) return;
    try {
      const proof = await proveTree(newest.size, head.size, hashes);
      checkTree(proof, newest.size, newest.root, head.size, head.root);
    } catch (error) {
      if (!hasCode(error, 'bad_tile', 'bad_proof')) throw error;
      report(`cannot be proven to be how the tree of size ${newest.size} began: ${error.message}`);
    }
  }

  async #auditRecords(
    records: readonly LoggedRecord[],
    size: number,
    hashes: HashReader | undefined,
  ): Promise<void> {
    const covered = records.filter((record) => record.id < size);
    // An import beside us may have brought records, but never without a head that covers them.
    const now = covered.length === records.length ? size : (this.#o.log.newestHead()?.size ?? 0);
    for (const record of records) if (record.id >= now) this.#report(record, 'is covered by no head');
    if (hashes === undefined || covered.length === 0) return;
    const indexOf = (record: LoggedRecord) => storedHashIndex(0, record.id);
    try {
      const leaves = await hashes(covered.map(indexOf));
      for (const [at, record] of covered.entries()) this.#compare(record, leaves[at]);
    } catch (error) {
      if (!hasCode(error, 'bad_tile')) throw error;
      // Which tile is the wrong one is not known, so each record is put to the proof alone.
      for (const record of covered) {
        try {
          this.#compare(record, (await hashes([indexOf(record)]))[0]);
        } catch (failure) {
          if (!hasCode(failure, 'bad_tile')) throw failure;
          this.#report(record, 'cannot be proven: a tile above it is missing or damaged');
        }
      }
    }
  }

  #compare(record: LoggedRecord, inTree: Buffer | undefined): void {
    const leaf = leafOf(record);
    if (leaf === undefined) this.#report(record, 'cannot be what was logged: it is malformed');
    else if (inTree === undefined || !leaf.equals(inTree))
      this.#report(record, 'is not what was logged: its hash differs from the one in the tree');
  }

  #report({ id, path, version }: LoggedRecord, problem: string): void {
    this.#o.report({ kind: 'record', subject: `record ${id} (${path}@${version})`, problem });
  }
}
