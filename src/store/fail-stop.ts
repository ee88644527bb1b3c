/** What a thread writes to, as it is closed. */
export interface Closable {
  /** Moves what the write-ahead log holds into the database's own file. */
  checkpoint(): void;
  close(): void;
}

/**
 * In a thread that writes a database: after a fatal error nothing is written any more, not even what was asked before the
 * thread has ended, and the thread ends instead of trying again. Once fsync has failed, the kernel may report pages as
 * clean that never reached the disk, and a second fsync would claim that they did.
 */
export class FailStop {
  readonly #failureOf: (error: unknown) => Error;
  readonly #isFatal: (failure: Error) => boolean;
  #fatal: Error | undefined;

  /** @param failureOf what is thrown for an error of the database's */
  constructor(failureOf: (error: unknown) => Error, isFatal: (failure: Error) => boolean) {
    this.#failureOf = failureOf;
    this.#isFatal = isFatal;
  }

  run<T>(write: () => T): T {
    this.#check();
    try {
      return write();
    } catch (error) {
      const failure = this.#failureOf(error);
      if (this.#isFatal(failure)) {
        this.#fatal = failure;
        // After the answer to this call is on its way.
        setImmediate(() => process.exit(1));
      }
      throw failure;
    }
  }

  /** @param opened undefined when nothing was opened yet */
  close(opened: Closable | undefined): void {
    this.#check();
    try {
      opened?.checkpoint();
    } catch {
      // A full disk, or somebody who still reads: the write-ahead log keeps everything for the next start.
    }
    opened?.close();
  }

  #check(): void {
    if (this.#fatal !== undefined) throw this.#fatal;
  }
}
