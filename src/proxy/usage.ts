import { setImmediate as turn } from 'node:timers/promises';
import type { ServedUsage } from '../store/served-usage.ts';

/** A module whose zips were served. */
export interface UsedModule {
  readonly path: string;
  /** To how many clients; those that have no entry of their own any more count as one. */
  readonly clients: number;
  /** How many of its versions. */
  readonly versions: number;
  /** Zips, once for each client. */
  readonly downloads: number;
  /** UTC days since 1970. */
  readonly lastDay: number;
}

/** Somebody to whom zips were served. Names hold what an issuer wrote. */
export interface UsingClient {
  readonly name: string;
  readonly modules: number;
  readonly downloads: number;
  readonly lastDay: number;
}

export interface Usage {
  /** The first day that counts. */
  readonly since: number;
  /** Most used first. */
  readonly modules: readonly UsedModule[];
  readonly clients: readonly UsingClient[];
}

export interface UsageOptions {
  readonly served: ServedUsage;
  /** UTC days since 1970. */
  readonly today: () => number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** The time that is looked at, in days. */
export const USAGE_DAYS = 30;
/** How long an answer is given again. Adding it up may take seconds of small steps. */
const KEPT_MS = 5 * 60_000;
/** Zips that are looked at before others have their turn. */
const STEP = 50;
/** The most used are kept, so that there is something for who may read few of very many. */
const KEPT_MODULES = 5_000;

/** Who uses what, added up on the thread that asks, a little at a time, and at most every few minutes. */
export class UsageCount {
  readonly #o: UsageOptions;
  #last: { readonly at: number; readonly usage: Promise<Usage> } | undefined;

  constructor(options: UsageOptions) {
    this.#o = options;
  }

  /** Rejects with what SQLite throws. */
  usage(): Promise<Usage> {
    const now = this.#o.now();
    if (this.#last === undefined || now - this.#last.at >= KEPT_MS) {
      const last = { at: now, usage: this.#count() };
      this.#last = last;
      last.usage.catch(() => {
        if (this.#last === last) this.#last = undefined;
      });
    }
    return this.#last.usage;
  }

  async #count(): Promise<Usage> {
    const { served, today } = this.#o;
    const since = today() - USAGE_DAYS + 1;
    const modules: UsedModule[] = [];
    const byClient = new Map<number, { modules: number; downloads: number; lastDay: number }>();
    let module = new Module('');
    const endModule = () => {
      if (module.clients.size > 0) modules.push(module.counted());
      for (const n of module.clients) {
        const client = byClient.get(n);
        if (client !== undefined) client.modules++;
      }
      // Sorted seldom: what is beyond the bound twice over is cut.
      if (modules.length >= 2 * KEPT_MODULES) cut(modules);
    };
    let last = { path: '', version: '' };
    for (;;) {
      const zips = served.zipsAfter(last.path, last.version, STEP);
      for (const { n, path } of zips) {
        if (path !== module.path) {
          endModule();
          module = new Module(path);
        }
        const to = served.to(n, since);
        module.add(to);
        for (const { client, last } of to) {
          const known = byClient.get(client) ?? { modules: 0, downloads: 0, lastDay: 0 };
          byClient.set(client, known);
          known.downloads++;
          known.lastDay = Math.max(known.lastDay, last);
        }
      }
      const end = zips.at(-1);
      if (end === undefined || zips.length < STEP) break;
      last = end;
      await turn();
    }
    endModule();
    cut(modules);
    const names = new Map(served.clients().map(({ n, name }) => [n, name]));
    const clients = [...byClient]
      .map(([n, counted]) => ({ name: names.get(n) ?? 'unknown', ...counted }))
      .sort((a, b) => b.downloads - a.downloads || (a.name < b.name ? -1 : 1));
    return { since, modules, clients };
  }
}

class Module {
  readonly path: string;
  readonly clients = new Set<number>();
  #versions = 0;
  #downloads = 0;
  #lastDay = 0;

  constructor(path: string) {
    this.path = path;
  }

  add(to: readonly { client: number; last: number }[]): void {
    if (to.length > 0) this.#versions++;
    this.#downloads += to.length;
    for (const { client, last } of to) {
      this.clients.add(client);
      this.#lastDay = Math.max(this.#lastDay, last);
    }
  }

  counted(): UsedModule {
    return {
      path: this.path,
      clients: this.clients.size,
      versions: this.#versions,
      downloads: this.#downloads,
      lastDay: this.#lastDay,
    };
  }
}

function cut(modules: UsedModule[]): void {
  modules.sort((a, b) => b.clients - a.clients || b.downloads - a.downloads || (a.path < b.path ? -1 : 1));
  modules.length = Math.min(modules.length, KEPT_MODULES);
}
