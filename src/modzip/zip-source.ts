/** Where a zip's bytes come from, and a window onto them. */

import { GokeepError } from '../errors.ts';

/** A file that can be read anywhere. */
export interface ZipSource {
  /** In bytes. */
  readonly size: number;
  /**
   * Gives exactly `length` bytes from `position`; the range lies within the file.
   *
   * @param into may be used for it where it is large enough
   */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
}

const WINDOW_SIZE = 1024 * 1024;

/** Reads ahead, so that thousands of small entries cost few reads. */
export class ZipWindow {
  readonly #source: ZipSource;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);
  /** Read into again and again: a megabyte for each window would pile up until the garbage is collected. */
  #room: Buffer | undefined;

  constructor(source: ZipSource) {
    this.#source = source;
  }

  /** The bytes when they have been read already: spares the hot loop an await. Valid until the next load. */
  peek(position: number, length: number): Buffer | undefined {
    const from = position - this.#start;
    if (from < 0 || from + length > this.#bytes.length) return undefined;
    return this.#bytes.subarray(from, from + length);
  }

  /**
   * The bytes from `position`, read with what follows them.
   *
   * @throws bad_zip when the file ends before them
   */
  async load(position: number, length: number): Promise<Buffer> {
    const seen = this.peek(position, length);
    if (seen !== undefined) return seen;
    const wanted = Math.max(length, Math.min(WINDOW_SIZE, this.#source.size - position));
    if (this.#room === undefined || this.#room.length < wanted) this.#room = Buffer.allocUnsafeSlow(wanted);
    this.#bytes = await readExactly(this.#source, position, wanted, this.#room);
    this.#start = position;
    return this.#bytes.subarray(0, length);
  }
}

/**
 * Reads a range that the zip claims to have.
 *
 * @throws bad_zip when the file ends before it
 */
export async function readExactly(
  source: ZipSource,
  position: number,
  length: number,
  into?: Buffer,
): Promise<Buffer> {
  if (position < 0 || position + length > source.size) throw badZip('it is cut short');
  const bytes = await source.read(position, length, into);
  if (bytes.length !== length) throw badZip('it is cut short');
  return bytes;
}

/**
 * A rule that a zip breaks, to be read after "the zip of … was refused:" and to be completed there.
 */
export function badZip(problem: string, cause?: unknown): GokeepError {
  return new GokeepError('bad_zip', problem, { cause });
}
