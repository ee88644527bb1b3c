import { GokeepError } from '../errors.ts';
import type { Incident } from '../store/log-records.ts';

/** What differed from what is recorded when its bytes or its record were asked for. */
export type MismatchKind =
  | 'zip' // the zip's bytes
  | 'mod' // the go.mod's bytes
  | 'record'; // what another database says of a version that is already recorded here

/** Beside them what the monitor finds, of which nothing was asked for. */
export type IncidentKind =
  | MismatchKind
  | 'tag' // the commit that a tag names; nothing is seen where the tag is gone
  | 'repository'; // a repository that its host no longer shows; of a module path, without version

export interface Mismatch {
  readonly kind: MismatchKind;
  readonly path: string;
  readonly version: string;
  /** `h1:` of the record, and of what came. */
  readonly recorded: string;
  readonly seen: string;
  /** Who gave us what we saw. */
  readonly source: string;
}

/** Where incidents go: kept in the database, counted and logged. Must not throw. */
export type IncidentSink = (incident: Incident) => void;

const WHAT: Readonly<Record<MismatchKind, string>> = {
  zip: 'the zip',
  mod: 'the go.mod file',
  record: 'the checksum',
};

/**
 * A security incident: reported, then thrown as mismatch. The sentence is what `go` prints, so it names the module, says
 * what is safe, and what to do.
 */
export function raiseMismatch(mismatch: Mismatch, sink: IncidentSink): never {
  const { kind, path, version, recorded, seen, source } = mismatch;
  sink({ at: Date.now(), kind, path, version, recorded, seen, source });
  throw new GokeepError(
    'mismatch',
    `SECURITY: ${path}@${version} does not match its record: ${WHAT[kind]} from ${source} has ${seen}, the record says ${recorded}. Nothing was stored or served. Do not use this version until its author or your security team has explained why.`,
  );
}
