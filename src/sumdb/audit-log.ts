import { hasCode } from '../errors.ts';
import type { HighWaterMark } from '../store/high-water-mark.ts';
import type { IntegratedHead, LoggedRecord } from '../store/log-reader.ts';
import { HASH_SIZE, type Hash } from '../tlog/hash.ts';
import { type ChangedTile, RightEdge } from '../tlog/right-edge.ts';
import { subtreeHash, tilePath } from '../tlog/tile.ts';
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
import { compareMark, markProblem } from './mark-state.ts';

export interface LogAuditOptions extends AuditOptions {
  readonly mark: HighWaterMark;
}

const TILE = 256;
const FULL = TILE * HASH_SIZE;
const MOST_STRAY = 100;

/**
 * Checks the whole log: what SQLite says of its file; every record against the tree; every tile; every head ever
 * integrated, its root against the records and its signature; and the high-water mark.
 *
 * Takes everything anew from the records, in one pass and in constant memory. Works beside a running server: the log only
 * grows, so what lies below the newest head at the start cannot change meanwhile.
 */
export function auditLog(o: LogAuditOptions): LogFacts {
  auditFile(o);
  const audit = new LogAudit(o);
  try {
    auditMark(o);
    return audit.run();
  } catch (error) {
    reportUnreadable(o, error);
    return audit.facts(false);
  }
}

function auditMark({ log, mark, report }: LogAuditOptions): void {
  let problem: string | undefined;
  try {
    problem = markProblem(compareMark(log, mark));
  } catch (error) {
    if (!hasCode(error, 'log_frozen')) throw error;
    problem = `cannot be used: ${error.message}`;
  }
  if (problem !== undefined) report({ kind: 'mark', subject: 'the high-water mark', problem });
}

class LogAudit {
  readonly #o: LogAuditOptions;
  readonly #edge = RightEdge.empty();
  /** The partial tile of each level, as the records so far make it. */
  readonly #partial = new Map<number, ChangedTile>();
  #heads = 0;

  constructor(options: LogAuditOptions) {
    this.#o = options;
  }

