import { type Hash, nodeHash, recordHash } from '../../src/tlog/hash.ts';
import type { Tile } from '../../src/tlog/tile.ts';
import { type HashReader, storedHashIndex } from '../../src/tlog/tree.ts';

/** A log that keeps every stored hash in memory, in the plainest way: what the code under test is held against. */
export class StoredLog {
  readonly hashes: Hash[] = [];
  size = 0;

  /** The log of the golden vectors: record n is `record n` and a newline. */
  static ofSize(size: number): StoredLog {
    const log = new StoredLog();
    while (log.size < size) log.append(recordHash(Buffer.from(`record ${log.size}\n`)));
    return log;
  }

  append(hash: Hash): void {
    this.hashes.push(hash);
    for (let level = 0, n = this.size; n % 2 === 1; level++, n = (n - 1) / 2) {
      this.hashes.push(nodeHash(this.at(level, n - 1), this.at(level, n)));
    }
    this.size++;
  }

  at(level: number, n: number): Hash {
    return this.hashes[storedHashIndex(level, n)]!;
  }

  readonly reader: HashReader = async (indexes) => indexes.map((index) => this.hashes[index]!);

  tileData(tile: Tile): Buffer {
    const first = tile.n * 2 ** tile.height;
    return Buffer.concat(
      Array.from({ length: tile.width }, (_, i) => this.at(tile.level * tile.height, first + i)),
    );
  }
}
