import { GokeepError, hasCode } from '../errors.ts';
import { openNote } from '../note/note.ts';
import { parseVerifier, type Verifier } from '../note/verifier.ts';
import { openDatabase, openForReading, storageError } from '../store/database.ts';
import { LogReader } from '../store/log-reader.ts';
import type { Incident } from '../store/log-records.ts';
import type { ReplicaOperations, ReplicaThreadData } from '../store/replica-thread.ts';
import type { SignedVersion } from '../store/signature-table.ts';
import { Thread } from '../store/thread.ts';
import { threadEntry } from '../thread-entry.ts';
import { parseTree } from '../tlog/tree-note.ts';
import type { SignedHead } from './log-engine.ts';
import type { LogKeeper } from './log-keeper.ts';

export interface ReplicaLogOptions {
  /** Path of the log database; made where there is none. */
  readonly database: string;
  /** Verifier key of the origin's log. */
  readonly vkey: string;
  /** Another head is the newest: what was answered under the one before is out of date. */
  readonly onHead?: (head: SignedHead) => void;
  /** The database can no longer be written by this process: it has to end. */
  readonly onFatal: (error: Error) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * A replica of the origin's log, without its key: what bundles brought of it, under heads that the origin signed.
 *
 * No record is ever added to it but by {@link take}. One process at a time: whoever opens it holds the writer lock.
 */
export class ReplicaLog implements LogKeeper, AsyncDisposable {
  /** Name of the origin's log. */
  readonly name: string;
  readonly vkey: string;
  /** For reading what was taken. */
  readonly reader: LogReader;
  readonly #o: ReplicaLogOptions;
  readonly #verifier: Verifier;
  readonly #thread: Thread<ReplicaOperations>;
  #head: SignedHead | undefined;
  #ended: Error | undefined;

  /** Throws bad_config for a database that holds another log, bad_key, and what opening a database throws. */
  constructor(options: ReplicaLogOptions) {
    this.#o = options;
    this.vkey = options.vkey;
    this.#verifier = parseVerifier(options.vkey);
    this.name = this.#verifier.name;
    openDatabase(options.database, 'log').close();
    this.reader = new LogReader(options.database);
    try {
      this.#readHead();
    } catch (error) {
      this.reader.close();
      throw error;
    }
    const data: ReplicaThreadData = { database: options.database };
    const entry = threadEntry('../store/replica-thread', import.meta.url);
    this.#thread = new Thread<ReplicaOperations>(entry, data, (error) => {
      this.#ended = error;
      options.onFatal(error);
    });
  }

  /**
   * Takes what a bundle brought of this log and was proven: see ReplicaWriter.take, which says what is refused. Durable,
   * and served, when this resolves. Module files follow at once; until then, and after a kill between until the bundle is taken
   * again, they are 404 like all that is not held.
   *
   * Throws bad_note too: for a head that this log's key did not sign, or that says something else than it is stored as.
   */
  async take(scratchFile: string, evidence: string): Promise<{ records: number; head: SignedHead }> {
    this.#checkHead(scratchFile);
    const now = (this.#o.now ?? Date.now)();
    const { records } = await this.#thread.call('take', {
      scratchFile,
      database: this.name,
      evidence,
      now,
    });
    this.refresh();
    if (this.#head === undefined) throw new GokeepError('internal', 'the head that was taken is not there');
    return { records, head: this.#head };
  }

  /** Reads the newest head anew, as after a take by another instance. */
  refresh(): void {
    const before = this.#head;
    this.#readHead();
    if (this.#head !== undefined && this.#head.size !== before?.size) this.#o.onHead?.(this.#head);
  }

  get head(): SignedHead | undefined {
    return this.#head;
  }

  /** The newest head. Throws not_stored before the first import. */
  requireHead(): SignedHead {
    if (this.#head !== undefined) return this.#head;
    throw new GokeepError(
      'not_stored',
      `nothing was imported into this replica of ${this.name} yet. Ask its operator to import a bundle.`,
    );
  }

  keepSignatures(versions: readonly SignedVersion[]): Promise<void> {
    return this.#thread.call('signatures', versions);
  }

  recordIncident(incident: Incident): Promise<void> {
    return this.#thread.call('incident', incident);
  }

  async probe(): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    await this.#thread.call('probe', null);
  }

  /** Nothing waits: a record comes with the head that covers it. */
  waitingFor(): number {
    return 0;
  }

  /** Waits for what is under way, then closes the database. */
  async close(): Promise<void> {
    this.reader.close();
    if (this.#ended === undefined) await this.#thread.call('close', null);
    await this.#thread.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #readHead(): void {
    const head = this.reader.publishedHead();
    if (head === undefined) return;
    const of = this.reader.replicaOf();
    if (of !== this.name) {
      throw new GokeepError(
        'bad_config',
        `the data directory holds ${of === undefined ? 'a log of its own' : `a replica of ${of}`}, not one of ${this.name}; set data to another directory`,
      );
    }
    try {
      this.#checkSigned(head.note, head);
    } catch (error) {
      if (!hasCode(error, 'bad_note')) throw error;
      throw new GokeepError(
        'bad_config',
        `the newest head in the data directory was not signed by the key that bundles.trust names: ${error.message}`,
        { cause: error },
      );
    }
    this.#head = head;
  }

  /** The head that is about to be taken, while nothing is changed yet: it would be served for ever. */
  #checkHead(scratchFile: string): void {
    let head: { size: number; root: Buffer; note: Buffer } | undefined;
    try {
      const scratch = openForReading(scratchFile);
      try {
        head = scratch
          .prepare<[string], { size: number; root: Buffer; note: Buffer }>(
            'SELECT size, root, note FROM heads WHERE database = ?',
          )
          .get(this.name);
      } finally {
        scratch.close();
      }
    } catch (error) {
      throw storageError(error, `replica: ${scratchFile}`);
    }
    if (head === undefined)
      throw new GokeepError('bad_proof', `the bundle holds no signed head of ${this.name}`);
    this.#checkSigned(head.note, head);
  }

  #checkSigned(note: Buffer, { size, root }: { size: number; root: Buffer }): void {
    const signed = parseTree(openNote(note, [this.#verifier]).text);
    if (signed.size === size && signed.root.equals(root)) return;
    throw new GokeepError('bad_note', `a head of ${this.name} is not the tree that its signature is for`);
  }
}
