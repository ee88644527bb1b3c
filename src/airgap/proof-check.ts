import { GokeepError, hasCode } from '../errors.ts';
import { openNote } from '../note/note.ts';
import type { Verifier } from '../note/verifier.ts';
import { parseGoSumRecord } from '../tlog/go-sum-record.ts';
import { HASH_SIZE, recordHash } from '../tlog/hash.ts';
import { parseRecord } from '../tlog/record.ts';
import { DATA_LEVEL, type Tile, tilePath } from '../tlog/tile.ts';
import { tileHashReader } from '../tlog/tile-reader.ts';
import { storedHashIndex, treeHash } from '../tlog/tree.ts';
import { parseTree, type TreeHead } from '../tlog/tree-note.ts';
import { type BundlePath, formatBundlePath } from './bundle-path.ts';
import type { ManifestDatabase } from './manifest.ts';
import type { ClaimedRecord, ProvenRecords } from './proven.ts';

type DatabasePath = Extract<BundlePath, { database: string }>;

/** Records proven, and tiles looked at, at a time: what they share is hashed once. */
const BATCH = 256;
const FULL = 256;

/**
 * The proofs in a bundle, of one checksum database: every lookup carries the head that the manifest names, signed by the
 * database's own key; its tree has the record, by the tiles in the bundle; every tile belongs to that tree; and the heads
 * that earlier bundles gave are how it began. Then `go`, with nothing but the bundle and the key, will find the same.
 *
 * All that is read is attacker-controlled but for the key.
 */
export class ProofCheck {
  readonly #database: ManifestDatabase;
  readonly #key: Verifier;
  readonly #proven: ProvenRecords;
  #note: Buffer | undefined;
  #supported = false;

  constructor(database: ManifestDatabase, key: Verifier, proven: ProvenRecords) {
    this.#database = database;
    this.#key = key;
    this.#proven = proven;
  }

  /** Takes one file, in the order of a bundle: the head before the lookups. Throws bad_bundle, bad_record, bad_note. */
  add(at: DatabasePath, body: Buffer): void {
    switch (at.kind) {
      case 'supported':
        this.#supported = true;
        if (body.length > 0) throw this.#wrong(at, 'it has to be empty');
        return;
      case 'head':
        return this.#addHead(at, body);
      case 'lookup':
        return this.#addLookup(at, body);
      case 'tile':
        return this.#addTile(at, body);
    }
  }

