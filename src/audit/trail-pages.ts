import { setImmediate as turn } from 'node:timers/promises';
import { entryHash, EMPTY_TRAIL, type TrailEntry, type TrailHead } from '../store/trail-entry.ts';
import type { StoredEntry, TrailReader } from '../store/trail-table.ts';
import { filterOf, type TrailFilter } from './trail-filter.ts';
import { parseEntry } from './verify-trail.ts';

/** An entry and what chains it; without the entry where its text is damaged. */
export interface ShownEntry {
  readonly n: number;
  readonly entry: TrailEntry | undefined;
  readonly hash: Buffer;
}

export interface TrailPage {
  /** Newest first. */
  readonly entries: readonly ShownEntry[];
  /** Older ones begin below this number; undefined at the beginning of the trail. */
  readonly next: number | undefined;
}

export interface WholeEntry extends ShownEntry {
  /** The bytes that are hashed. */
  readonly text: string;
  /** The hash that this one was made with; undefined where the entry before is missing. */
  readonly before: Buffer | undefined;
  /** Whether the hash is that of both. */
  readonly isChained: boolean;
}

/** Entries read at once: a millisecond or two, after which others have their turn. */
const STEP = 250;
/** Entries looked at for one page, which is what a filter that fits few may cost. */
const MOST_LOOKED_AT = 20_000;

/** The audit trail for who looks at it, newest first, beside whoever adds to it. */
export class TrailPages {
  readonly #reader: Pick<TrailReader, 'head' | 'before' | 'entry' | 'hashAt'>;

  constructor(reader: Pick<TrailReader, 'head' | 'before' | 'entry' | 'hashAt'>) {
    this.#reader = reader;
  }

  /** Throws storage_failed, as the others do. */
  head(): TrailHead {
    return this.#reader.head();
  }

  /**
   * The newest entries that fit, below a number. Gives up looking after a bounded number of entries: then there are fewer, or none, and
   * `next` says where to go on.
   */
  async page(filter: TrailFilter, below: number | undefined, limit: number): Promise<TrailPage> {
    const fits = filterOf(filter);
    const entries: ShownEntry[] = [];
    let next = below ?? Number.MAX_SAFE_INTEGER;
    for (let looked = 0; looked < MOST_LOOKED_AT; looked += STEP) {
      const rows = this.#reader.before(next, STEP);
      for (const { n, text, hash } of rows) {
        next = n;
        const entry = readable(text);
        if (entry === undefined || fits(entry)) entries.push({ n, entry, hash });
        if (entries.length === limit) return { entries, next: n > 1 ? n : undefined };
      }
      if (rows.length < STEP) return { entries, next: undefined };
      await turn();
    }
    return { entries, next };
  }

  entry(n: number): WholeEntry | undefined {
    const stored: StoredEntry | undefined = this.#reader.entry(n);
    if (stored === undefined) return undefined;
    const { text, hash } = stored;
    const entry = readable(text);
    const before = n === 1 ? EMPTY_TRAIL.hash : (this.#reader.hashAt(n - 1) ?? bridged(entry));
    const isChained = before !== undefined && entryHash(before, text).equals(hash);
    return { n, text, hash, entry, before, isChained };
  }
}

/** Whoever could write the file may have written anything: what is no entry is damaged. */
function readable(text: string): TrailEntry | undefined {
  const entry = parseEntry(text);
  const { n, at, kind, who, from = '', path = '', version = '', facts = {} } = entry ?? {};
  const texts: readonly unknown[] = [at, kind, who, from, path, version];
  const isEntry = Number.isInteger(n) && texts.every((each) => typeof each === 'string');
  return isEntry && typeof facts === 'object' && facts !== null ? entry : undefined;
}

/** What an entry after a gap says that it goes on behind. */
function bridged(entry: TrailEntry | undefined): Buffer | undefined {
  const hash = entry?.kind === 'gap' ? entry.facts?.['hash'] : undefined;
  return typeof hash === 'string' ? Buffer.from(hash, 'base64') : undefined;
}
