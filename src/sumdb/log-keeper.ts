import type { Incident } from '../store/log-records.ts';
import type { SignedVersion } from '../store/signature-table.ts';
import type { SignedHead } from './log-engine.ts';

/** What a server needs of the log behind it, whether it signs that log itself or holds a replica of another's. */
export interface LogKeeper {
  /** The newest published head; undefined in a replica that nothing was imported into. */
  readonly head: SignedHead | undefined;
  /** Keeps signatures of versions that are on record, those of one call all or none. Durable when it resolves. */
  keepSignatures(versions: readonly SignedVersion[]): Promise<void>;
  /** Keeps what was seen of a mismatch. */
  recordIncident(incident: Incident): Promise<void>;
  /** Rejects when the database cannot be written. */
  probe(): Promise<void>;
  /** Milliseconds that the oldest record has waited for a head that covers it. */
  waitingFor(now: number): number;
}
