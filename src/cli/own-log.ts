import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { trailPath } from '../audit/trail-heads.ts';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import type { HostedTables } from '../store/hosted-tables.ts';
import type { SignatureTable } from '../store/signature-table.ts';
import { LogReader } from '../store/log-reader.ts';
import { lockMark } from '../store/process-lock.ts';
import { noteKeyUse, openKeyFile } from '../sumdb/key-file.ts';
import type { LogKeeper } from '../sumdb/log-keeper.ts';
import { DatabaseReader } from '../sumdb/reader.ts';
import type { ReplicaLog } from '../sumdb/replica-log.ts';
import { Sequencer } from '../sumdb/sequencer.ts';
import { LOG_DATABASE } from './data-files.ts';

/** The checksum database that a server answers from, whoever signs it. */
export interface ServedLog extends AsyncDisposable {
  readonly name: string;
  /** Verifier key, for GOSUMDB. */
  readonly vkey: string;
  readonly reader: DatabaseReader;
  /** What was published here and what was yanked. */
  readonly hosted: HostedTables;
  readonly signatures: SignatureTable;
  readonly keeper: LogKeeper;
  /** What adds to it; undefined where nothing can. */
  readonly sequencer: Sequencer | undefined;
  /** What imports into it; undefined where the log is our own. */
  readonly replica: ReplicaLog | undefined;
  /** Words for the operator; shown once at the start. */
  readonly warnings: readonly string[];
}

/**
 * The log that this server signs: its key, made on the first start, its writer and its reader.
 *
 * Throws bad_config for what an operator has to mend, log_frozen when the log refuses to sign.
 */
export async function openOwnLog(config: Config, onFatal: (error: Error) => void): Promise<ServedLog> {
  await using cleanup = new AsyncDisposableStack();
  cleanup.use(lockMark(config.sumdb.mark, config.data));
  const database = path.join(config.data, LOG_DATABASE);
  refuseReplica(database);
  const key = openKeyFile(config.sumdb.key, config.sumdb.name, randomBytes(36), process.getuid?.());
  const sequencer = new Sequencer(
    { database, mark: config.sumdb.mark, skey: key.skey, keyWasUsed: !key.unused },
    { onHead: () => undefined, onFatal },
    trailPath(key.name),
  );
  cleanup.defer(() => sequencer.close());
  const firstHead = await sequencer.start();
  const useNoted = noteKeyUse(config.sumdb.key, key);
  const logReader = new LogReader(database);
  cleanup.defer(() => logReader.close());
  const resources = cleanup.move();
  return {
    name: key.name,
    vkey: key.vkey,
    reader: new DatabaseReader(logReader, () => sequencer.head ?? firstHead),
    hosted: logReader.hosted,
    signatures: logReader.signatures,
    keeper: sequencer,
    sequencer,
    replica: undefined,
    warnings: warningsFor(config, useNoted),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Before a key is made: a replica is another's log, which must never be signed here. */
function refuseReplica(database: string): void {
  let name: string | undefined;
  try {
    using log = new LogReader(database);
    name = log.replicaOf();
  } catch {
    // There is no database yet, or one that the log's own thread has more to say about.
    return;
  }
  if (name === undefined) return;
  throw new GokeepError(
    'bad_config',
    `the data directory holds a replica of ${name}, which cannot be signed here: set replica = true, or data to another directory`,
  );
}

function warningsFor(config: Config, keyUseNoted: boolean): string[] {
  const warnings: string[] = [];
  if (!keyUseNoted) {
    warnings.push(
      'sumdb.key cannot be written, so it still says `unused`: take that line out of it, so that the loss of database and mark together is noticed',
    );
  }
  if (path.dirname(config.sumdb.mark) === config.data) {
    warnings.push(
      'sumdb.mark lies beside the database: it notices a database put back from a backup, but not a volume that was rolled back; keep it on another volume',
    );
  }
  return warnings;
}
