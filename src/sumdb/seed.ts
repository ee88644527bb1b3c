import { createHash } from 'node:crypto';
import { GokeepError } from '../errors.ts';
import { type GoSumLine, parseGoSum } from '../modfile/go-sum.ts';
import { quote } from '../module/quote.ts';
import type { Candidate } from './log-engine.ts';
import type { Sequencer } from './sequencer.ts';

/** A go.sum file that somebody trusts. */
export interface GoSumFile {
  /** As the operator named it; kept as evidence. */
  readonly name: string;
  readonly text: string;
}

/** Two hashes for one module version, of which at most one can be right; neither was taken. */
export interface SeedConflict {
  readonly path: string;
  readonly version: string;
  readonly what: 'zip' | 'go.mod';
  readonly recorded: string;
  readonly seen: string;
  /** What says so: the file, and the log or the other file. */
  readonly between: readonly [string, string];
}

export interface SeedPlan {
  readonly candidates: readonly Candidate[];
  readonly conflicts: readonly SeedConflict[];
  /** Lines of private modules whose other line is in no file, as `path version` or `path version/go.mod`. */
  readonly withoutPartner: readonly string[];
  /** Module versions that are not private. */
  readonly publicVersions: number;
}

export interface SeedOutcome {
  readonly added: number;
  /** Recorded before, with the same hashes. */
  readonly known: number;
  readonly conflicts: readonly SeedConflict[];
}

interface Seen {
  readonly h1: string;
  readonly file: string;
}

interface Version {
  readonly path: string;
  readonly version: string;
  zip?: Seen;
  mod?: Seen;
}

/** Candidates handed to the sequencer at a time. */
const PORTION = 1_000;

/**
 * Reads go.sum files for what they say of private modules. Files count as one: a version may have its two lines in two of
 * them. Public modules are left to the database that proves them.
 *
 * Throws bad_record naming the file and the line.
 *
 * @param now seconds since 1970
 */
export function planSeed(
  files: readonly GoSumFile[],
  isPrivate: (path: string) => boolean,
  now: number,
): SeedPlan {
  const versions = new Map<string, Version>();
  const publicVersions = new Set<string>();
  const conflicts: SeedConflict[] = [];
  const contested = new Set<string>();
  for (const file of files) {
    const name = evidenceOf(file);
    for (const line of linesOf(file)) {
      const key = `${line.path}@${line.version}`;
      if (!isPrivate(line.path)) {
        publicVersions.add(key);
        continue;
      }
      const version = versions.get(key) ?? { path: line.path, version: line.version };
      versions.set(key, version);
      const slot = line.goMod ? 'mod' : 'zip';
      const before = (version[slot] ??= { h1: line.h1, file: name });
      if (before.h1 === line.h1) continue;
      contested.add(key);
      conflicts.push({
        path: line.path,
        version: line.version,
        what: line.goMod ? 'go.mod' : 'zip',
        recorded: before.h1,
        seen: line.h1,
        between: [before.file, name],
      });
    }
  }
  const candidates: Candidate[] = [];
  const withoutPartner: string[] = [];
  for (const [key, { path, version, zip, mod }] of versions) {
    if (zip === undefined || mod === undefined)
      withoutPartner.push(`${path} ${version}${zip === undefined ? '/go.mod' : ''}`);
    else if (!contested.has(key)) {
      const evidence = zip.file === mod.file ? zip.file : `${zip.file}, ${mod.file}`;
      const provenance = { source: 'seeded', firstSeen: now, evidence } as const;
      candidates.push({ path, version, zip: zip.h1, mod: mod.h1, provenance });
    }
  }
  return { candidates, conflicts, withoutPartner, publicVersions: publicVersions.size };
}

/**
 * Logs the candidates of a plan. One that differs from its record is a conflict: kept as an incident, and the record stays.
 * Stops at the first error of the log; what was logged until then stays, and seeding again is safe.
 */
export async function logSeeds(candidates: readonly Candidate[], sequencer: Sequencer): Promise<SeedOutcome> {
  let added = 0;
  let known = 0;
  const conflicts: SeedConflict[] = [];
  for (let at = 0; at < candidates.length; at += PORTION) {
    const portion = candidates.slice(at, at + PORTION);
    const outcomes = await Promise.all(portion.map((candidate) => sequencer.add(candidate)));
    for (const [i, outcome] of outcomes.entries()) {
      const candidate = portion[i];
      if (candidate === undefined) continue;
      if (outcome.kind === 'logged') {
        if (outcome.added) added++;
        else known++;
        continue;
      }
      const conflict = conflictWith(candidate, outcome);
      conflicts.push(conflict);
      await sequencer.recordIncident({
        at: Date.now(),
        kind: 'record',
        path: conflict.path,
        version: conflict.version,
        recorded: conflict.recorded,
        seen: conflict.seen,
        source: conflict.between[1],
      });
    }
  }
  return { added, known, conflicts };
}

function conflictWith(
  { path, version, zip, mod, provenance }: Candidate,
  logged: { readonly zip: string; readonly mod: string },
): SeedConflict {
  const zipDiffers = logged.zip !== zip;
  return {
    path,
    version,
    what: zipDiffers ? 'zip' : 'go.mod',
    recorded: zipDiffers ? logged.zip : logged.mod,
    seen: zipDiffers ? zip : mod,
    between: ['the log', provenance.evidence ?? 'the file'],
  };
}

function linesOf({ name, text }: GoSumFile): GoSumLine[] {
  try {
    return parseGoSum(text);
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    throw new GokeepError('bad_record', `${quote(name)}: ${error.message}`, { cause: error });
  }
}

/** The file's name and what was in it, so that the evidence outlives the file. */
function evidenceOf({ name, text }: GoSumFile): string {
  return `${quote(name)} sha256:${createHash('sha256').update(text).digest('hex')}`;
}
