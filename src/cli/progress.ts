/** Work shorter than this shows nothing. */
const QUIET_MS = 1_000;
const EVERY_MS = 200;

/** One line on a terminal that says how far a command is; on anything but a terminal, nothing. */
export class Progress implements Disposable {
  readonly #terminal = process.stderr.isTTY;
  #nextAt = Date.now() + QUIET_MS;
  #shown = false;

  show(text: () => string): void {
    if (!this.#terminal) return;
    const now = Date.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + EVERY_MS;
    this.#shown = true;
    process.stderr.write(`\r\u001b[K${text()}`);
  }

  /** Takes the line away, so that something else can be printed. */
  clear(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K');
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}
