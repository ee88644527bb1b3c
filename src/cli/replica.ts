import path from 'node:path';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { DatabaseReader } from '../sumdb/reader.ts';
import { ReplicaLog, type ReplicaLogOptions } from '../sumdb/replica-log.ts';
import { LOG_DATABASE } from './data-files.ts';
import type { ServedLog } from './own-log.ts';

/** Verifier key of the log that a replica serves. */
export function replicaKey(config: Config): string {
  const [vkey] = config.bundles.trust;
  if (vkey === undefined) throw new GokeepError('internal', 'a replica without the key of its origin');
  return vkey;
}

/**
 * The replica in the data directory, made where there is none: what an importer gives its bundles to, in the server or,
 * with the writer lock held, in a command. Throws bad_config where the directory holds another log.
 */
export function openReplicaLog(
  config: Config,
  events: Pick<ReplicaLogOptions, 'onHead' | 'onFatal'>,
): ReplicaLog {
  return new ReplicaLog({
    ...events,
    database: path.join(config.data, LOG_DATABASE),
    vkey: replicaKey(config),
  });
}

/** The origin's log as a server serves it: no key is read or made, nothing is signed, and nothing is added. */
export function openServedReplica(
  config: Config,
  events: Pick<ReplicaLogOptions, 'onHead' | 'onFatal'>,
): ServedLog {
  const replica = openReplicaLog(config, events);
  const warnings = [`replica: this serves the checksum database ${replica.name}, signed elsewhere`];
  if (replica.head === undefined) warnings.push('nothing was imported yet');
  return {
    name: replica.name,
    vkey: replica.vkey,
    reader: new DatabaseReader(replica.reader, () => replica.requireHead(), { sparse: true }),
    hosted: replica.reader.hosted,
    signatures: replica.reader.signatures,
    keeper: replica,
    sequencer: undefined,
    replica,
    warnings,
    [Symbol.asyncDispose]: () => replica.close(),
  };
}
