import { hasCode } from '../errors.ts';
import type { IntegratedHead, LoggedRecord } from '../store/log-reader.ts';
import { checkTree, proveTree } from '../tlog/proof.ts';
import { tileHashReader } from '../tlog/tile-reader.ts';
import { type HashReader, storedHashIndex } from '../tlog/tree.ts';
import type { TreeHead } from '../tlog/tree-note.ts';
import {
  auditFile,
  type AuditOptions,
  leafOf,
  leafProblem,
  type LogFacts,
  recordSubject,
  reportUnreadable,
  signatureProblem,
} from './audit.ts';
import { storedTiles } from './prove-record.ts';

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
export async function auditReplica(o: AuditOptions): Promise<LogFacts> {
  auditFile(o);
  const audit = new ReplicaAudit(o);
  try {
    await audit.run();
  } catch (error) {
    reportUnreadable(o, error);
  }
  return audit.facts;
}

class ReplicaAudit {
  readonly #o: AuditOptions;
  #records = 0;
  #heads = 0;

  constructor(options: AuditOptions) {
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
    const problem = signatureProblem(head, head.note, this.#o.verifier, "the origin's key");
    if (problem !== undefined) report(problem);
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
    // A hash that was not given agrees with nothing.
    const problem = leafProblem(leafOf(record), inTree ?? Buffer.alloc(0));
    if (problem !== undefined) this.#report(record, problem);
  }

  #report(record: LoggedRecord, problem: string): void {
    this.#o.report({ kind: 'record', subject: recordSubject(record), problem });
  }
}
