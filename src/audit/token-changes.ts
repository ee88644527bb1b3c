import { existsSync } from 'node:fs';
import { type NewToken, type WantedToken, wantedToken } from '../access/new-token.ts';
import { type NamedToken, type StoredToken, TokenReader, TokenWriter } from '../store/token-table.ts';
import type { TokenUses } from '../store/token-use-table.ts';
import type { Actor } from '../store/trail-entry.ts';
import { tokenEnded, tokenMade } from './token-events.ts';
import type { TrailSink } from './trail.ts';

export interface TokenChangesOptions {
  /** The database. */
  readonly file: string;
  readonly trail: TrailSink;
  /** When tokens were used; undefined where that is not known. */
  readonly uses: () => TokenUses | undefined;
  /** What was concluded from tokens may be wrong now. */
  readonly onChanged: () => void;
  readonly now: () => number;
}

/** Tokens, made and revoked by a running server. As for `gokeep token`, first comes the entry in the audit trail, then the change. */
export class TokenChanges {
  readonly #o: TokenChangesOptions;
  /** One at a time: each holds the lock of the database while its entry is written. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TokenChangesOptions) {
    this.#o = options;
  }

  /** Oldest first; none where none was ever made. */
  all(): readonly StoredToken[] {
    if (!existsSync(this.#o.file)) return [];
    using reader = new TokenReader(this.#o.file);
    return reader.all();
  }

  uses(): TokenUses | undefined {
    return this.#o.uses();
  }

  /**
   * Durable when it resolves.
   *
   * @throws bad_request for what cannot be a token, or a name in use; storage_full, storage_failed
   */
  create(wanted: WantedToken, by: Actor): Promise<NewToken> {
    return this.#change(async (writer) => {
      const made = wantedToken(wanted, this.#o.now());
      const { stored } = made;
      await writer.addRecorded(stored, () => this.#o.trail.record({ ...by, ...tokenMade(stored) }));
      return made;
    });
  }

  /**
   * Revokes the one of this id, or else of this name. In force when it resolves.
   *
   * @returns undefined where there is none that is not revoked yet
   * @throws storage_full, storage_failed
   */
  revoke(idOrName: string, by: Actor): Promise<NamedToken | undefined> {
    return this.#change((writer) =>
      writer.revokeRecorded(idOrName, this.#o.now(), (token) =>
        this.#o.trail.record({ ...by, ...tokenEnded('revoked', token) }),
      ),
    );
  }

  #change<T>(change: (writer: TokenWriter) => Promise<T>): Promise<T> {
    const run = this.#last.then(async () => {
      using writer = new TokenWriter(this.#o.file);
      const changed = await change(writer);
      this.#o.onChanged();
      return changed;
    });
    this.#last = run.catch(() => undefined);
    return run;
  }
}
