import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { parseVerifier, type Verifier } from '../note/verifier.ts';
import { HighWaterMark } from '../store/high-water-mark.ts';
import { LogReader } from '../store/log-reader.ts';
import { UpstreamReader } from '../store/upstream-reader.ts';
import { type LogKey, readKeyFile } from '../sumdb/key-file.ts';
import { LOG_DATABASE, UPSTREAM_DATABASE } from './data-files.ts';
import { replicaKey } from './replica.ts';

/** What only a log that is signed here has. */
export interface OwnLog {
  readonly key: LogKey;
  readonly mark: HighWaterMark;
}

/** The log in a data directory, open for reading beside whatever else uses it. */
export interface LocalLog extends Disposable {
  readonly log: LogReader;
  readonly verifier: Verifier;
  /** Undefined in a replica. */
  readonly own: OwnLog | undefined;
}

/** Throws bad_config where there is no log or no key, storage_failed for a database that is none. */
export function openLocalLog(config: Config): LocalLog {
  const log = openLogReader(config);
  try {
    const own = config.replica ? undefined : ownLog(config);
    return {
      log,
      verifier: parseVerifier(own?.key.vkey ?? replicaKey(config)),
      own,
      [Symbol.dispose]: () => log.close(),
    };
  } catch (error) {
    log.close();
    throw error;
  }
}

/** For a command about what only a log that is signed here has. Throws bad_config in a replica. */
export function requireOwn({ own }: LocalLog): OwnLog {
  if (own !== undefined) return own;
  throw new GokeepError(
    'bad_config',
    'this is a replica: its log is signed elsewhere, so it has no key, no high-water mark and no records of its own',
  );
}

function ownLog(config: Config): OwnLog {
  const key = readLogKey(config);
  return { key, mark: new HighWaterMark(config.sumdb.mark, key.name) };
}

/** The verifier key that clients need, and the name in it. Throws bad_config where there is no key. */
export function readVerifierKey(config: Config): { name: string; vkey: string } {
  if (!config.replica) return readLogKey(config);
  const vkey = replicaKey(config);
  return { name: parseVerifier(vkey).name, vkey };
}

/** Throws bad_config where there is no key. */
function readLogKey(config: Config): LogKey {
  const key = readKeyFile(config.sumdb.key, process.getuid?.());
  if (key !== undefined) return key;
  throw new GokeepError(
    'bad_config',
    `${config.sumdb.key}: there is no signing key here; name the right directory by --data, or start gokeep once`,
  );
}

/** The log alone, without its key. Throws as {@link openLocalLog}. */
export function openLogReader(config: Config): LogReader {
  return openExisting(config, LOG_DATABASE, 'log', (file) => new LogReader(file));
}

/** What was learned from outside, beside whatever else uses it. Throws as {@link openLocalLog}. */
export function openUpstreamReader(config: Config): UpstreamReader {
  const what = 'memory of what clients asked for';
  return openExisting(config, UPSTREAM_DATABASE, what, (file) => new UpstreamReader(file));
}

function openExisting<T>(config: Config, name: string, what: string, open: (file: string) => T): T {
  const file = path.join(config.data, name);
  const none = (cause?: unknown) =>
    new GokeepError(
      'bad_config',
      `${config.data}: there is no ${what} here; name its directory by --data, or start gokeep once`,
      { cause },
    );
  if (!existsSync(file)) throw none();
  try {
    return open(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // An empty database: a first start that was interrupted.
    if (code === 'SQLITE_ERROR') throw none(error);
    const damaged = code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT');
    throw new GokeepError(
      'storage_failed',
      damaged ? `${file}: is damaged; put it back from a backup` : `${file}: cannot be opened (${code})`,
      { cause: error },
    );
  }
}
