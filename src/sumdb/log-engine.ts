import { GokeepError } from '../errors.ts';
import { signNote } from '../note/note.ts';
import type { Signer } from '../note/signer.ts';
import type { HighWaterMark, Mark } from '../store/high-water-mark.ts';
import type { Provenance } from '../store/log-records.ts';
import type { LogWriter, NewRecord, StoredHead } from '../store/log-writer.ts';
import { formatGoSumRecord } from '../tlog/go-sum-record.ts';
import { EMPTY_ROOT, HASH_SIZE, parseHash, recordHash } from '../tlog/hash.ts';
import { RightEdge } from '../tlog/right-edge.ts';
import { formatTree, type TreeHead } from '../tlog/tree-note.ts';

/** A record somebody wants in the log. Hashes as `h1:` and base64. */
export interface Candidate {
  readonly path: string;
  readonly version: string;
  readonly zip: string;
  readonly mod: string;
  readonly provenance: Provenance;
}

/**
 * What became of a candidate: it is in the log under `id`, now or already before; or the log holds another record for
 * that module version, which stays.
 */
export type Outcome =
  | { readonly kind: 'logged'; readonly id: number; readonly added: boolean }
  | { readonly kind: 'conflict'; readonly zip: string; readonly mod: string };

export interface SignedHead extends TreeHead {
  readonly note: Buffer;
  /** Milliseconds since 1970. */
  readonly signedAt: number;
}

function raw(h1: string, of: Candidate): Buffer {
  const hash = h1.startsWith('h1:') ? parseHash(h1.slice(3)) : undefined;
  if (hash === undefined) {
    throw new GokeepError(
      'bad_record',
      `${of.path}@${of.version}: the record's hash is not a well-formed h1: hash`,
    );
  }
  return hash;
}

const h1 = (hash: Buffer): string => `h1:${hash.toString('base64')}`;

function frozen(message: string, detail: string): GokeepError {
  return new GokeepError('log_frozen', message, { detail });
}

const sameHead = (a: Mark, b: Mark): boolean => a.size === b.size && a.root.equals(b.root);

/**
 * The one writer of our log: batch in, signed head out, in four steps.
 *
 * ① integrate: records, tiles and the new (size, root), unsigned, in one durable transaction. ② the high-water mark
 * moves onto exactly that (size, root), durably. ③ cosignatures: none are required by this version. ④ the signed head
 * is committed: only now is the new size visible anywhere.
 *
 * A failure or kill between any two steps leaves a state from which {@link recover} goes on at ②. An integrated root is
 * never recomputed from other records, and nothing is signed that the mark does not stand on, so no two heads of one
 * size can ever be signed.
 */
export class LogEngine {
  readonly #writer: LogWriter;
  readonly #mark: HighWaterMark;
  readonly #signer: Signer;
  readonly #now: () => number;
  readonly #mayBegin: boolean;
  #state: { edge: RightEdge; head: SignedHead } | undefined;

  /** @param mayBegin false when a log has begun under this key before: then an empty database is a lost one. */
  constructor(writer: LogWriter, mark: HighWaterMark, signer: Signer, now: () => number, mayBegin = true) {
    this.#writer = writer;
    this.#mark = mark;
    this.#signer = signer;
    this.#now = now;
    this.#mayBegin = mayBegin;
  }

  /**
   * Loads the log, finishes what a crash interrupted, and returns the published head.
   *
   * Throws log_frozen, and signs nothing, when the database is older than the mark (it was put back from a backup), when
   * mark and database disagree, or when the stored tree does not have the root that it had.
   */
  recover(): SignedHead {
    this.#state = undefined;
    const newest = this.#writer.newestHead() ?? this.#begin();
    const mark = this.#mark.read();
    const edge = this.#restoreEdge(newest);
    this.#compareWithMark(newest, mark);
    const head =
      newest.note === null
        ? this.#finish(newest, mark)
        : { size: newest.size, root: newest.root, note: newest.note, signedAt: newest.signedAt };
    this.#state = { edge, head };
    return head;
  }

  /**
   * Appends those candidates that are new. Returns an outcome for each, in order, and the head that covers them all.
   *
   * Any error leaves the engine to be recovered, which the next append does first: after an error, what is in the
   * database is what counts, not what is in memory.
   */
  append(batch: readonly Candidate[]): { outcomes: Outcome[]; head: SignedHead } {
    const current = this.#state ?? (this.recover(), this.#state);
    if (current === undefined) throw frozen('the checksum database is not ready', 'no state after recovery');
    const edge = current.edge.clone();
    const { outcomes, records } = this.#sort(batch, edge);
    if (records.length === 0) return { outcomes, head: current.head };

    const next: TreeHead = { size: edge.size, root: edge.root() };
    const tiles = edge.takeChangedTiles();
    this.#state = undefined;
    this.#writer.integrate(current.head.size, records, tiles, next);
    const head = this.#finish(next, current.head);
    this.#state = { edge, head };
    return { outcomes, head };
  }

