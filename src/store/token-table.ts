import { chmodSync } from 'node:fs';
import { GokeepError } from '../errors.ts';
import { asStorageError, type Database, openDatabase, openForReading } from './database.ts';

/** A token as it is kept. Times in milliseconds since 1970. */
export interface StoredToken {
  /** Short and not secret. */
  readonly id: string;
  /** Hexadecimal SHA-256 of the token. */
  readonly digest: string;
  /** Unique among those that are not revoked. */
  readonly name: string;
  /** GOPRIVATE patterns. */
  readonly read: readonly string[];
  readonly publish: readonly string[];
  readonly admin: readonly string[];
  readonly created: number;
  readonly expires: number | undefined;
  readonly revoked: number | undefined;
}

interface Row extends Omit<StoredToken, 'read' | 'publish' | 'admin' | 'expires' | 'revoked'> {
  readonly read: string;
  readonly publish: string;
  readonly admin: string;
  readonly expires: number | null;
  readonly revoked: number | null;
}

const split = (list: string): string[] => list.split(',').filter((pattern) => pattern !== '');

/** Makes the database where there is none, so that it can be read. Throws what openDatabase throws. */
export function prepareTokens(file: string): void {
  openTokens(file).close();
}

function openTokens(file: string): Database {
  const db = openDatabase(file, 'access');
  // Names and patterns tell what is private.
  chmodSync(file, 0o600);
  return db;
}

/** Changes tokens, beside a running server too. Every change is durable when it returns. */
export class TokenWriter implements Disposable {
  readonly #db: Database;

  /** Throws bad_config, storage_full, storage_failed. */
  constructor(file: string) {
    this.#db = openTokens(file);
  }

  /**
   * @param record what is done once nothing speaks against the token, before it counts
   * @throws bad_request where the name is in use; what record throws, and then there is no token
   */
  add(token: StoredToken, record: () => void): void {
    const { id, digest, name, created, expires } = token;
    const insert = this.#db.prepare(
      `INSERT INTO tokens (id, digest, name, "read", publish, admin, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const lists = [token.read, token.publish, token.admin].map((patterns) => patterns.join(','));
    const add = this.#db.transaction(() => {
      insert.run(id, digest, name, ...lists, created, expires ?? null);
      record();
    });
    try {
      add.immediate();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'SQLITE_CONSTRAINT_UNIQUE')
        throw new GokeepError(
          'bad_request',
          `there is a token named ${name} already; revoke it first, or choose another name`,
          { cause: error },
        );
      throw asStorageError(error, 'tokens');
    }
  }

  /**
   * Revokes the one of this id, or else of this name.
   *
   * @param record what is done before it is in force
   * @returns false where there is none that is not revoked yet
   */
  revoke(idOrName: string, now: number, record: (token: { id: string; name: string }) => void): boolean {
    const revoke = (column: 'id' | 'name') =>
      this.#db
        .prepare<[number, string], { id: string; name: string }>(
          `UPDATE tokens SET revoked = ? WHERE ${column} = ? AND revoked IS NULL RETURNING id, name`,
        )
        .get(now, idOrName);
    const run = this.#db.transaction(() => {
      const revoked = revoke('id') ?? revoke('name');
      if (revoked !== undefined) record(revoked);
      return revoked !== undefined;
    });
    return run.immediate();
  }

  /** Takes one out as if it had never been. */
  remove(id: string): void {
    this.#db.prepare('DELETE FROM tokens WHERE id = ?').run(id);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

/** Reads tokens, and notices what other processes change. */
export class TokenReader implements Disposable {
  readonly #db: Database;

  constructor(file: string) {
    this.#db = openForReading(file);
  }

  /** A number that differs whenever somebody else has committed a change. Costs microseconds. */
  version(): number {
    return Number(this.#db.pragma('data_version', { simple: true }));
  }

  /** All of them, oldest first. */
  all(): StoredToken[] {
    return this.#db
      .prepare<[], Row>('SELECT * FROM tokens ORDER BY created, id')
      .all()
      .map((row) => ({
        ...row,
        read: split(row.read),
        publish: split(row.publish),
        admin: split(row.admin),
        expires: row.expires ?? undefined,
        revoked: row.revoked ?? undefined,
      }));
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
