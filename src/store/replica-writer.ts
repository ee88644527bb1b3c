import { GokeepError } from '../errors.ts';
import { HASH_SIZE, parseHash } from '../tlog/hash.ts';
import { tilePath } from '../tlog/tile.ts';
import { type Database, openForReading, storageError } from './database.ts';
import { LogDatabase } from './log-database.ts';
import type { PublishedHead } from './log-reader.ts';
import { REPLICA_OF, SOURCE_CODES } from './log-records.ts';

interface ScratchRecord {
  readonly id: number;
  readonly path: string;
  readonly version: string;
  readonly zip: string;
  readonly mod: string;
}

interface ScratchTile {
  readonly level: number;
  readonly n: number;
  readonly width: number;
  readonly data: Buffer;
}

interface Head {
  readonly size: number;
  readonly root: Buffer;
  readonly note: Buffer | null;
}

/** What one bundle brought. */
export interface Taken {
  /** How many records were not here before. */
  readonly records: number;
  /** The newest head, which covers them. */
  readonly head: PublishedHead;
}

const TILE = 256;
const FULL = TILE * HASH_SIZE;

/** The 32 bytes behind `h1:`. */
function raw(h1: string, of: ScratchRecord): Buffer {
  const hash = h1.startsWith('h1:') ? parseHash(h1.slice('h1:'.length)) : undefined;
  if (hash !== undefined) return hash;
  throw new GokeepError('bad_record', `${of.path}@${of.version}: the bundle's hash is not an h1: hash`);
}

const nameOf = (level: number, n: number, width: number): string => tilePath({ height: 8, level, n, width });

/**
 * The writing half of a replica's log database: a part of the origin's log, as proven bundles brought it. One instance,
 * in a thread of its own or in a command that holds the writer lock.
 *
 * Guarantees: `take` is one immediate transaction in WAL with synchronous=FULL, so it is durable (survives kill -9 and
 * power loss) when it returns, and after it throws, or is killed, nothing of it is there. A record once taken keeps its
 * id and its hashes, a tile only ever grows, and heads only go forward. Trust: what `take` reads was proven by its
 * caller against a head with a good signature; here it is only held against what is already stored.
 */
export class ReplicaWriter extends LogDatabase {
  /** Creates the database where there is none. Throws bad_config, storage_full and storage_failed. */
  constructor(logDatabaseFile: string) {
    super(logDatabaseFile, 'replica');
  }

  /**
   * Takes what the scratch file holds of one database's log. The same bundle again changes nothing.
   *
   * Refuses, changing nothing: mismatch for a record whose module version or id another record has; fork for a tile or a
   * head that contradicts a stored one; bad_proof for a head that is missing or older than the newest here, and where the
   * tiles do not suffice to go on proving what is held; bad_config where the database holds another log.
   *
   * @param database name of the origin's log
   * @param evidence kept with each new record: what it was accepted on
   * @param now milliseconds since 1970
   */
  take(scratchFile: string, database: string, evidence: string, now: number): Taken {
    let scratch: Database | undefined;
    try {
      // A connection of its own, which cannot write: an attached file would share this one's rights.
      const source = (scratch = openForReading(scratchFile));
      const run = this.db.transaction(() => {
        this.#claim(database);
        const head = this.#takeHead(source, database, now);
        const records = this.#takeRecords(source, database, head.size, evidence, now);
        this.#takeTiles(source, database);
        this.#checkPartialTiles(head.size);
        return { records, head };
      });
      return run.immediate();
    } catch (error) {
      throw storageError(error, 'replica: take');
    } finally {
      scratch?.close();
    }
  }

