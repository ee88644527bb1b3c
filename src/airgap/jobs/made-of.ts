import { GokeepError } from '../../errors.ts';
import type { LeftOut, Plan, Verified } from './job.ts';

/** What `gokeep bundle create --json` prints of a bundle that it made as a job. */
export interface Composed {
  readonly id: string;
  readonly base: string | null;
  readonly zips: number;
  readonly mods: number;
  readonly signatures: number;
  readonly file: { readonly size: number; readonly sha256: string };
}

/** A person reads the first, and memory holds no more. */
const MOST_KEPT = 500;

/** A bundle was not made since not everything could be had. */
export class MissingVersions extends GokeepError {
  /** A sentence each. */
  readonly problems: readonly string[];

  constructor(missing: readonly LeftOut[], total: number) {
    super(
      'not_found',
      `no bundle was made, since ${total} module ${total === 1 ? 'version' : 'versions'} cannot be had; skip what is missing to have one without`,
    );
    this.problems = missing.map(({ what, why }) => `${what}: ${why}`);
  }
}

type Said = Readonly<Record<string, unknown>>;

const said = (document: unknown): Said => (typeof document === 'object' ? (document as Said) : {});
const list = (value: unknown): readonly Said[] => (Array.isArray(value) ? (value as Said[]) : []);

function missingOf(document: unknown): LeftOut[] {
  return list(said(document)['missing'])
    .slice(0, MOST_KEPT)
    .map(({ path, version, why }) => ({ what: `${String(path)}@${String(version)}`, why: String(why) }));
}

/** Throws {@link MissingVersions} where the command made none. */
export function refuseMissing(document: unknown): void {
  const { id, missing } = said(document);
  if (typeof id !== 'string') throw new MissingVersions(missingOf(document), list(missing).length);
}

/** What is not in a bundle, by itself and for want of it. */
export function leftOutOf(document: unknown): { leftOut: readonly LeftOut[]; missing: readonly LeftOut[] } {
  const skipped = list(said(document)['skipped']).slice(0, MOST_KEPT);
  return {
    leftOut: skipped.map(({ what, why }) => ({ what: String(what), why: String(why) })),
    missing: missingOf(document),
  };
}

/** What a dry run printed. */
export function planOf(document: unknown): Plan {
  const { zips, mods, absent, heldBytes } = said(document) as unknown as Plan;
  return { zips, mods, absent, heldBytes, leftOut: leftOutOf(document).leftOut };
}

/** What `gokeep bundle verify --json` printed. */
export function verifiedOf(document: unknown): Verified {
  const o = said(document);
  const number = (name: string) => (typeof o[name] === 'number' ? o[name] : 0);
  const text = (name: string) => (typeof o[name] === 'string' ? o[name] : null);
  return {
    id: text('id'),
    signer: text('signer'),
    base: text('base'),
    databases: list(o['databases']) as unknown as Verified['databases'],
    files: number('files'),
    bytes: number('bytes'),
    zips: number('zips'),
    mods: number('mods'),
    signatures: number('signatures'),
    trustedSignatures: typeof o['trustedSignatures'] === 'number' ? o['trustedSignatures'] : null,
    alone: list(o['alone']) as unknown as Verified['alone'],
    problems: (Array.isArray(o['problems']) ? (o['problems'] as unknown[]) : [])
      .slice(0, MOST_KEPT)
      .map(String),
  };
}
