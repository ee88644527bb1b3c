import type { Actor } from '../../store/trail-entry.ts';
import type { Imported } from '../import.ts';
import type { MadeBundle } from './made-bundles.ts';

export type JobKind = 'make' | 'verify' | 'import';
export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** How far a job is. */
export interface JobProgress {
  readonly what: string;
  readonly done: number;
  /** 0 where nobody knows. */
  readonly total: number;
}

/** Something that is not in a bundle, and why. */
export interface LeftOut {
  readonly what: string;
  readonly why: string;
}

/** What a dry run says. */
export interface Plan {
  readonly zips: number;
  readonly mods: number;
  /** Zips that have to be fetched first. */
  readonly absent: number;
  readonly heldBytes: number;
  readonly leftOut: readonly LeftOut[];
}

/** What `gokeep bundle verify --json` says; null stands for what could not be found out. */
export interface Verified {
  readonly id: string | null;
  readonly signer: string | null;
  readonly base: string | null;
  readonly databases: readonly { readonly name: string; readonly size: number; readonly root: string }[];
  readonly files: number;
  readonly bytes: number;
  readonly zips: number;
  readonly mods: number;
  readonly signatures: number;
  readonly trustedSignatures: number | null;
  readonly alone: readonly {
    readonly database: string;
    readonly versions: number;
    readonly example: string;
  }[];
  readonly problems: readonly string[];
}

export type Outcome =
  | { readonly kind: 'made'; readonly made: MadeBundle }
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'verified'; readonly verified: Verified }
  | { readonly kind: 'imported'; readonly imported: Imported };

/** A bundle being made, checked or imported. It is in memory only, and no restart leaves anything of it. */
export interface Job {
  readonly id: string;
  readonly kind: JobKind;
  readonly by: Actor;
  readonly state: JobState;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly progress: JobProgress | undefined;
  readonly outcome: Outcome | undefined;
  /** A sentence, of a job that failed. */
  readonly error: string | undefined;
  /** What was found wrong, or could not be had; a sentence each. */
  readonly problems: readonly string[];
}

/** True for a job of which nothing more is to be expected. */
export const isOver = ({ state }: Pick<Job, 'state'>): boolean => state !== 'waiting' && state !== 'running';
