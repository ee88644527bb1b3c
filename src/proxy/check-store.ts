import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { GokeepError, hasCode } from '../errors.ts';
import { isPseudoVersion } from '../module/version.ts';
import { h1OfGoMod } from '../modzip/dirhash.ts';
import type { LogReader } from '../store/log-reader.ts';
import type { ModuleStore } from '../store/module-store.ts';
import { setAside, type StoredFile, type StoredModule, storedModules } from '../store/stored-modules.ts';
import type { Finding } from '../sumdb/audit.ts';
import { checkAnswer } from '../upstream/answer-checks.ts';
import type { ZipVerifier } from './zip-verifier.ts';

export interface CheckStoreOptions {
  readonly store: ModuleStore;
  readonly log: LogReader;
  readonly zips: ZipVerifier;
  /** Zips checked at the same time. */
  readonly concurrency: number;
  /**
   * The data directory, to have what is wrong taken out of the store so that it is fetched anew; undefined only looks.
   * With it, no server may be running.
   */
  readonly repairIn: string | undefined;
  /** @param setAside where the file was moved, when it was */
  readonly report: (finding: Finding, setAside: string | undefined) => void;
  /** Files checked so far. */
  readonly progress: (files: number) => void;
}

export interface StoreFacts {
  readonly modules: number;
  readonly files: number;
  /** Files in the store that are none of ours; they are never served, and left alone. */
  readonly strays: readonly string[];
  /** Modules whose `list` lacks versions that are held, as a process leaves it that is killed right after naming a zip. */
  readonly outdatedLists: readonly string[];
}

/** A running server gives a zip its name a moment before it writes the list that names it. */
const LIST_SETTLES_MS = 200;
const MOST_NAMED = 100;

/**
 * Checks every file of the module store against its record: the zip by the rules of a module zip and by its hash, the
 * go.mod by its hash, `.info` (which has no record) by its form and version, `list` by the zips that are held. Nothing is
 * held in memory but the names of one module and what a zip takes.
 */
export async function checkStore(o: CheckStoreOptions): Promise<StoreFacts> {
  return new StoreCheck(o).run();
}

class StoreCheck {
  readonly #o: CheckStoreOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #strays: string[] = [];
  readonly #outdatedLists: string[] = [];
  #modules = 0;
  #files = 0;
  #failure: Error | undefined;

  constructor(options: CheckStoreOptions) {
    this.#o = options;
  }

  async run(): Promise<StoreFacts> {
    for await (const found of storedModules(this.#o.store.root)) {
      this.#strays.push(...found.strays.slice(0, MOST_NAMED - this.#strays.length));
      if (found.path === undefined) continue;
      this.#modules++;
      for (const file of found.files) await this.#start(found.path, file);
      // A repair changes what the list has to say.
      if (this.#o.repairIn !== undefined) await this.#settle();
      await this.#checkList(found);
    }
    await this.#settle();
    return {
      modules: this.#modules,
      files: this.#files,
      strays: this.#strays,
      outdatedLists: this.#outdatedLists,
    };
  }

  /** Begins to check a file as soon as fewer than `concurrency` are under way. */
  async #start(path: string, file: StoredFile): Promise<void> {
    while (this.#underWay.size >= this.#o.concurrency) await Promise.race(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure;
    const work = this.#check(path, file)
      .catch((error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .then(() => void this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async #settle(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #check(path: string, stored: StoredFile): Promise<void> {
    const { kind, version, file } = stored;
    const { repairIn, store, report } = this.#o;
    const subject = fileSubject(kind, path, version);
    let problem: string | undefined;
    try {
      problem = await this.#problem(path, stored);
    } catch (error) {
      // Whether it is damaged is not known, so it stays where it is. A file that is gone was taken out meanwhile.
      if (existsSync(file))
        report({ kind, subject, problem: `cannot be read (${reason(error)})` }, undefined);
      return;
    } finally {
      this.#files++;
      this.#o.progress(this.#files);
    }
    if (problem === undefined) return;
    const to = repairIn === undefined ? undefined : await setAside(repairIn, store.root, file);
    report({ kind, subject, problem }, to);
  }

  /** What is wrong with a file; undefined when nothing is. Throws when it cannot be read. */
  async #problem(path: string, { kind, version, file }: StoredFile): Promise<string | undefined> {
    const { log, zips } = this.#o;
    if (kind === 'info') return infoProblem(path, version, await readFile(file));
    const record = log.find(path, version);
    if (record === undefined) return 'has no record in the log';
    try {
      const h1 =
        kind === 'mod' ? h1OfGoMod(await readFile(file)) : (await zips.verify(file, path, version)).h1;
      return h1 === record[kind] ? undefined : `has ${h1}, its record says ${record[kind]}`;
    } catch (error) {
      if (hasCode(error, 'bad_zip', 'bad_path', 'bad_version')) return `is damaged: ${error.message}`;
      throw error;
    }
  }

  async #checkList(module: StoredModule): Promise<void> {
    const { store, repairIn, report } = this.#o;
    if (!module.list && !module.files.some((f) => f.kind === 'zip' && !isPseudoVersion(f.version))) return;
    const compare = async () => {
      const listed = ((await store.readList(module.path)) ?? '').split('\n');
      const held = (await store.listText(module.path)).split('\n');
      if (listed.join('\n') === held.join('\n')) return 'same';
      return listed.every((version) => held.includes(version)) ? 'lacks some' : 'differs';
    };
    if ((await compare()) === 'same') return;
    await delay(LIST_SETTLES_MS);
    const verdict = await compare();
    if (verdict === 'same') return;
    if (repairIn !== undefined) await store.writeList(module.path);
    if (verdict === 'lacks some') {
      if (this.#outdatedLists.length < MOST_NAMED) this.#outdatedLists.push(module.path);
      return;
    }
    report(
      {
        kind: 'list',
        subject: `the list of ${module.path}`,
        problem: `does not name the versions held${repairIn === undefined ? '' : '; it was written anew'}`,
      },
      undefined,
    );
  }
}

/** A stored file as a finding names it. */
export function fileSubject(kind: StoredFile['kind'], path: string, version: string): string {
  return `the ${kind} of ${path}@${version}`;
}

function infoProblem(path: string, version: string, body: Buffer): string | undefined {
  try {
    checkAnswer({ kind: 'info', path, version }, body, 'the store');
    return undefined;
  } catch (error) {
    if (error instanceof GokeepError) return 'is not the .info of this version';
    throw error;
  }
}

/** The system's own words behind an error. */
function reason(error: unknown): string {
  const lowest = error instanceof GokeepError && error.cause !== undefined ? error.cause : error;
  return lowest instanceof Error ? lowest.message : String(lowest);
}
