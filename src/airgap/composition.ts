import { openScratch } from '../store/scratch.ts';
import type { Database } from '../store/database.ts';
import { sectionOf } from './bundle-path.ts';
import type { Entry } from './entry.ts';
import { formatHeader, END, padding } from './tar.ts';

const TABLES = `
  CREATE TABLE files (section INTEGER, path TEXT, size INTEGER, sha256 TEXT, provenance TEXT, disk TEXT, body BLOB,
                      PRIMARY KEY (section, path)) WITHOUT ROWID;
  CREATE TABLE base (path TEXT PRIMARY KEY, sha256 TEXT) WITHOUT ROWID;
`;

/** A file that goes into a bundle: its bytes lie on disk, or here. */
export interface ComposedFile extends Entry {
  readonly disk: string | null;
  readonly body: Buffer | null;
}

/** What will be in a bundle, and what the bundles before it held. On disk, for one job: memory does not grow with it. */
export class Composition implements Disposable {
  readonly #db: Database;
  readonly #put;
  readonly #putBase;
  readonly #inBase;

  /** @param file a path where nothing lies yet */
  constructor(file: string) {
    this.#db = openScratch(file, TABLES);
    this.#put = this.#db.prepare('INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#putBase = this.#db.prepare('INSERT OR REPLACE INTO base VALUES (?, ?)');
    this.#inBase = this.#db.prepare<[string], string>('SELECT sha256 FROM base WHERE path = ?').pluck();
  }

  add({ path, size, sha256, provenance, disk, body }: ComposedFile): void {
    this.#put.run(sectionOf(path), path, size, sha256, provenance, disk, body);
  }

  /** A file that an earlier bundle of the chain brought. */
  addBase({ path, sha256 }: Pick<Entry, 'path' | 'sha256'>): void {
    this.#putBase.run(path, sha256);
  }

  inBase(path: string): boolean {
    return this.#inBase.get(path) !== undefined;
  }

  /** Paths of the earlier bundles that begin with `prefix`. */
  basePaths(prefix: string): string[] {
    return this.#db
      .prepare<[string, string], string>('SELECT path FROM base WHERE path >= ? AND path < ? ORDER BY path')
      .pluck()
      .all(prefix, `${prefix}\u{10ffff}`);
  }

  has(path: string): boolean {
    return (
      this.#db.prepare('SELECT 1 FROM files WHERE section = ? AND path = ?').get(sectionOf(path), path) !==
      undefined
    );
  }

  /** At most `limit` paths of one section (sectionOf) that come behind one, in order. */
  pathsAfter(section: number, path: string, limit: number): string[] {
    return this.#db
      .prepare<[number, string, number], string>(
        'SELECT path FROM files WHERE section = ? AND path > ? ORDER BY path LIMIT ?',
      )
      .pluck()
      .all(section, path, limit);
  }

  /** SHA-256 of a file that is here, or that an earlier bundle brought. */
  sha256Of(path: string): string | undefined {
    const here = this.#db
      .prepare<[number, string], string>('SELECT sha256 FROM files WHERE section = ? AND path = ?')
      .pluck();
    return here.get(sectionOf(path), path) ?? this.#inBase.get(path);
  }

  /** The bytes of a file that is held here. */
  body(path: string): Buffer | undefined {
    const row = this.#db
      .prepare<[number, string], { body: Buffer | null }>(
        'SELECT body FROM files WHERE section = ? AND path = ?',
      )
      .get(sectionOf(path), path);
    return row?.body ?? undefined;
  }

  /** All files, in the order of a bundle. Nothing else may be done here meanwhile. */
  *files(): Generator<ComposedFile> {
    for (const row of this.#db
      .prepare<[], ComposedFile>(
        'SELECT path, size, sha256, provenance, disk, body FROM files ORDER BY section, path',
      )
      .iterate()) {
      yield row;
    }
  }

  /** How many files, their bytes, and the bytes of the archive that they make without its manifest. */
  totals(): { count: number; bytes: number; archive: number } {
    let count = 0;
    let bytes = 0;
    let archive = END.length;
    for (const file of this.files()) {
      count++;
      bytes += file.size;
      archive += formatHeader({ name: file.path, size: file.size }).length + file.size + padding(file.size);
    }
    return { count, bytes, archive };
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
