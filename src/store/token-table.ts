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

/** What names a token. */
export type NamedToken = Pick<StoredToken, 'id' | 'name'>;

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
    const add = this.#db.transaction(() => {
      this.#insert(token);
      record();
    });
    try {
      add.immediate();
    } catch (error) {
      throw asStorageError(error, 'tokens');
    }
  }

  /**
   * Revokes the one of this id, or else of this name.
   *
   * @param record what is done before it is in force
   * @returns false where there is none that is not revoked yet
   */
  revoke(idOrName: string, now: number, record: (token: NamedToken) => void): boolean {
    const run = this.#db.transaction(() => {
      const revoked = this.#revoke(idOrName, now);
      if (revoked !== undefined) record(revoked);
      return revoked !== undefined;
    });
    return run.immediate();
  }

  /**
   * As {@link add} and {@link revoke}, for a server, whose record is written in another thread. The transaction is open meanwhile, so
   * there may be one change at a time in a process.
   */
  async addRecorded(token: StoredToken, record: () => Promise<void>): Promise<void> {
    await this.#whileOpen(async () => {
      this.#insert(token);
      await record();
    });
  }

  async revokeRecorded(
    idOrName: string,
    now: number,
    record: (token: NamedToken) => Promise<void>,
  ): Promise<NamedToken | undefined> {
    return this.#whileOpen(async () => {
      const revoked = this.#revoke(idOrName, now);
      if (revoked !== undefined) await record(revoked);
      return revoked;
    });
  }

  async #whileOpen<T>(change: () => Promise<T>): Promise<T> {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const changed = await change();
      this.#db.exec('COMMIT');
      return changed;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw asStorageError(error, 'tokens');
    }
  }

  /** Throws bad_request where the name is in use. */
  #insert(token: StoredToken): void {
    const { id, digest, name, created, expires } = token;
    const lists = [token.read, token.publish, token.admin].map((patterns) => patterns.join(','));
    try {
      this.#db
        .prepare(
          `INSERT INTO tokens (id, digest, name, "read", publish, admin, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(id, digest, name, ...lists, created, expires ?? null);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'SQLITE_CONSTRAINT_UNIQUE')
        throw new GokeepError(
          'bad_request',
          `there is a token named ${name} already; revoke it first, or choose another name`,
          { cause: error },
        );
      throw error;
    }
  }

  /** The one of this id, or else of this name. */
  #revoke(idOrName: string, now: number): NamedToken | undefined {
    const revoke = (column: 'id' | 'name') =>
      this.#db
        .prepare<[number, string], NamedToken>(
          `UPDATE tokens SET revoked = ? WHERE ${column} = ? AND revoked IS NULL RETURNING id, name`,
        )
        .get(now, idOrName);
    return revoke('id') ?? revoke('name');
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
