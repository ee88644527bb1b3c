import type { Principal } from '../access/principal.ts';
import type { ServedFile } from '../store/served-table.ts';
import { type Client, OTHERS, type ServedNote } from '../store/served-to-table.ts';
import { Recent } from './recent.ts';
import { Today } from './today.ts';
import { WriteBehind } from './write-behind.ts';

/** One file of a module version, with what was noted last: on which day it was served, and to whom, by id. */
export interface ServedMark extends ServedFile {
  /** -1 before the first. */
  day: number;
  to: string;
}

export interface ServedOptions {
  /** Writes them durably. */
  readonly write: (files: readonly ServedNote[]) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A failure that no client sees. */
  readonly onHiddenError: (error: unknown, what: string) => void;
  /** Milliseconds between two writes. */
  readonly every?: number;
}

const WRITE_MS = 5_000;
/** How many notes wait for the disk. */
const WAITING = 10_000;
/** How many are known to be written for today already; what is forgotten of them is written once more. */
const KNOWN = 20_000;
/** A longer name counts as others: an issuer may write what it likes, and it is held in memory with each file. */
const LONGEST_NAME = 300;

/**
 * Which files were served on which day, for `gokeep bundle create --served-since`, and zips to whom, for `gokeep sbom`.
 *
 * Every prepared answer carries a mark of its own, so that one in the hot path costs two comparisons while the same client asks
 * on the same day: see {@link isNoted}. Where several take turns, a zip costs a look-up. A crash loses the last seconds before it.
 */
export class Served {
  readonly #clock: Today;
  readonly #known = new Recent<number>(KNOWN);
  readonly #written: WriteBehind<ServedNote>;

  constructor({ write, now, onHiddenError, every = WRITE_MS }: ServedOptions) {
    this.#clock = new Today(now);
    this.#written = new WriteBehind({
      most: WAITING,
      every,
      write,
      // Of one file, client and day: they say the same.
      merge: (older) => older,
      onHiddenError: (error) => onHiddenError(error, 'remembering what was served'),
    });
  }

  /** UTC days since 1970, at most a second late. */
  get today(): number {
    return this.#clock.day;
  }

  /** Whether the last that was noted of a file is that it was served today, to this one: then there is nothing to do. */
  isNoted(mark: ServedMark, principal: Principal): boolean {
    return mark.day === this.#clock.day && mark.to === principal.id;
  }

  /** Notes that a file was served to somebody today. Its name was checked: the answer was a success. */
  note(mark: ServedMark, principal: Principal): void {
    const day = this.#clock.day;
    const { path, version, kind } = mark;
    const wasToday = mark.day === day;
    mark.day = day;
    mark.to = principal.id;
    if (kind === 'zip') this.#noteZip(mark, clientOf(principal));
    else if (!wasToday) this.#put(`${path}@${version}.${kind}`, { path, version, kind, day });
  }

  #noteZip({ path, version, day }: ServedMark, to: Client): void {
    this.#put(`${path}@${version} ${to.id}`, { path, version, kind: 'zip', day, to });
  }

  #put(key: string, note: ServedNote): void {
    if (this.#known.get(key) === note.day) return;
    this.#known.set(key, note.day);
    this.#written.put(`${note.day} ${key}`, note);
  }

  /** Writes what waits. */
  close(): Promise<void> {
    this.#clock.close();
    return this.#written.close();
  }
}

function clientOf({ id, name }: Principal): Client {
  return name.length > LONGEST_NAME ? OTHERS : { id, name };
}