  run(): LogFacts {
    const { log } = this.#o;
    const newest = log.newestHead();
    const size = newest?.size ?? 0;
    const edgeHolds = newest !== undefined && this.#storedEdgeGives(newest);
    let complete = true;
    for (let from = 0; complete && (from < size || from === 0); from += TILE) {
      const to = Math.min(from + TILE, size);
      const heads = log.heads(from === 0 ? 0 : from + 1, to + 1);
      complete = this.#auditRecords(from, to, heads, size, edgeHolds);
      this.#compareChangedTiles();
      this.#o.progress(to, size);
    }
    if (complete) log.snapshot(() => this.#auditEnd(size));
    return this.facts(newest?.note === null);
  }

  facts(waiting: boolean): LogFacts {
    return { records: this.#edge.size, heads: this.#heads, waiting };
  }

  /** One tile's worth of records, and the heads among them. False when the tree cannot be followed further. */
  #auditRecords(
    from: number,
    to: number,
    heads: readonly IntegratedHead[],
    size: number,
    edgeHolds: boolean,
  ): boolean {
    const byId = new Map(this.#o.log.range(from, to).map((record) => [record.id, record]));
    const tile = from === to ? undefined : this.#o.log.tile(0, from / TILE);
    const trusted = to - from === TILE ? this.#parentHolds(from / TILE, tile) : edgeHolds;
    const byRoot = new Map(heads.map((head) => [head.size, head]));
    for (let id = from; id <= to; id++) {
      const head = byRoot.get(id);
      if (head !== undefined) this.#auditHead(head, size);
      if (id === to) break;
      const leaf = this.#leaf(id, byId.get(id), tile, trusted);
      if (leaf === undefined) return false;
      this.#edge.append(leaf);
    }
    return true;
  }

  /**
   * The leaf hash of a record. Where record and tree disagree, what the tree above vouches for is what counts, so that
   * one damaged record is one finding; where nothing vouches for the tile, the record counts, and the tile is found
   * when it is compared. Undefined when neither says anything.
   */
  #leaf(
    id: number,
    record: LoggedRecord | undefined,
    tile: Buffer | undefined,
    trusted: boolean,
  ): Hash | undefined {
    const at = (id % TILE) * HASH_SIZE;
    const inTree =
      tile !== undefined && tile.length >= at + HASH_SIZE ? tile.subarray(at, at + HASH_SIZE) : undefined;
    const leaf = record === undefined ? undefined : leafOf(record);
    const subject = record === undefined ? `record ${id}` : recordSubject(record);
    const problem = record === undefined ? 'is missing' : leafProblem(leaf, trusted ? inTree : undefined);
    if (problem === undefined) return leaf;
    this.#o.report({ kind: 'record', subject, problem });
    return inTree;
  }

  #auditHead(head: IntegratedHead, newest: number): void {
    this.#heads++;
    const subject = `head ${head.size}`;
    const report = (problem: string) => this.#o.report({ kind: 'head', subject, problem });
    if (!this.#edge.root().equals(head.root)) report('has a root that is not that of the records');
    if (head.note === null) {
      if (head.size !== newest) report('was never signed, although a later one exists');
      return;
    }
    const problem = signatureProblem(head, head.note, this.#o.verifier, "this log's key");
    if (problem !== undefined) report(problem);
  }

  #compareChangedTiles(): void {
    for (const tile of this.#edge.takeChangedTiles()) {
      if (tile.data.length < FULL) {
        this.#partial.set(tile.level, tile);
        continue;
      }
      this.#partial.delete(tile.level);
      this.#compareTile(tile, true);
    }
  }

  /** @param exact the stored tile must end where this one does; otherwise it may have grown. */
  #compareTile({ level, n, data }: ChangedTile, exact: boolean): void {
    const stored = this.#o.log.tile(level, n);
    const subject = tilePath({ height: 8, level, n, width: data.length / HASH_SIZE });
    const report = (problem: string) => this.#o.report({ kind: 'tile', subject, problem });
    if (stored === undefined) report('is missing');
    else if (exact ? stored.length !== data.length : stored.length < data.length)
      report(`has ${stored.length} bytes instead of ${data.length}`);
    else if (!stored.subarray(0, data.length).equals(data)) report('does not hold the hashes of the records');
  }

  /** The right edge, and what lies beyond it, as of one moment. */
  #auditEnd(size: number): void {
    const { log, report } = this.#o;
    const now = log.newestHead()?.size ?? 0;
    const records = log.recordCount();
    for (const tile of this.#partial.values()) this.#compareTile(tile, now === size);
    if (records > now)
      report({
        kind: 'record',
        subject: `record ${now}`,
        problem: 'and what follows it are covered by no head',
      });
    // The level above the top one has no tile either, whatever its number.
    for (let level = 0, entries = now; ; level++, entries = Math.floor(entries / TILE)) {
      for (const { n } of log.tilesFrom(level, Math.ceil(entries / TILE), MOST_STRAY)) {
        report({
          kind: 'tile',
          subject: tilePath({ height: 8, level, n, width: TILE }),
          problem: 'lies beyond the end of the tree',
        });
      }
      if (entries === 0) break;
    }
  }

  /** Whether the tiles at the right edge, as they are stored, give the root of the newest head. */
  #storedEdgeGives(newest: IntegratedHead): boolean {
    const none = Buffer.alloc(0);
    try {
      const edge = RightEdge.restore(
        newest.size,
        (level, n, width) => this.#o.log.tile(level, n)?.subarray(0, width * HASH_SIZE) ?? none,
      );
      return edge.root().equals(newest.root);
    } catch (error) {
      if (hasCode(error, 'bad_tile')) return false;
      throw error;
    }
  }

  /** Whether a full tile of level 0 has the hash that the tile above it has for it. */
  #parentHolds(n: number, tile: Buffer | undefined): boolean {
    if (tile?.length !== FULL) return false;
    const at = (n % TILE) * HASH_SIZE;
    const parent = this.#o.log.tile(1, Math.floor(n / TILE))?.subarray(at, at + HASH_SIZE);
    return parent !== undefined && subtreeHash(tile).equals(parent);
  }
}