  /** From the first take on the database says whose log it holds a part of. */
  #claim(database: string): void {
    const said = this.db
      .prepare<[string], string>('SELECT value FROM meta WHERE name = ?')
      .pluck()
      .get(REPLICA_OF);
    if (said === database) return;
    const begun = this.db.prepare('SELECT 1 FROM heads LIMIT 1').get() !== undefined;
    if (said !== undefined || begun) {
      throw new GokeepError(
        'bad_config',
        `this data directory holds ${said === undefined ? 'a log of its own' : `a replica of ${said}`}, so nothing of ${database} can be replicated into it; use a new one`,
      );
    }
    this.db.prepare('INSERT INTO meta (name, value) VALUES (?, ?)').run(REPLICA_OF, database);
  }

  #takeHead(scratch: Database, database: string, now: number): PublishedHead {
    const head = scratch
      .prepare<[string], Head>('SELECT size, root, note FROM heads WHERE database = ?')
      .get(database);
    if (head === undefined || head.note === null)
      throw new GokeepError('bad_proof', `the bundle holds no signed head of ${database}`);
    const newest = this.db
      .prepare<[], PublishedHead>(
        'SELECT size, root, note, signed_at AS signedAt FROM heads ORDER BY size DESC LIMIT 1',
      )
      .get();
    if (newest !== undefined && head.size < newest.size) {
      throw new GokeepError(
        'bad_proof',
        `the bundle is older than what is here: its head of ${database} has ${head.size} records, the newest here ${newest.size}`,
      );
    }
    if (newest?.size === head.size) {
      if (newest.root.equals(head.root)) return newest;
      throw new GokeepError(
        'fork',
        `SECURITY: ${database} signed two trees of ${head.size} records that cannot both be true; nothing was imported. Have your security team look into it.`,
        { detail: `roots ${newest.root.toString('base64')} and ${head.root.toString('base64')}` },
      );
    }
    const { size, root, note } = head;
    this.db
      .prepare('INSERT INTO heads (size, root, note, signed_at) VALUES (?, ?, ?, ?)')
      .run(size, root, note, now);
    return { size, root, note, signedAt: now };
  }

  /** How many were new. */
  #takeRecords(scratch: Database, database: string, size: number, evidence: string, now: number): number {
    const rows = scratch.prepare<[string], ScratchRecord>(
      'SELECT id, path, version, zip, mod FROM records WHERE database = ? ORDER BY id',
    );
    const known = this.db.prepare<
      [string, string, number],
      { id: number; path: string; version: string; zip_h1: Buffer; mod_h1: Buffer }
    >('SELECT id, path, version, zip_h1, mod_h1 FROM records WHERE (path = ? AND version = ?) OR id = ?');
    const insert = this.db.prepare(
      `INSERT INTO records (id, path, version, zip_h1, mod_h1, source, first_seen, evidence)
       VALUES (?, ?, ?, ?, ?, ${SOURCE_CODES.replicated}, ?, ?)`,
    );
    const evidenceId = this.evidenceId(evidence);
    let added = 0;
    for (const record of rows.iterate(database)) {
      const { id, path, version } = record;
      if (id < 0 || id >= size)
        throw new GokeepError('bad_proof', `${path}@${version}: the bundle's head does not cover its record`);
      const zip = raw(record.zip, record);
      const mod = raw(record.mod, record);
      const found = known.all(path, version, id);
      for (const other of found) {
        const same = other.id === id && other.path === path && other.version === version;
        if (same && other.zip_h1.equals(zip) && other.mod_h1.equals(mod)) continue;
        throw new GokeepError(
          'mismatch',
          `SECURITY: ${path}@${version} in the bundle is not what is recorded here; nothing was imported. Do not use this bundle until its maker has explained why.`,
          {
            detail: `bundle: record ${id} ${record.zip} ${record.mod}; here: record ${other.id} ${other.path}@${other.version}`,
          },
        );
      }
      if (found.length > 0) continue;
      insert.run(id, path, version, zip, mod, Math.floor(now / 1000), evidenceId);
      added++;
    }
    return added;
  }

  /** Of each tile the widest data there ever was is kept: a narrower one is a prefix of it. */
  #takeTiles(scratch: Database, database: string): void {
    const rows = scratch.prepare<[string], ScratchTile>(
      'SELECT level, n, width, data FROM tiles WHERE database = ?',
    );
    const stored = this.db
      .prepare<[number, number], Buffer>('SELECT data FROM tiles WHERE level = ? AND n = ?')
      .pluck();
    const put = this.db.prepare('INSERT OR REPLACE INTO tiles (level, n, data) VALUES (?, ?, ?)');
    for (const { level, n, width, data } of rows.iterate(database)) {
      if (width < 1 || width > TILE || data.length !== width * HASH_SIZE)
        throw new GokeepError('bad_tile', 'a tile in the bundle has the wrong length');
      const known = stored.get(level, n);
      const both = Math.min(known?.length ?? 0, data.length);
      if (known !== undefined && !known.subarray(0, both).equals(data.subarray(0, both))) {
        throw new GokeepError(
          'fork',
          `SECURITY: the bundle's ${nameOf(level, n, width)} of ${database} contradicts the one that is here; nothing was imported. Have your security team look into it.`,
        );
      }
      if (known === undefined || data.length > known.length) put.run(level, n, data);
    }
  }

  /**
   * Under a new head clients ask for each tile as wide as that head has it. A tile left as narrow as an older head had it
   * could not be given to them, and what it proves could not be proven any more.
   */
  #checkPartialTiles(size: number): void {
    const partial = this.db.prepare<[], { level: number; n: number; bytes: number }>(
      `SELECT level, n, length(data) AS bytes FROM tiles WHERE length(data) < ${FULL}`,
    );
    for (const { level, n, bytes } of partial.iterate()) {
      const width = Math.min(TILE, Math.floor(size / TILE ** level) - n * TILE);
      if (bytes >= width * HASH_SIZE) continue;
      throw new GokeepError(
        'bad_proof',
        `the bundle lacks ${nameOf(level, n, width)} of its tree, without which what is held here could not be proven any more; have it made anew, on top of what was imported here`,
      );
    }
  }
}
