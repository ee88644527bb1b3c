import type { LogReader } from '../store/log-reader.ts';
import { headOf, trailPath } from './trail-heads.ts';

/** A head of the trail that the log has recorded, and where. */
export interface HeadOnRecord {
  /** Number of the entry. */
  readonly n: number;
  readonly path: string;
  readonly version: string;
  readonly hash: Buffer;
  /** Number of the record in the log. */
  readonly record: number;
  /** Seconds since 1970; undefined where that is not known. */
  readonly at: number | undefined;
}

/** Where the log has recorded heads of the trail. A year has a hundred thousand of them at most: their numbers are kept in memory. */
export class HeadsOnRecord {
  readonly #log: Pick<LogReader, 'versionsAfter' | 'find' | 'provenance'>;
  readonly #path: string;
  readonly #published: () => number;
  /** Both grow together: a later record is of a later entry. */
  readonly #known: { readonly n: number; readonly version: string; readonly id: number }[] = [];

  /** @param published how many records the published head has */
  constructor(
    log: Pick<LogReader, 'versionsAfter' | 'find' | 'provenance'>,
    logName: string,
    published: () => number,
  ) {
    this.#log = log;
    this.#path = trailPath(logName);
    this.#published = published;
  }

  newest(): HeadOnRecord | undefined {
    this.#look();
    for (const { version } of this.#known.toReversed()) {
      const found = this.#shown(version);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The first one that covers an entry: its own, or that of a later one, which is chained to it. */
  covering(n: number): HeadOnRecord | undefined {
    this.#look();
    let from = 0;
    let to = this.#known.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#known[middle]?.n ?? n) < n) from = middle + 1;
      else to = middle;
    }
    for (const { version } of this.#known.slice(from, from + 10)) {
      const found = this.#shown(version);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #look(): void {
    const size = this.#published();
    for (const { version, id } of this.#log.versionsAfter(this.#path, this.#known.at(-1)?.id ?? -1)) {
      const n = headOf(version);
      if (id < size && n !== undefined && n > (this.#known.at(-1)?.n ?? 0))
        this.#known.push({ n, version, id });
    }
  }

  /** Undefined for the version of a module that had this path before there were trails. */
  #shown(version: string): HeadOnRecord | undefined {
    const record = this.#log.find(this.#path, version);
    const n = headOf(version);
    const provenance = record === undefined ? undefined : this.#log.provenance(record.id);
    if (record === undefined || n === undefined || provenance?.source !== 'audit') return undefined;
    const hash = Buffer.from(record.zip.slice('h1:'.length), 'base64');
    return { n, path: this.#path, version, hash, record: record.id, at: provenance.firstSeen };
  }
}