  /** Steps ② to ④ for a head that is integrated. */
  #finish(next: TreeHead, mark: Mark | undefined): SignedHead {
    if (mark === undefined || !sameHead(mark, next)) this.#mark.advance(mark, next);
    const note = signNote(formatTree(next), [this.#signer]);
    const signedAt = this.#now();
    this.#writer.publish(next, note, signedAt);
    return { size: next.size, root: next.root, note, signedAt };
  }

  /** Splits a batch into what is known and what is new, and appends the new to the edge. */
  #sort(batch: readonly Candidate[], edge: RightEdge): { outcomes: Outcome[]; records: NewRecord[] } {
    const outcomes: Outcome[] = [];
    const records: NewRecord[] = [];
    const inBatch = new Map<string, { id: number; zipH1: Buffer; modH1: Buffer }>();
    for (const candidate of batch) {
      const { path, version, provenance } = candidate;
      const zipH1 = raw(candidate.zip, candidate);
      const modH1 = raw(candidate.mod, candidate);
      const key = `${path}@${version}`;
      const known = inBatch.get(key) ?? this.#writer.findRecord(path, version);
      if (known === undefined) {
        const id = edge.size;
        edge.append(recordHash(formatGoSumRecord(path, version, candidate.zip, candidate.mod)));
        inBatch.set(key, { id, zipH1, modH1 });
        records.push({ path, version, zipH1, modH1, provenance });
        outcomes.push({ kind: 'logged', id, added: true });
      } else if (known.zipH1.equals(zipH1) && known.modH1.equals(modH1)) {
        outcomes.push({ kind: 'logged', id: known.id, added: false });
      } else {
        outcomes.push({ kind: 'conflict', zip: h1(known.zipH1), mod: h1(known.modH1) });
      }
    }
    return { outcomes, records };
  }

  /** A log that has no head yet gets the empty one, through the same steps. */
  #begin(): StoredHead {
    const mark = this.#mark.read();
    if (mark !== undefined && mark.size > 0) {
      throw frozen(
        'the checksum database is older than what was already signed: it was lost or put back from a backup',
        `the database is empty, the high-water mark stands at ${mark.size}`,
      );
    }
    if (mark === undefined && !this.#mayBegin) {
      throw frozen(
        'the signing key was used before, but its checksum database and high-water mark are gone',
        'put both back; or move the key file away to start a new log under a new name. One that began anew under this key would be a fork to every client',
      );
    }
    const empty = { size: 0, root: EMPTY_ROOT, note: null, signedAt: 0 };
    this.#writer.integrate(0, [], [], empty);
    return empty;
  }

  #restoreEdge(head: TreeHead): RightEdge {
    const records = this.#writer.recordCount();
    const edge = RightEdge.restore(head.size, (level, n, width) => {
      const data = this.#writer.tile(level, n);
      if (data?.length !== width * HASH_SIZE) {
        throw frozen('a tile of the checksum database is missing or damaged', `level ${level}, tile ${n}`);
      }
      return data;
    });
    if (records !== head.size || !edge.root().equals(head.root)) {
      throw frozen(
        'the stored tree of the checksum database is damaged; run `gokeep fsck`',
        `head ${head.size} ${head.root.toString('base64')}, stored ${records} records, root ${edge.root().toString('base64')}`,
      );
    }
    return edge;
  }

  #compareWithMark(newest: StoredHead, mark: Mark | undefined): void {
    if (mark === undefined) {
      // Only the very first head is ever integrated before a mark exists.
      if (newest.size === 0 && newest.note === null) return;
      throw frozen(
        'the high-water mark of the checksum database is missing',
        'put the mark file back; if it is lost for good and this database is the newest there is, run `gokeep log mark --accept`',
      );
    }
    if (mark.size > newest.size) {
      throw frozen(
        'the checksum database is older than what was already signed: it was put back from a backup',
        `the database ends at ${newest.size}, the high-water mark stands at ${mark.size}; put back a database that reaches the mark, or start a new log under a new name`,
      );
    }
    if (mark.size === newest.size && !mark.root.equals(newest.root)) {
      throw frozen(
        'the checksum database and its high-water mark disagree: it has another history',
        `both at ${mark.size}, roots ${newest.root.toString('base64')} and ${mark.root.toString('base64')}`,
      );
    }
    const published = this.#writer.newestPublishedHead();
    const waitsForMark = newest.note === null && published !== undefined && sameHead(mark, published);
    if (mark.size < newest.size && !waitsForMark) {
      throw frozen(
        'the high-water mark is older than the checksum database: it was put back from a backup',
        `the mark stands at ${mark.size}, the database at ${newest.size}; if this database is the newest there is, run \`gokeep log mark --accept\``,
      );
    }
  }
}
