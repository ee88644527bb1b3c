/** Work shorter than this shows nothing. */
const QUIET_MS = 1_000;
const EVERY_MS = 200;

/** One line on a terminal that says how far a command is; on anything but a terminal, nothing. For a server that runs it, lines of JSON. */
export class Progress implements Disposable {
  readonly #terminal = process.stderr.isTTY;
  readonly #forServer: boolean;
  #nextAt = Date.now() + QUIET_MS;
  #shown = false;
  #last = '';

  constructor(forServer = false) {
    this.#forServer = forServer;
  }

  show(text: () => string): void {
    if (!this.#terminal || this.#forServer) return;
    const now = Date.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + EVERY_MS;
    this.#shown = true;
    process.stderr.write(`\r\u001b[K${text()}`);
  }

  /**
   * What is being done, and how much of it.
   *
   * @param total 0 where nobody knows
   */
  steps(what: string, done: number, total: number, text: () => string): void {
    this.show(text);
    if (!this.#forServer) return;
    const now = Date.now();
    if (what === this.#last && now < this.#nextAt) return;
    this.#last = what;
    this.#nextAt = now + EVERY_MS;
    process.stderr.write(`${JSON.stringify({ progress: what, done, total })}\n`);
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
