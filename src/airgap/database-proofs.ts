import { GokeepError, hasCode } from '../errors.ts';
import { formatLookup } from '../module/request-path.ts';
import { openNote } from '../note/note.ts';
import type { Verifier } from '../note/verifier.ts';
import { HASH_SIZE, recordHash } from '../tlog/hash.ts';
import { formatRecord, parseRecord } from '../tlog/record.ts';
import { tilePath } from '../tlog/tile.ts';
import { tileHashReader, type TileReader } from '../tlog/tile-reader.ts';
import { type HashReader, storedHashIndex, treeHash } from '../tlog/tree.ts';
import { parseTree, type TreeHead } from '../tlog/tree-note.ts';
import type { KeptDatabase } from './kept.ts';
import type { OwnServer } from './own-server.ts';
import type { ProvenRecords } from './proven.ts';

const BATCH = 256;

/** A file of the checksum database in a bundle, below `sumdb/<name>/`. */
export interface ProofFile {
  readonly name: string;
  readonly body: Buffer;
}

/**
 * Collects what proves records of one checksum database to a client that has nothing but its key: all lookups under one
 * head, the tiles that such a client asks for, and those that prove the heads that clients may remember.
 */
export class DatabaseProofs {
  readonly name: string;
  readonly vkey: string;
  readonly #key: Verifier;
  readonly #server: Pick<OwnServer, 'get'>;
  readonly #kept: KeptDatabase;
  readonly #proven: ProvenRecords;

  /** @param kept asked before the server is */
  constructor(
    key: { vkey: string; verifier: Verifier },
    server: Pick<OwnServer, 'get'>,
    kept: KeptDatabase,
    proven: ProvenRecords,
  ) {
    this.name = key.verifier.name;
    this.vkey = key.vkey;
    this.#key = key.verifier;
    this.#server = server;
    this.#kept = kept;
    this.#proven = proven;
  }

  /** Takes the record of a version that is kept, or asks for it, which admits it. Throws what the server answers. */
  async add(path: string, version: string): Promise<void> {
    const { id, text } =
      this.#kept.record(path, version) ??
      parseRecord(await this.#server.get(`/sumdb/${this.name}/lookup/${formatLookup(path, version)}`));
    this.#proven.claim(this.name, { id, path, version, text });
  }

  /**
   * The head: the newest one that the server has seen by now, which covers every record that was added. It is not asked
   * upstream for a newer one, so that the same input gives the same bundle.
   */
  async head(): Promise<{ head: TreeHead; note: Buffer }> {
    const note =
      this.#kept.latest() ?? (await this.#server.get(`/sumdb/${this.name}/latest`, { cachedOnly: true }));
    return { head: parseTree(openNote(note, [this.#key]).text), note };
  }

  /**
   * Every file but those of modules. Throws bad_proof where the tree does not have a record, or did not grow from an
   * earlier head.
   */
  async *files(
    { head, note }: { head: TreeHead; note: Buffer },
    earlier: readonly TreeHead[],
  ): AsyncGenerator<ProofFile> {
    yield { name: 'supported', body: Buffer.alloc(0) };
    yield { name: 'latest', body: note };
    const reader = this.#hashes(head);
    for (const before of earlier) {
      if ((await treeHash(before.size, reader)).equals(before.root)) continue;
      throw new GokeepError(
        'fork',
        `SECURITY: ${this.name} did not grow from the head of ${before.size} records that an earlier bundle gave`,
      );
    }
    for (let from = 0; ; ) {
      const batch = this.#proven.claims(this.name, from, BATCH);
      const last = batch.at(-1);
      if (last === undefined) break;
      from = last.id + 1;
      const hashes = await reader(batch.map(({ id }) => storedHashIndex(0, id)));
      for (const [at, { id, path, version, text }] of batch.entries()) {
        if (hashes[at]?.equals(recordHash(text)) !== true)
          throw new GokeepError(
            'bad_proof',
            `the tree of ${this.name} does not have the record of ${path}@${version}`,
          );
        yield {
          name: `lookup/${formatLookup(path, version)}`,
          body: Buffer.concat([formatRecord(id, text), note]),
        };
      }
    }
    for (let level = -1, n = 0; ; ) {
      const tiles = this.#proven.tilesAfter(this.name, level, n, BATCH);
      const last = tiles.at(-1);
      if (last === undefined) return;
      ({ level, n } = last);
      for (const tile of tiles)
        yield { name: tilePath(tile), body: this.#proven.tile(this.name, tile) ?? Buffer.alloc(0) };
    }
  }

  /** From tiles that are kept; where those turn out to be damaged, from those that the server gives. */
  #hashes(head: TreeHead): HashReader {
    const kept = tileHashReader(head, this.#tiles(this.#kept));
    const given = tileHashReader(head, this.#tiles(undefined));
    return async (indexes) => {
      try {
        return await kept(indexes);
      } catch (error) {
        if (!hasCode(error, 'bad_tile')) throw error;
        return given(indexes);
      }
    };
  }

  #tiles(kept: KeptDatabase | undefined): TileReader {
    return {
      height: 8,
      readTiles: (tiles) =>
        Promise.all(
          tiles.map(async (tile) => {
            const have = this.#proven.tile(this.name, tile) ?? kept?.tile(tile);
            if (have !== undefined) return have;
            const data = await this.#server.get(`/sumdb/${this.name}/${tilePath(tile)}`);
            if (data.length !== tile.width * HASH_SIZE)
              throw new GokeepError('bad_tile', `${this.name} sent ${tilePath(tile)} in a wrong length`);
            return data;
          }),
        ),
      saveTiles: (tiles, data) => {
        for (const [at, tile] of tiles.entries())
          this.#proven.addTile(this.name, tile, data[at] ?? Buffer.alloc(0));
      },
    };
  }
}
