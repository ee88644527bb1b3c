import { readFileSync } from 'node:fs';
import { GokeepError } from '../errors.ts';
import { storageError } from './database.ts';
import { writeDurablySync } from './durable-file.ts';

/** The newest (size, root) that may have been signed. */
export interface Mark {
  readonly size: number;
  readonly root: Buffer;
}

const HEADER = 'gokeep high-water mark';

/**
 * The high-water mark of one log: a small file outside the database, moved onto each head before it is signed.
 *
 * It is what notices that the database was put back from a backup: such a database is older than the mark. Keep it
 * out of backups, best on another volume. Who can write it can make us refuse to sign, or, together with an old
 * database, make us fork; who can read it learns only size and root, which are public.
 *
 * Durable when `advance` returns. Single writer: the process lock is held by whoever advances it.
 */
export class HighWaterMark {
  readonly #file: string;
  readonly #name: string;

  constructor(file: string, logName: string) {
    this.#file = file;
    this.#name = logName;
  }

  /**
   * The mark, or undefined when there is no such file. Throws log_frozen for a file that is no mark of this log,
   * storage_failed for one that cannot be read.
   */
  read(): Mark | undefined {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw storageError(error, 'high-water mark: read');
    }
    const match = /^([^\n]+)\n([^\n]+)\n(0|[1-9][0-9]{0,15})\n([0-9a-f]{64})\n$/.exec(text);
    if (match?.[1] !== HEADER || match[3] === undefined || match[4] === undefined) {
      throw new GokeepError('log_frozen', 'the high-water mark of the checksum database is damaged', {
        detail: `${this.#file} does not hold a mark`,
      });
    }
    if (match[2] !== this.#name) {
      throw new GokeepError('log_frozen', 'the high-water mark belongs to another checksum database', {
        detail: `${this.#file} is the mark of ${match[2]}, not of ${this.#name}`,
      });
    }
    return { size: Number(match[3]), root: Buffer.from(match[4], 'hex') };
  }

  /**
   * Compare-and-swap: moves the mark from exactly `from` onto `to`, durably. `from` undefined creates it.
   *
   * Throws log_frozen when the mark is not at `from`, or when `to` would move it backwards; storage_full and
   * storage_failed when it cannot be written, and then it stands at `from` or at `to`.
   */
  advance(from: Mark | undefined, to: Mark): void {
    const now = this.read();
    const same =
      now === undefined || from === undefined
        ? now === from
        : now.size === from.size && now.root.equals(from.root);
    if (!same || (from !== undefined && to.size < from.size)) {
      throw new GokeepError(
        'log_frozen',
        'the high-water mark moved without us: another process signs this log',
        {
          detail: `${this.#file}: at ${now?.size ?? 'nothing'}, expected ${from?.size ?? 'nothing'}, wanted ${to.size}`,
        },
      );
    }
    try {
      writeDurablySync(this.#file, `${HEADER}\n${this.#name}\n${to.size}\n${to.root.toString('hex')}\n`);
    } catch (error) {
      throw storageError(error, 'high-water mark: advance');
    }
  }
}
