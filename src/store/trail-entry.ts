import { createHash } from 'node:crypto';
import type { Incident } from './log-records.ts';

/** What the audit trail tells of. */
export type TrailKind =
  | 'publish' // a version is published
  | 'yank'
  | 'unyank'
  | 'sign' // a signature is attached to a version
  | 'import' // a bundle is imported
  | 'make' // a bundle is made
  | 'seed' // records are taken from go.sum files
  | 'mark' // the high-water mark was set by hand
  | 'refusal' // somebody was refused: no right, bad credentials, against a rule
  | 'incident' // bytes, a record or a repository that differ from what is recorded; a fork of a public database
  | 'token' // a token is made, revoked or taken back
  | 'rights' // what the configuration lets whom do has changed
  | 'gap'; // entries before this one are lost

export const TRAIL_KINDS: readonly TrailKind[] = [
  'publish',
  'yank',
  'unyank',
  'sign',
  'import',
  'make',
  'seed',
  'mark',
  'refusal',
  'incident',
  'token',
  'rights',
  'gap',
];

/** Somebody, and where a request of his came from. */
export interface Actor {
  /** Name of a principal, or `local:<user>` for somebody on the host itself, or `gokeep` for what it does by itself. */
  readonly who: string;
  /** Address of the client. */
  readonly from?: string | undefined;
}

/** The server itself. */
export const GOKEEP: Actor = { who: 'gokeep' };

/** Something that is to be added to the trail. Texts may be attacker-controlled; secrets never belong here. */
export interface TrailEvent extends Actor {
  readonly kind: TrailKind;
  readonly path?: string | undefined;
  readonly version?: string | undefined;
  /** What else there is to say; has to survive JSON. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

/** What the trail says of an incident. */
export function incidentEvent({ kind, path, version, recorded, seen, source }: Incident): TrailEvent {
  const facts = { incident: kind, recorded, seen, source };
  return { ...GOKEEP, kind: 'incident', path, version: version === '' ? undefined : version, facts };
}

/** An event in its place. */
export interface TrailEntry extends TrailEvent {
  /** From 1 on, without gaps but those that an entry of kind `gap` tells of. */
  readonly n: number;
  /** UTC, as `2026-11-24T15:04:05.123Z`. */
  readonly at: string;
}

/** How far the trail has come. */
export interface TrailHead {
  /** Number of the last entry; 0 in an empty trail. */
  readonly n: number;
  /** 32 bytes. */
  readonly hash: Buffer;
}

export const EMPTY_TRAIL: TrailHead = { n: 0, hash: Buffer.alloc(32) };

/** The bytes that are hashed. Keys always come in this order, and what is not known is left out. */
export function entryText(n: number, at: number, event: TrailEvent): string {
  const { kind, who, from, path, version, facts } = event;
  return JSON.stringify({ n, at: new Date(at).toISOString(), kind, who, from, path, version, facts });
}

/** SHA-256 of the hash before and of the entry's bytes. */
export function entryHash(before: Buffer, text: string): Buffer {
  return createHash('sha256').update(before).update(text).digest();
}
