import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';

/** What was found when, and by which file, is not the same after two imports of the same; all else is. */
const OF_THE_LOG = [
  // A server that has run since has recorded its audit trail.
  'SELECT records.id, path, version, zip_h1, mod_h1, source, text FROM records LEFT JOIN evidence ON evidence.id = evidence WHERE source <> 8 ORDER BY records.id',
  'SELECT kind, path, version FROM incidents ORDER BY id',
];
const OF_THE_TREE = [
  'SELECT level, n, data FROM tiles ORDER BY level, n',
  'SELECT size, root, note FROM heads ORDER BY size DESC LIMIT 1',
];
const OF_OTHERS = [
  'SELECT database, note FROM heads ORDER BY database',
  'SELECT database, path, version, body FROM lookups ORDER BY database, path, version',
  'SELECT database, level, n, width, data FROM tiles ORDER BY database, level, n, width',
  'SELECT key, body, source FROM answers ORDER BY key',
];

/** All that an import may change in a data directory that no process uses, to be compared. */
export interface SiteState {
  /** Files by name, with the hash of their bytes: of modules, receipts, the vulnerability database and what is left over. */
  readonly files: ReadonlyMap<string, string>;
  readonly log: readonly string[];
  /** Undefined where a server has run since, which has put records of its own into it. */
  readonly tree?: readonly string[];
  readonly others: readonly string[];
}

export function stateOf(data: string): SiteState {
  return {
    files: new Map(['download', 'bundles', 'vulndb', 'tmp', 'import'].flatMap((name) => filesIn(data, name))),
    log: rows(path.join(data, 'gokeep.db'), OF_THE_LOG),
    tree: rows(path.join(data, 'gokeep.db'), OF_THE_TREE),
    others: rows(path.join(data, 'upstream.db'), OF_OTHERS),
  };
}

/** Of a state what counts before an import has been found good: the rest is its own workshop. */
export function trusted({ files, ...rest }: SiteState): SiteState {
  const kept = [...files].filter(([name]) => !name.startsWith('import/'));
  return { files: new Map(kept), ...rest };
}

/** Of a state what no server changes by running: its tree is for `fsck` to check. */
export function imported({ files, log, others }: SiteState): SiteState {
  return { files, log, others };
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function filesIn(data: string, name: string): [string, string][] {
  const root = path.join(data, name);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((file) => statSync(path.join(root, file)).isFile())
    .map((file) => {
      // Names the bundle that is being imported: which one that was last is of no importance.
      const hash = name === 'import' ? '' : sha256(readFileSync(path.join(root, file)));
      return [`${name}/${file}`, hash];
    });
}

function rows(file: string, queries: readonly string[]): string[] {
  // Writes, so that what is left of a killed process in the journal is read, too.
  const db = new Database(file);
  try {
    return queries.flatMap((query) =>
      db
        .prepare(query)
        .raw()
        .all()
        .map((row) => JSON.stringify(row)),
    );
  } finally {
    db.close();
  }
}
