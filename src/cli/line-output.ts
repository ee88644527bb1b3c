import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Characters that may wait while the other end takes nothing. */
const BUDGET = 4 * 2 ** 20;
/** How long the other end is given at the close. */
const CLOSE_MS = 1_000;
/** Between two tries at a pipe that is full. */
const RETRY_MS = 50;
const NEWLINE = 10;

function lineEnds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/**
 * Standard output, ready for a `LineOutput`. Asking node for it makes a pipe or socket non-blocking: a write that waits in
 * the thread pool for a reader who has stopped would keep the process from ever ending.
 */
export function standardOutput(): number {
  return process.stdout.fd;
}

/**
 * Log lines to a file descriptor, at most once: a full disk or a reader that has stopped costs lines, which are counted,
 * and never an answer. Nothing here blocks, throws or waits without end. The descriptor stays open.
 */
export class LineOutput {
  readonly #fd: number;
  readonly #budget: number;
  #waiting: string[] = [];
  #size = 0;
  #writing: Promise<void> | undefined;
  #closed = false;
  /** The last byte written was no newline: the next line starts with one. */
  #torn = false;
  #dropped = 0;

  /** @param budget characters that may wait to be written. */
  constructor(fd: number, budget = BUDGET) {
    this.#fd = fd;
    this.#budget = budget;
  }

  /** Lines lost so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes whole lines, each with its newline. */
  write(lines: string): void {
    if (this.#closed || this.#size + lines.length > this.#budget) {
      this.#dropped += lineEnds(Buffer.from(lines));
      return;
    }
    this.#waiting.push(lines);
    this.#size += lines.length;
    this.#writing ??= this.#drain();
  }

  /** Resolves once what waits is written or lost, after a second at most. Later lines are lost. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.race([this.#writing, sleep(CLOSE_MS)]);
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting.join('');
      this.#waiting = [];
      await this.#writeAll(Buffer.from(this.#torn ? `\n${lines}` : lines));
      this.#size -= lines.length;
    }
    this.#writing = undefined;
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const { code, written } = await writeOnce(this.#fd, rest);
      if (written > 0) this.#torn = rest[written - 1] !== NEWLINE;
      rest = rest.subarray(written);
      if (code === 'EAGAIN') {
        await sleep(RETRY_MS, undefined, { ref: false });
      } else if (code !== undefined) {
        this.#dropped += lineEnds(rest);
        return;
      }
    }
  }
}

function writeOnce(fd: number, bytes: Buffer): Promise<{ code: string | undefined; written: number }> {
  return new Promise((resolve) => {
    write(fd, bytes, (error, written) =>
      resolve({ code: error?.code, written: error === null ? written : 0 }),
    );
  });
}
