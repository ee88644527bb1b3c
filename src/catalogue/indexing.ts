import { GokeepError, hasCode } from '../errors.ts';
import { newest } from '../module/newest.ts';
import { isPseudoVersion, pseudoVersionTime } from '../module/version.ts';
import {
  type CatalogueTable,
  type KnownVersion,
  LEFT_ALONE,
  type StoredFacts,
} from '../store/catalogue-table.ts';
import type { ModuleStore } from '../store/module-store.ts';
import { storedModules } from '../store/stored-modules.ts';
import { openZipFile } from '../store/zip-file.ts';
import { readFacts } from './facts.ts';

export interface IndexingOptions {
  readonly table: CatalogueTable;
  readonly store: ModuleStore;
  /** Told once of each zip that cannot be read; the catalogue holds what is known without. */
  readonly onSkipped: (path: string, version: string, reason: string) => void;
  /** Called between steps, with the milliseconds that the last one took. */
  readonly rest: (took: number) => Promise<void>;
  /** Once true, nothing more is begun. */
  readonly isStopped: () => boolean;
}

interface Due {
  readonly path: string;
  readonly version: string;
  readonly size: number;
  readonly time: number | undefined;
  readonly wasBegun: boolean;
}

/** Versions written in one transaction. */
const STEP = 50;
/** Each time before, whoever read it ended without an answer. */
const MOST_ATTEMPTS = 3;
/** What waits to be looked at; whoever puts more in has the whole store compared. */
export const MOST_WAITING = 10_000;
const MOST_KNOWN_INFO = 64 * 1024;

/**
 * Brings the catalogue in line with the store, in small steps that may be interrupted anywhere. Memory is bounded by the
 * number of modules, and by the versions of one.
 */
export class Indexing {
  readonly #o: IndexingOptions;
  #due: Due[] = [];
  readonly #waiting = new Map<string, Set<string>>();
  #overflown = false;

  constructor(o: IndexingOptions) {
    this.#o = o;
  }

  /** Has one version looked at with the next step. */
  add(path: string, version: string): void {
    if (this.#waiting.size >= MOST_WAITING) {
      this.#overflown = true;
      return;
    }
    const versions = this.#waiting.get(path);
    if (versions === undefined) this.#waiting.set(path, new Set([version]));
    else versions.add(version);
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0 && !this.#overflown;
  }

  /** Looks at what was added, and at everything where that was too much. */
  async catchUp(): Promise<void> {
    while (!this.isIdle && !this.#o.isStopped()) {
      if (this.#overflown) {
        this.#overflown = false;
        this.#waiting.clear();
        await this.compareAll();
      } else await this.#takeWaiting();
    }
  }

  /** Compares all of it with all of the store. */
  async compareAll(): Promise<void> {
    const { store, table, isStopped } = this.#o;
    const seen = new Set<string>();
    for await (const { path, ...stored } of storedModules(store.root)) {
      if (isStopped()) return;
      if (path === undefined || !('files' in stored)) continue;
      const zips = stored.files.filter(({ kind }) => kind === 'zip').map(({ version }) => version);
      if (zips.length === 0) continue;
      seen.add(path);
      const infos = new Set(stored.files.filter(({ kind }) => kind === 'info').map(({ version }) => version));
      await this.#compare(path, zips, infos);
      await this.#step(STEP);
    }
    await this.#step(1);
    for (let after = ''; ; ) {
      const page = table.pathsAfter(after, 1000);
      // One that came while the others were walked through is there.
      for (const path of page)
        if (!seen.has(path)) await this.#compare(path, await store.heldVersions('zip', path), new Set());
      const last = page.at(-1);
      if (last === undefined || isStopped()) return;
      after = last;
      await this.#step(1);
    }
  }

  async #takeWaiting(): Promise<void> {
    const { table, store } = this.#o;
    for (const [path, versions] of [...this.#waiting].slice(0, STEP)) {
      this.#waiting.delete(path);
      const known = new Map(table.known(path).map((each) => [each.version, each]));
      for (const version of versions) {
        if ((await store.size('zip', path, version)) === undefined) continue;
        await this.#see(path, version, known.get(version), true);
        await this.#step(STEP, false);
      }
    }
    await this.#step(1, false);
  }

