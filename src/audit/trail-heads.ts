import { checkPath } from '../module/path.ts';
import { h1OfGoMod } from '../modzip/dirhash.ts';
import type { LogReader } from '../store/log-reader.ts';
import type { TrailHead } from '../store/trail-entry.ts';
import type { Candidate } from '../sumdb/log-engine.ts';

/** Where the name of the log is no beginning of a module path. */
const OTHERWISE = 'gokeep.internal/audit';
const VERSION = /^v0\.0\.([1-9][0-9]{0,15})$/;

/** The path under which a log records the heads of its audit trail: below its name, and no module of anybody's. */
export function trailPath(logName: string): string {
  const path = `${logName}/audit`;
  try {
    checkPath(path);
    return path;
  } catch {
    return OTHERWISE;
  }
}

/** The number of the entry that a head of this version is of; undefined for any other version. */
export function headOf(version: string): number | undefined {
  const n = Number(VERSION.exec(version)?.[1]);
  return Number.isSafeInteger(n) ? n : undefined;
}

/** Of the go.mod of one line that stands in every head's record, and says no version of go as a module's does. */
const headMod = (path: string): string => h1OfGoMod(Buffer.from(`module ${path}\n`));

/**
 * A head of the audit trail as a record: of version `v0.0.<number of the last entry>`, whose "zip" is that entry's hash. So it
 * is in the same tree as every module, and whoever holds a head of the log holds a head of the trail.
 */
export function headRecord(logName: string, head: TrailHead, now: number): Candidate {
  const path = trailPath(logName);
  return {
    path,
    version: `v0.0.${head.n}`,
    zip: `h1:${head.hash.toString('base64')}`,
    mod: headMod(path),
    provenance: { source: 'audit', firstSeen: Math.floor(now / 1000), evidence: undefined },
  };
}

/** A head that the log has recorded. */
export interface RecordedHead extends TrailHead {
  readonly version: string;
}

/**
 * Every head of the trail that the log has recorded, oldest first. A module may have had the path before there were trails: its
 * versions have other go.mod files.
 */
export function recordedHeads(log: Pick<LogReader, 'versions' | 'find'>, logName: string): RecordedHead[] {
  const path = trailPath(logName);
  const mod = headMod(path);
  const heads: RecordedHead[] = [];
  for (const { version } of log.versions(path)) {
    const n = headOf(version);
    const record = log.find(path, version);
    if (record?.mod !== mod || n === undefined) continue;
    heads.push({ n, version, hash: Buffer.from(record.zip.slice('h1:'.length), 'base64') });
  }
  return heads.sort((a, b) => a.n - b.n);
}
