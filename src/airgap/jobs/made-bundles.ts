import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncDirectory, syncFile, writeDurablySync } from '../../store/durable-file.ts';
import type { LeftOut } from './job.ts';

/** A bundle that was made here and waits to be fetched. */
export interface MadeBundle {
  readonly id: string;
  readonly base: string | null;
  readonly compressed: boolean;
  /** Bytes of the file, and its SHA-256 in hex. */
  readonly size: number;
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  /** Name of a principal. */
  readonly by: string;
  readonly zips: number;
  readonly mods: number;
  readonly signatures: number;
  readonly databases: readonly { readonly name: string; readonly size: number; readonly root: string }[];
  readonly leftOut: readonly LeftOut[];
  readonly missing: readonly LeftOut[];
}

export interface MadeOptions {
  readonly data: string;
  /** Bytes of all of them together. */
  readonly mostBytes: number;
  readonly mostAgeMs: number;
  readonly now: () => number;
}

const ID = /^[0-9a-f]{32}$/;

/**
 * `made/` of the data directory: `made/<id>/` is a bundle and what there is to say about it, and gets that name in one step, when both are
 * durable. Everything else in there is a job's, and is removed at the start. Losing one costs that it is made again.
 */
export class MadeBundles {
  readonly #o: MadeOptions;
  readonly #root: string;
  readonly #found = new Map<string, MadeBundle>();

  constructor(options: MadeOptions) {
    this.#o = options;
    this.#root = path.join(options.data, 'made');
  }

  /** How long one stays. */
  get mostAgeMs(): number {
    return this.#o.mostAgeMs;
  }

  /** Reads what is there, and removes what a job that was killed has left. */
  async open(): Promise<void> {
    await mkdir(this.#root, { recursive: true });
    for (const name of readdirSync(this.#root)) {
      const about = ID.test(name) ? readAbout(path.join(this.#root, name, 'about.json')) : undefined;
      if (about?.id === name) this.#found.set(name, about);
      else await rm(path.join(this.#root, name), { recursive: true, force: true });
    }
    await this.prune(0);
  }

  /** A directory for a job alone. */
  async scratch(job: string): Promise<string> {
    const directory = path.join(this.#root, `job-${job}`);
    for (const name of ['in', 'out']) await mkdir(path.join(directory, name), { recursive: true });
    return directory;
  }

  async dropScratch(job: string): Promise<void> {
    await rm(path.join(this.#root, `job-${job}`), { recursive: true, force: true });
  }

  /** Newest first. */
  list(): readonly MadeBundle[] {
    return [...this.#found.values()].sort((a, b) => b.madeAt - a.madeAt || (a.id < b.id ? -1 : 1));
  }

  find(id: string): MadeBundle | undefined {
    return this.#found.get(id);
  }

  /** Where its bytes are. */
  file({ id, compressed }: Pick<MadeBundle, 'id' | 'compressed'>): string {
    return path.join(this.#root, id, fileName(compressed));
  }

  /** Takes over what a job has put into `out/` of its directory. */
  async keep(scratch: string, made: MadeBundle): Promise<void> {
    const out = path.join(scratch, 'out');
    await syncFile(path.join(out, fileName(made.compressed)));
    writeDurablySync(path.join(out, 'about.json'), JSON.stringify(made));
    await syncDirectory(out);
    await this.remove(made.id);
    await rename(out, path.join(this.#root, made.id));
    await syncDirectory(this.#root);
    this.#found.set(made.id, made);
    await this.prune(0);
  }

  /** False where there was none. */
  async remove(id: string): Promise<boolean> {
    if (!this.#found.delete(id)) return false;
    // Its name first, so that a crash leaves none that is half there.
    const gone = path.join(this.#root, `gone-${id}`);
    await rename(path.join(this.#root, id), gone);
    await rm(gone, { recursive: true, force: true });
    return true;
  }

  /**
   * Removes those that are too old, and of the others the oldest until there is room for `bytes` more. The newest one stays whatever its
   * size where no room is asked for: it has only just been made.
   */
  async prune(bytes: number): Promise<void> {
    const { mostBytes, mostAgeMs, now } = this.#o;
    let total = bytes;
    for (const [at, made] of this.list().entries()) {
      total += made.size;
      const isOld = made.madeAt + mostAgeMs < now();
      if (isOld || (total > mostBytes && (at > 0 || bytes > 0))) await this.remove(made.id);
    }
  }
}

export const fileName = (compressed: boolean): string => (compressed ? 'bundle.tar.zst' : 'bundle.tar');

/** Undefined for what is not there, or was damaged. */
function readAbout(file: string): MadeBundle | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as MadeBundle;
  } catch {
    return undefined;
  }
}
