import { supportsGraphPruning } from '../modfile/go-version.ts';
import { parseModFile } from '../modfile/mod-file.ts';

/** Modules waiting to be fetched ahead; more are forgotten, since a client will ask for them anyway. */
const LONGEST_QUEUE = 2_000;

export interface PrefetchOptions {
  /** Fetches one go.mod into the store; its failure is of no interest here. */
  readonly fetchMod: (path: string, version: string, signal: AbortSignal) => Promise<Buffer | undefined>;
  /** Unescaped paths that are not fetched ahead: private ones, and those whose go.mod comes with its zip only. */
  readonly leaveAlone: (path: string) => boolean;
  readonly concurrency: number;
}

/**
 * Fetches the go.mod files that a go.mod names before the client asks for them.
 *
 * The go command reads the requirements of a module that predates graph pruning (go below 1.17) all the way down, and
 * of a later one not at all; so only the former are followed, and hardly a file is fetched that nobody asks for (see
 * cmd/go/internal/modload readModGraph). Never a zip; never a private path that a public go.mod names, since the
 * go.mod is its author's word, not the requester's wish.
 */
export class Prefetch {
  readonly #o: PrefetchOptions;
  readonly #queue = new Map<string, { path: string; version: string }>();
  readonly #abort = new AbortController();
  #running = 0;
  /** Files fetched ahead; for the metrics. */
  fetched = 0;

  constructor(options: PrefetchOptions) {
    this.#o = options;
  }

  /** To be called with each go.mod that was just fetched. Returns at once. */
  follow(path: string, goMod: Buffer): void {
    if (this.#o.concurrency === 0 || this.#o.leaveAlone(path)) return;
    let required: readonly { path: string; version: string }[];
    try {
      const file = parseModFile(goMod, { lax: true });
      if (supportsGraphPruning(file.go)) return;
      required = file.require;
    } catch {
      return; // The client will see for itself.
    }
    for (const next of required) {
      if (this.#queue.size >= LONGEST_QUEUE) break;
      if (!this.#o.leaveAlone(next.path)) this.#queue.set(`${next.path}@${next.version}`, next);
    }
    while (this.#running < this.#o.concurrency && this.#queue.size > 0) void this.#work();
  }

  /** Stops everything under way. */
  close(): void {
    this.#queue.clear();
    this.#abort.abort(new Error('shutting down'));
  }

  async #work(): Promise<void> {
    this.#running++;
    for (;;) {
      const next = this.#queue.entries().next().value;
      if (next === undefined || this.#abort.signal.aborted) break;
      const [key, { path, version }] = next;
      this.#queue.delete(key);
      try {
        const goMod = await this.#o.fetchMod(path, version, this.#abort.signal);
        if (goMod === undefined) continue;
        this.fetched++;
        this.follow(path, goMod);
      } catch {
        // Whoever needs it asks for it, and is told why then.
      }
    }
    this.#running--;
  }
}
