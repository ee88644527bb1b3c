import { GokeepError } from '../../src/errors.ts';
import { escapePath, escapeVersion } from '../../src/module/escape.ts';
import { signNote } from '../../src/note/note.ts';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { parseVerifier } from '../../src/note/verifier.ts';
import { formatDataTile } from '../../src/tlog/data-tile.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { type Hash, recordHash } from '../../src/tlog/hash.ts';
import { formatRecord } from '../../src/tlog/record.ts';
import { RightEdge } from '../../src/tlog/right-edge.ts';
import { DATA_LEVEL, parseTilePath, type Tile, tilePath } from '../../src/tlog/tile.ts';
import { formatTree } from '../../src/tlog/tree-note.ts';
import type { DatabaseFetch, DatabaseMemory } from '../../src/upstream/checksum-database.ts';
import { StoredLog } from '../tlog/stored-log.ts';

const KEY = generateKey('localhost.localdev/sumdb', Buffer.alloc(32, 1));

/** An h1: hash that is a function of what it is for. */
export function h1(what: string): string {
  return `h1:${recordHash(Buffer.from(what)).toString('base64')}`;
}

/** The module version of record n. */
export function moduleAt(n: number): [path: string, version: string] {
  return [`example.test/Module${n}`, 'v1.0.0'];
}

function notFound(): GokeepError {
  return new GokeepError('not_found', 'not found', { verbatim: 'not found' });
}

/**
 * A checksum database in memory, on our own log code. Honest as it stands; a test makes it lie by wrapping `answer`.
 */
export class FakeDatabase {
  static readonly vkey = KEY.vkey;
  static readonly verifier = parseVerifier(KEY.vkey);
  readonly asked: string[] = [];
  readonly #log = new StoredLog();
  readonly #edge = RightEdge.empty();
  readonly #roots: Hash[] = [this.#edge.root()];
  readonly #texts: Buffer[] = [];
  readonly #ids = new Map<string, number>();
  readonly #notes = new Map<number, Buffer>();
  /** The size of the head that answers carry; everything appended, unless set back. */
  shown = 0;

  static ofSize(size: number): FakeDatabase {
    const database = new FakeDatabase();
    for (let n = 0; n < size; n++) database.add(...moduleAt(n));
    return database;
  }

  add(path: string, version: string, text?: Buffer): number {
    const mod = h1(`${path} ${version} mod`);
    const record = text ?? formatGoSumRecord(path, version, h1(`${path} ${version} zip`), mod);
    const id = this.#texts.push(record) - 1;
    this.#log.append(recordHash(record));
    this.#edge.append(recordHash(record));
    this.#roots.push(this.#edge.root());
    this.#ids.set(`/lookup/${escapePath(path)}@${escapeVersion(version)}`, id);
    this.shown = this.#texts.length;
    return id;
  }

  text(id: number): Buffer {
    return this.#texts[id]!;
  }

  note(size = this.shown): Buffer {
    const known = this.#notes.get(size);
    if (known !== undefined) return known;
    const note = sign(formatTree({ size, root: this.#roots[size]! }));
    this.#notes.set(size, note);
    return note;
  }

  /** Forgets what was asked so far and answers it. */
  takeAsked(): string[] {
    return this.asked.splice(0);
  }

  answer(path: string): Buffer {
    if (path === '/latest') return this.note();
    if (path.startsWith('/tile/')) return this.#tile(parseTilePath(path.slice(1)));
    const id = this.#ids.get(path);
    if (id === undefined) throw notFound();
    return Buffer.concat([formatRecord(id, this.text(id)), this.note()]);
  }

  readonly fetch: DatabaseFetch = async (path, signal, maxBytes) => {
    this.asked.push(path);
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    const data = this.answer(path);
    if (data.length > maxBytes) throw new GokeepError('upstream_failed', 'the answer is too long');
    return Buffer.from(data);
  };

  /** Any width that the log has by now, whatever head it shows: as sum.golang.org does. */
  #tile(tile: Tile): Buffer {
    const span = 256 ** Math.max(tile.level, 0);
    if (tile.n * 256 + tile.width > Math.floor(this.#texts.length / span)) throw notFound();
    if (tile.level !== DATA_LEVEL) return this.#log.tileData(tile);
    return formatDataTile(this.#texts.slice(tile.n * 256, tile.n * 256 + tile.width));
  }
}

export function sign(text: string): Buffer {
  return signNote(text, [parseSigner(KEY.skey)]);
}

/** A memory that forgets with the process. */
export class MapMemory implements DatabaseMemory {
  note: Buffer | undefined;
  /** Every keepTile, in order. */
  readonly keptTiles: string[] = [];
  readonly tiles = new Map<string, Buffer>();
  readonly lookups = new Map<string, Buffer>();

  async latest(): Promise<Buffer | undefined> {
    return this.note;
  }
  async advance(from: Buffer | undefined, to: Buffer): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.note === undefined ? from !== undefined : from?.equals(this.note) !== true) return false;
    this.note = to;
    return true;
  }
  async tile(tile: Tile): Promise<Buffer | undefined> {
    return this.tiles.get(tilePath(tile));
  }
  async keepTile(tile: Tile, data: Buffer): Promise<void> {
    this.keptTiles.push(tilePath(tile));
    this.tiles.set(tilePath(tile), Buffer.from(data));
  }
  async lookup(path: string, version: string): Promise<Buffer | undefined> {
    return this.lookups.get(`${path}@${version}`);
  }
  async keepLookup(path: string, version: string, body: Buffer): Promise<void> {
    this.lookups.set(`${path}@${version}`, Buffer.from(body));
  }
}
