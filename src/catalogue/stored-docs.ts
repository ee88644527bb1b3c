import { Worker } from 'node:worker_threads';
import { GokeepError } from '../errors.ts';
import type { PackageDocs } from '../godoc/package-docs.ts';
import type { ModuleStore } from '../store/module-store.ts';
import { threadEntry } from '../thread-entry.ts';
import type { PackageReader } from './catalogue.ts';
import type { FromDocs, ToDocs } from './docs-thread.ts';

/** The longest that one package may take, in milliseconds. Real ones take some hundredths of a second. */
const LONGEST = 10_000;
/** Who waits for a package at a time. */
const MOST_WAITING = 50;
/** What is kept in memory, in characters, and for how many packages. */
const MOST_KEPT = 32 * 1024 * 1024;
const MOST_PACKAGES = 500;
/** The thread ends when nobody has asked for so long, in milliseconds. */
const IDLE = 60_000;

interface Kept {
  readonly docs: Promise<PackageDocs | undefined>;
  length: number;
}

export interface StoredDocsOptions {
  readonly store: Pick<ModuleStore, 'fileName'>;
  /** For tests. */
  readonly longest?: number;
}

/**
 * Documentation of packages out of the zips of the store, read in a thread of its own, one at a time: what is in a zip may take long, or
 * end the thread, and no request but those for that package notices. A version never changes, so what was read is kept.
 */
export class StoredDocs implements PackageReader, AsyncDisposable {
  readonly #o: StoredDocsOptions;
  /** Least recently used first. */
  readonly #kept = new Map<string, Kept>();
  #length = 0;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(o: StoredDocsOptions) {
    this.#o = o;
  }

  /** Throws bad_path, bad_version, bad_zip, busy, and internal for what takes too long or too much memory. */
  docs(path: string, version: string, directory: string): Promise<PackageDocs | undefined> {
    const zip = this.#o.store.fileName('zip', path, version);
    const within = `${path}@${version}/${directory === '' ? '' : `${directory}/`}`;
    const kept = this.#kept.get(within);
    if (kept !== undefined) {
      this.#kept.delete(within);
      this.#kept.set(within, kept);
      return kept.docs;
    }
    if (this.#closed || this.#waiting >= MOST_WAITING)
      return Promise.reject(new GokeepError('busy', 'too many packages are asked for at a time; try again'));
    const docs = this.#inTurn(within, { zip, directory: within });
    this.#kept.set(within, { docs, length: 0 });
    this.#trim();
    // Whoever asked hears of it.
    docs.catch(() => undefined);
    return docs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    await this.#worker?.terminate();
  }

  async #inTurn(key: string, asked: ToDocs): Promise<PackageDocs | undefined> {
    this.#waiting++;
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    await before;
    try {
      const { docs, length } = await this.#ask(asked);
      const kept = this.#kept.get(key);
      // One that is not held may be, later.
      if (docs === undefined) this.#kept.delete(key);
      else if (kept !== undefined) {
        kept.length = length;
        this.#length += length;
        this.#trim();
      }
      return docs;
    } catch (error) {
      // What the thread could not read once it is not asked for again: it would fail in the same way.
      if (!(error instanceof GokeepError && error.code === 'internal')) this.#kept.delete(key);
      throw error;
    } finally {
      this.#waiting--;
      turn.resolve();
    }
  }

  #trim(): void {
    for (const [key, { length }] of this.#kept) {
      if (this.#length <= MOST_KEPT && this.#kept.size <= MOST_PACKAGES) return;
      if (this.#kept.size === 1) return;
      this.#kept.delete(key);
      this.#length -= length;
    }
  }

  #start(): Worker {
    const worker = new Worker(threadEntry('./docs-thread', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 384 },
    });
    worker.unref();
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }

  async #ask(asked: ToDocs): Promise<{ docs: PackageDocs | undefined; length: number }> {
    clearTimeout(this.#idle);
    if (this.#closed) throw new GokeepError('busy', 'the gokeep server is stopping; try again in a moment');
    const worker = (this.#worker ??= this.#start());
    const found = Promise.withResolvers<FromDocs>();
    const failed = (message: string) => found.resolve({ kind: 'failed', code: 'internal', message });
    const late = setTimeout(() => failed('it takes too long'), this.#o.longest ?? LONGEST);
    const heard = (message: FromDocs) => found.resolve(message);
    const ended = () => failed('its thread ended');
    worker.once('message', heard).once('error', ended).once('exit', ended);
    worker.postMessage(asked);
    const answer = await found.promise;
    clearTimeout(late);
    worker.off('message', heard).off('error', ended).off('exit', ended);
    if (answer.kind === 'failed') {
      if (answer.code !== 'internal') throw new GokeepError(answer.code, answer.message);
      // Whatever it is at, it is not waited for.
      this.#worker = undefined;
      await worker.terminate();
      throw new GokeepError(
        'internal',
        `the documentation of ${asked.directory.slice(0, -1)} cannot be made`,
        {
          cause: new Error(answer.message),
        },
      );
    }
    this.#idle = setTimeout(() => {
      this.#worker = undefined;
      void worker.terminate();
    }, IDLE).unref();
    return answer;
  }
}
