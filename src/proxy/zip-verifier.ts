import { Piscina } from 'piscina';
import { type ErrorCode, GokeepError } from '../errors.ts';
import { threadEntry } from '../thread-entry.ts';
import { Limit } from '../upstream/limit.ts';

/** What a zip turned out to hold. */
export interface VerifiedZip {
  /** `h1:` and base64. */
  readonly h1: string;
}

/** What a zip that somebody publishes is judged by beside its rules. */
export interface InspectedZip extends VerifiedZip {
  /** The content of go.mod in the root. */
  readonly goMod: Buffer | undefined;
  /** The first file whose mode says that it is no regular file. */
  readonly irregular: string | undefined;
}

export interface ZipTask {
  readonly file: string;
  readonly path: string;
  readonly version: string;
  readonly wantsGoMod: boolean;
}

/** Errors lose their class between threads; the worker answers with one of these instead of throwing. */
export type ZipVerdict =
  | (VerifiedZip & { readonly goMod?: Uint8Array | undefined; readonly irregular?: string | undefined })
  | { readonly code: ErrorCode; readonly message: string; readonly detail: string | undefined };

/**
 * Checks and hashes module zips in worker threads: a large zip takes seconds of CPU, and what is inside is
 * attacker-controlled. A worker that dies of it is replaced.
 */
export class ZipVerifier implements AsyncDisposable {
  readonly #pool: Piscina<ZipTask, ZipVerdict>;
  /**
   * As many places as workers. The pool starts no new worker for what waits in its own queue when a worker is killed,
   * so nothing may ever wait there behind another task.
   */
  readonly #places: Limit;
  /** Aborted and replaced when a worker fails that had no task. */
  #workerFailed = new AbortController();

  /** @param idle milliseconds after which a worker that has nothing to do gives its memory back */
  constructor(threads: number, idle = 10_000) {
    this.#pool = new Piscina<ZipTask, ZipVerdict>({
      filename: threadEntry('./zip-worker', import.meta.url).href,
      name: 'verifyZipFile',
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: idle,
      // What it unpacks lies outside of its heap, and is given back when the young generation is collected: a small one.
      resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 4 },
    });
    this.#places = new Limit(threads);
    this.#pool.on('error', (error) => {
      // An idle worker is replaced when it is needed. A task that waited for one to start would wait for ever.
      if (this.#pool.queueSize === 0) return;
      this.#workerFailed.abort(error);
      this.#workerFailed = new AbortController();
    });
  }

  /** Throws bad_zip naming the file and the rule. */
  async verify(file: string, path: string, version: string, signal?: AbortSignal): Promise<VerifiedZip> {
    const { h1 } = await this.#judge({ file, path, version, wantsGoMod: false }, signal);
    return { h1 };
  }

  /** The same, and what stands in it. */
  async inspect(file: string, path: string, version: string, signal?: AbortSignal): Promise<InspectedZip> {
    const { h1, goMod, irregular } = await this.#judge({ file, path, version, wantsGoMod: true }, signal);
    return { h1, goMod: goMod === undefined ? undefined : Buffer.from(goMod), irregular };
  }

  async #judge(task: ZipTask, signal: AbortSignal | undefined) {
    const { path, version } = task;
    let verdict: ZipVerdict;
    try {
      verdict = await this.#run(task, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw new GokeepError(
        'internal',
        `${path}@${version}: its zip could not be checked; see the gokeep log`,
        {
          cause: error,
        },
      );
    }
    if ('code' in verdict) {
      throw new GokeepError(
        verdict.code,
        verdict.message,
        verdict.detail === undefined ? {} : { detail: verdict.detail },
      );
    }
    return verdict;
  }

  async #run(task: ZipTask, signal: AbortSignal | undefined): Promise<ZipVerdict> {
    const leave = await this.#places.enter(signal);
    try {
      const failed = this.#workerFailed.signal;
      return await this.#pool.run(task, {
        signal: signal === undefined ? failed : AbortSignal.any([signal, failed]),
      });
    } finally {
      leave();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}