  /** @param infos versions of which there is an `.info` */
  async #compare(path: string, held: readonly string[], infos: ReadonlySet<string>): Promise<void> {
    const known = new Map(this.#o.table.known(path).map((each) => [each.version, each]));
    const isHeld = new Set(held);
    const gone = [...known.keys()].filter((version) => !isHeld.has(version));
    if (gone.length > 0) {
      this.#o.table.inOne(() => {
        for (const version of gone) this.#o.table.remove(path, version);
      });
    }
    // What is shown is read first, and so only once.
    const first = newest(held);
    for (const version of [...held].sort((a, b) => Number(b === first) - Number(a === first))) {
      if (this.#o.isStopped()) return;
      await this.#see(path, version, known.get(version), infos.has(version));
      await this.#step(STEP);
    }
  }

  /** Puts a version that something is not known of among those that are due. */
  async #see(
    path: string,
    version: string,
    known: KnownVersion | undefined,
    hasInfo: boolean,
  ): Promise<void> {
    const size = this.#o.store.sizeNow('zip', path, version);
    if (size === undefined) return;
    const isSame = known?.size === size;
    const isTimed = known !== undefined && (known.time !== null || !hasInfo);
    if (isSame && isTimed && (known.read === 1 || known.attempts >= LEFT_ALONE)) return;
    const time = await this.#timeOf(path, version, hasInfo);
    if (isSame && known.attempts >= MOST_ATTEMPTS && known.attempts < LEFT_ALONE && known.read === 0) {
      this.#leaveAlone(path, version, 'whoever read it ended without an answer');
      return;
    }
    const wasBegun = isSame && known.attempts > 0;
    if (isSame && (known.read === 1 || known.attempts >= LEFT_ALONE)) {
      if (time !== undefined) this.#o.table.inOne(() => this.#o.table.note(path, { version, size, time }));
      return;
    }
    // Alone, so that it cannot be another's fault.
    if (wasBegun) await this.#step(1);
    this.#due.push({ path, version, size, time, wasBegun });
    if (wasBegun) await this.#step(1);
  }

  /** Reads the zips that are due, once there are so many. */
  async #step(from: number, takesWaiting = true): Promise<void> {
    if (this.#due.length >= from && this.#due.length > 0) {
      const begun = performance.now();
      const due = this.#due;
      this.#due = [];
      await this.#read(due);
      await this.#o.rest(performance.now() - begun);
    }
    if (takesWaiting && this.#waiting.size > 0 && !this.#overflown && this.#due.length === 0)
      await this.#takeWaiting();
  }

  async #read(due: readonly Due[]): Promise<void> {
    const { table, isStopped } = this.#o;
    table.inOne(() => {
      for (const { path, version, size, time } of due) {
        table.note(path, { version, size, time });
        table.begin(path, version);
      }
    });
    const read: { path: string; version: string; facts: StoredFacts }[] = [];
    const unread: Due[] = [];
    for (const each of due) {
      const facts = isStopped() ? undefined : await this.#factsOf(each);
      if (facts === undefined) unread.push(each);
      else if (facts !== 'bad') read.push({ ...each, facts });
    }
    table.inOne(() => {
      for (const { path, version, facts } of read) table.setFacts(path, version, facts);
      for (const { path, version } of unread) table.begin(path, version, -1);
    });
  }

  async #factsOf({ path, version }: Due): Promise<StoredFacts | 'bad' | undefined> {
    await using zip = await openZipFile(this.#o.store.fileName('zip', path, version));
    if (zip === undefined) return undefined;
    try {
      return await readFacts(zip, path, version);
    } catch (error) {
      if (hasCode(error, 'bad_zip')) {
        this.#leaveAlone(path, version, error.message);
        return 'bad';
      }
      if (!(error instanceof Error && 'code' in error)) throw error;
      // A file that the disk does not give is tried again at the next start.
      this.#o.onSkipped(path, version, error.message);
      return undefined;
    }
  }

  #leaveAlone(path: string, version: string, reason: string): void {
    this.#o.table.inOne(() => this.#o.table.begin(path, version, LEFT_ALONE));
    this.#o.onSkipped(path, version, reason);
  }

  /** When a version was made, as its `.info` says, or, which is the same, its own name. */
  async #timeOf(path: string, version: string, hasInfo: boolean): Promise<number | undefined> {
    const { store } = this.#o;
    if (hasInfo && ((await store.size('info', path, version)) ?? 0) <= MOST_KNOWN_INFO) {
      const time = timeIn(await store.read('info', path, version));
      if (time !== undefined) return time;
    }
    try {
      return isPseudoVersion(version) ? pseudoVersionTime(version).getTime() : undefined;
    } catch (error) {
      if (error instanceof GokeepError) return undefined;
      throw error;
    }
  }
}

function timeIn(info: Buffer | undefined): number | undefined {
  try {
    const said = info === undefined ? undefined : (JSON.parse(info.toString()) as unknown);
    const time = typeof said === 'object' && said !== null && 'Time' in said ? said.Time : undefined;
    const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
    return Number.isNaN(at) ? undefined : at;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