  /**
   * Proves what was added. Each problem is reported as a sentence; nothing is proven that is not in the tree.
   * Throws bad_bundle only where nothing at all can be proven.
   */
  async finish(report: (problem: string) => void): Promise<void> {
    const { name, head, earlier } = this.#database;
    if (!this.#supported)
      report(`sumdb/${name}/supported is missing, without which go does not ask this database`);
    if (this.#note === undefined) throw new GokeepError('bad_bundle', `sumdb/${name}/latest is missing`);
    this.#proven.setHead(name, head, this.#note);
    await this.#proveTiles(report);
    for (let from = 0; ; ) {
      const batch = this.#proven.claims(name, from, BATCH);
      const last = batch.at(-1);
      if (last === undefined) break;
      from = last.id + 1;
      await this.#proveBatch(batch, report);
    }
    for (const before of earlier) await this.consistentWith(before, report);
  }

  /** Whether this head is how the bundle's tree began; a problem is reported where it is not, or is not proven. */
  async consistentWith(before: TreeHead, report: (problem: string) => void): Promise<void> {
    const { name, head } = this.#database;
    if (before.size > head.size) {
      report(
        `${name}: the bundle's tree head of ${head.size} records is older than one of ${before.size} that was seen before`,
      );
      return;
    }
    try {
      const root =
        before.size === head.size
          ? head.root
          : await treeHash(before.size, tileHashReader(head, this.#proven.tileReader(name)));
      if (root.equals(before.root)) return;
      report(
        `SECURITY: ${name}: the bundle's tree head of ${head.size} records contradicts one of ${before.size} records that was seen before: one of the two is a fork`,
      );
    } catch (error) {
      if (!hasCode(error, 'bad_tile', 'bad_proof')) throw error;
      report(
        `${name}: nothing in the bundle proves that its tree grew from the head of ${before.size} records: ${error.message}`,
      );
    }
  }

  #addHead(at: DatabasePath, body: Buffer): void {
    const { head } = this.#database;
    const signed = parseTree(openNote(body, [this.#key]).text);
    if (signed.size !== head.size || !signed.root.equals(head.root))
      throw this.#wrong(at, 'it is not the tree head that the manifest names');
    this.#note = body;
  }

  #addLookup(at: Extract<DatabasePath, { kind: 'lookup' }>, body: Buffer): void {
    const { id, text, rest } = parseRecord(body);
    if (this.#note === undefined || !rest.equals(this.#note))
      throw this.#wrong(at, 'it does not carry the tree head of this bundle');
    this.#proven.claim(this.#database.name, { id, path: at.path, version: at.version, text });
  }

  #addTile(at: Extract<DatabasePath, { kind: 'tile' }>, body: Buffer): void {
    const { tile } = at;
    const { head, name } = this.#database;
    const width = tile.level === DATA_LEVEL ? 0 : widthAt(tile, head.size);
    if (tile.height !== 8 || tile.width !== width || body.length !== width * HASH_SIZE)
      throw this.#wrong(at, 'it is no tile of the tree that the bundle proves');
    this.#proven.addTile(name, tile, body);
  }

  async #proveTiles(report: (problem: string) => void): Promise<void> {
    const { name, head } = this.#database;
    const reader = tileHashReader(head, this.#proven.tileReader(name));
    let level = -1;
    let n = 0;
    for (;;) {
      const tiles = this.#proven.tilesAfter(name, level, n, BATCH);
      const last = tiles.at(-1);
      if (last === undefined) return;
      ({ level, n } = last);
      const first = (tile: Tile) => storedHashIndex(tile.level * 8, tile.n * FULL);
      await orEach(
        tiles,
        async (some) => void (await reader(some.map(first))),
        (tile, problem) => report(`sumdb/${name}/${tilePath(tile)}: ${problem}`),
      );
    }
  }

  async #proveBatch(batch: readonly ClaimedRecord[], report: (problem: string) => void): Promise<void> {
    const { name, head } = this.#database;
    const reader = tileHashReader(head, this.#proven.tileReader(name));
    const prove = async (some: readonly ClaimedRecord[]) => {
      const beyond = some.find(({ id }) => id >= head.size);
      if (beyond !== undefined)
        throw new GokeepError('bad_proof', 'its number lies beyond the end of the tree');
      const hashes = await reader(some.map(({ id }) => storedHashIndex(0, id)));
      for (const [at, record] of some.entries()) {
        if (hashes[at]?.equals(recordHash(record.text)) !== true)
          throw new GokeepError('bad_proof', `the tree of ${name} does not have this record`);
      }
      // Read from the text only now that the text is proven.
      const read = some.map((record) => parseGoSumRecord(record.text, record.path, record.version));
      for (const [at, hashes] of read.entries()) this.#proven.prove(name, some[at] as ClaimedRecord, hashes);
    };
    await orEach(batch, prove, ({ path, version }, problem) =>
      report(`${formatBundlePath({ kind: 'lookup', database: name, path, version })}: ${problem}`),
    );
  }

  #wrong(at: DatabasePath, why: string): GokeepError {
    return new GokeepError('bad_bundle', `${formatBundlePath(at)}: ${why}`);
  }
}

/** Hashes that a tree of this size has in the tile's place; 0 or less where the tile lies beyond it. */
function widthAt({ level, n }: Tile, size: number): number {
  return Math.min(FULL, Math.floor(size / FULL ** level) - n * FULL);
}

/** Does the work for all at once, and where that fails one by one, to find out which it is. */
async function orEach<T>(
  all: readonly T[],
  work: (some: readonly T[]) => Promise<void>,
  failed: (one: T, problem: string) => void,
): Promise<void> {
  try {
    await work(all);
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    if (all.length === 1) return failed(all[0] as T, error.message);
    for (const one of all) await orEach([one], work, failed);
  }
}
