import { GokeepError } from '../errors.ts';
import { KEY_HASH_SIZE, type Note, openNote, signatureLine } from '../note/note.ts';
import type { Verifier } from '../note/verifier.ts';
import { EMPTY_ROOT, type Hash } from '../tlog/hash.ts';
import { proveTree } from '../tlog/proof.ts';
import { type TileReader, tileHashReader } from '../tlog/tile-reader.ts';
import { treeHash } from '../tlog/tree.ts';
import { parseTree, type TreeHead } from '../tlog/tree-note.ts';
import type { DatabaseMemory } from './database-memory.ts';

/** A tree head and the note that its database signed. */
export interface SignedHead {
  readonly head: TreeHead;
  readonly note: Buffer;
}

/** Two notes signed by one database that cannot both be true, and why: for a person to publish. */
export interface ForkEvidence {
  readonly older: Buffer;
  readonly newer: Buffer;
  readonly proof: {
    /** The root that the newer tree has for the older one's size; not the one the older note claims. */
    readonly root: Hash;
    /** Proves `root` to be how the newer tree began: tlog `checkTree`. Empty where both sizes are the same. */
    readonly hashes: readonly Hash[];
  };
}

const MAX_NOTE = 1_000_000;
/** Heads known to lie on the timeline: lookups are cached on the way and carry many different old ones. */
const MAX_PLACED = 1024;
const MAX_ATTEMPTS = 100;

/**
 * All the signed heads of one database that we have seen: one timeline, which only grows.
 *
 * Anything signed that does not lie on it is a fork; from then on the timeline is frozen.
 */
export class DatabaseTimeline {
  readonly #verifier: Verifier;
  readonly #memory: DatabaseMemory;
  readonly #onFork: (evidence: ForkEvidence) => void;
  readonly #placed = new Set<string>();
  #loading: Promise<void> | undefined;
  #newest: SignedHead | undefined;
  /** What the memory holds, as far as we know: the `from` of its compare-and-swap. */
  #stored: Buffer | undefined;
  #persisting: Promise<void> = Promise.resolve();
  #frozen: boolean;

  constructor(
    verifier: Verifier,
    memory: DatabaseMemory,
    onFork: (evidence: ForkEvidence) => void,
    frozen: boolean,
  ) {
    this.#verifier = verifier;
    this.#memory = memory;
    this.#onFork = onFork;
    this.#frozen = frozen;
  }

  /** Throws `fork` once the timeline is frozen. */
  checkFrozen(): void {
    if (!this.#frozen) return;
    throw new GokeepError(
      'fork',
      `the checksum database ${this.#verifier.name} has signed two histories that contradict each other: nothing it says is believed until an administrator has looked into it`,
    );
  }

  /** The newest head seen, in this process or before. */
  async newest(): Promise<SignedHead | undefined> {
    this.checkFrozen();
    this.#loading ??= this.#load();
    try {
      await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
    return this.#newest;
  }

  /**
   * Opens a note and answers it without what its database did not sign: throws `bad_note` unless it is this database's
   * and holds a tree head.
   */
  open(note: Buffer): SignedHead {
    if (note.length > MAX_NOTE)
      throw new GokeepError('bad_note', 'the note of the checksum database is too long');
    const opened = openNote(note, [this.#verifier]);
    return { head: parseTree(opened.text), note: withoutUnverified(opened) };
  }

  /**
   * Places a note on the timeline and answers the newest head, which is then durable (x/mod Client.mergeLatest).
   *
   * Throws `bad_note`, `bad_tile` where the tiles do not prove it, whatever reading tiles throws, and `fork`.
   */
  async merge(note: Buffer, tiles: TileReader): Promise<SignedHead> {
    const given = this.open(note);
    await this.newest();
    await this.#place(given, tiles);
    const turn = this.#persisting.then(() => this.#persist(tiles));
    this.#persisting = turn.catch(() => {});
    await turn;
    this.checkFrozen();
    return this.#newest ?? given;
  }

  async #load(): Promise<void> {
    const note = await this.#memory.latest();
    if (note === undefined) return;
    const stored = this.open(note);
    this.#stored = note;
    this.#newest = stored;
    this.#remember(stored.head);
  }

  async #place(given: SignedHead, tiles: TileReader): Promise<void> {
    for (;;) {
      this.checkFrozen();
      const newest = this.#newest;
      if (newest !== undefined && given.head.size <= newest.head.size) {
        // Heads that were placed stay placed: what grows later has been proven to grow from the newest.
        if (!this.#placed.has(key(given.head))) await this.#checkTrees(given, newest, tiles);
        this.#remember(given.head);
        return;
      }
      if (newest !== undefined) await this.#checkTrees(newest, given, tiles);
      // Tiles were fetched meanwhile, and another request may have moved the newest head.
      if (this.#newest !== newest) continue;
      this.#newest = given;
      this.#remember(given.head);
      return;
    }
  }

  /** Throws `fork` unless the older tree is how the newer one began. */
  async #checkTrees(older: SignedHead, newer: SignedHead, tiles: TileReader): Promise<void> {
    if (older.head.size === newer.head.size) {
      // Two signatures over two roots need no tiles to contradict each other.
      if (!older.head.root.equals(newer.head.root)) this.#fork(older, newer, newer.head.root, []);
      return;
    }
    if (older.head.size === 0) {
      if (!older.head.root.equals(EMPTY_ROOT)) this.#fork(older, newer, EMPTY_ROOT, []);
      return;
    }
    const reader = tileHashReader(newer.head, tiles);
    const root = await treeHash(older.head.size, reader);
    if (root.equals(older.head.root)) return;
    this.#fork(older, newer, root, await proveTree(newer.head.size, older.head.size, reader));
  }

  #fork(older: SignedHead, newer: SignedHead, root: Hash, hashes: readonly Hash[]): never {
    const first = !this.#frozen;
    this.#frozen = true;
    if (first) this.#onFork({ older: older.note, newer: newer.note, proof: { root, hashes } });
    this.checkFrozen();
    throw new GokeepError('internal', 'a fork did not freeze its timeline');
  }

  /** One at a time. Another process may write the same memory; what it wrote has to lie on our timeline. */
  async #persist(tiles: TileReader): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      this.checkFrozen();
      const newest = this.#newest;
      if (newest === undefined || this.#stored?.equals(newest.note) === true) return;
      if (await this.#memory.advance(this.#stored, newest.note)) {
        this.#stored = newest.note;
        continue;
      }
      this.#stored = await this.#memory.latest();
      if (this.#stored !== undefined) await this.#place(this.open(this.#stored), tiles);
    }
    throw new GokeepError(
      'busy',
      'the newest head of the checksum database changes too fast to be kept: try again',
    );
  }

  #remember(head: TreeHead): void {
    if (this.#placed.size >= MAX_PLACED) this.#placed.clear();
    this.#placed.add(key(head));
  }
}

/**
 * Whoever stands between the database and us may add 100 lines and a megabyte: a note is kept for ever, and with every
 * lookup once more.
 */
function withoutUnverified({ text, signatures }: Note): Buffer {
  const lines = signatures.map(({ name, keyHash, base64 }) =>
    signatureLine(name, keyHash, Buffer.from(base64, 'base64').subarray(KEY_HASH_SIZE)),
  );
  return Buffer.from(`${text}\n${lines.join('')}`);
}

function key(head: TreeHead): string {
  return `${head.size} ${head.root.toString('base64')}`;
}
