import { type Database, storageError } from './database.ts';

/** A signature, as it is stored. */
export interface StoredSignature {
  /** SHA-256 of the bundle, hex. */
  readonly id: string;
  readonly bundle: string;
  /** JSON of what it was found to be; whoever verifies writes and reads it. */
  readonly verdict: string;
  /** Milliseconds since 1970. */
  readonly verifiedAt: number;
}

export interface SignedModule {
  readonly path: string;
  readonly version: string;
}

/** Signatures of one version. */
export interface SignedVersion extends SignedModule {
  readonly signatures: readonly StoredSignature[];
}

/**
 * The signatures of module versions, in the log's database. Written by the thread of the log, or of the replica, alone, read beside it. Each write is
 * durable when it returns. Throws storage_full and storage_failed. Trust: whoever can write the database can make a signature
 * disappear, but `gokeep verify` verifies those that are there once more.
 *
 * A database that no server of this release has opened yet has none of it, which reads as empty.
 */
export class SignatureTable {
  readonly #db: Database;
  readonly #there: boolean;

  constructor(db: Database) {
    this.#db = db;
    this.#there = Number(db.pragma('user_version', { simple: true })) >= 3;
  }

  /** Those of one version, oldest first. */
  of(path: string, version: string): StoredSignature[] {
    if (!this.#there) return [];
    try {
      return this.#db
        .prepare<[string, string], StoredSignature>(
          `SELECT id, bundle, verdict, verified_at AS verifiedAt FROM signatures
           WHERE path = ? AND version = ? ORDER BY verified_at, id`,
        )
        .all(path, version);
    } catch (error) {
      throw storageError(error, 'log database: read');
    }
  }

  /** At most `limit` versions that have some, behind one, in the order of path and version. */
  versionsAfter(path: string, version: string, limit: number): SignedModule[] {
    if (!this.#there) return [];
    try {
      return this.#db
        .prepare<[string, string, number], SignedModule>(
          `SELECT DISTINCT path, version FROM signatures
           WHERE (path, version) > (?, ?) ORDER BY path, version LIMIT ?`,
        )
        .all(path, version, limit);
    } catch (error) {
      throw storageError(error, 'log database: read');
    }
  }

  /** One that is here already stays as it is, but for the verdict where nobody was known to vouch for it. All are kept, or none. */
  keep(versions: readonly SignedVersion[]): void {
    try {
      const insert = this.#db.prepare(
        `INSERT INTO signatures (path, version, id, bundle, verdict, verified_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (path, version, id) DO UPDATE SET verdict = excluded.verdict, verified_at = excluded.verified_at
         WHERE json_valid(signatures.verdict) AND signatures.verdict ->> '$.signer.kind' = 'unknown'
           AND excluded.verdict ->> '$.signer.kind' <> 'unknown'`,
      );
      this.#db
        .transaction(() => {
          for (const { path, version, signatures } of versions)
            for (const { id, bundle, verdict, verifiedAt } of signatures)
              insert.run(path, version, id, bundle, verdict, verifiedAt);
        })
        .immediate();
    } catch (error) {
      throw storageError(error, 'log database: signatures');
    }
  }
}
