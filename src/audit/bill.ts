import { escapeInvisible } from '../module/quote.ts';
import type { Provenance } from '../store/log-records.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { ServedTo } from '../store/served-to-table.ts';

/** A module version whose zip was served, and what is known of it. */
export interface ServedModule {
  readonly record: LoggedRecord;
  readonly provenance: Provenance;
  readonly isPrivate: boolean;
  /** The last day on which its zip was served: UTC days since 1970. */
  readonly lastServed: number;
  /** To whom it was served, by name, as far as that was asked for. */
  readonly to: readonly ServedTo[];
  /** SHA-256 of the zip file, hexadecimal; undefined where it is no longer held. */
  readonly sha256: string | undefined;
  /** SPDX id; undefined where it is not known. */
  readonly licence: string | undefined;
}

/** What a bill of materials says, whatever its format. The same state of a server gives the same bill, byte for byte. */
export interface Bill {
  /** Name of the log whose records these are, and its newest signed head: size, and root in base64. */
  readonly log: string;
  readonly head: { readonly size: number; readonly root: string };
  /** What was served before this UTC day is left out; undefined: nothing is. */
  readonly since: number | undefined;
  /** What was served to others than this one is left out; undefined: nothing is. */
  readonly to: string | undefined;
  /** Milliseconds since 1970: the state it was made from, not the moment it was made. */
  readonly at: number;
  /** Of gokeep. */
  readonly version: string;
  /** By path and version. */
  readonly modules: readonly ServedModule[];
}

/** What nothing but the program that wrote it knows how to read. */
export type Property = readonly [name: string, value: string];

/**
 * Everything about a module that the formats have no field for. `h1:` is the hash of a list of hashes (go.sum's), and no
 * digest of any file, so it stands in no field for one.
 */
export function propertiesOf(module: ServedModule, log: string): readonly Property[] {
  const { record, provenance, isPrivate, lastServed, to } = module;
  return [
    ['gokeep:h1', record.zip],
    ['gokeep:h1:go.mod', record.mod],
    ['gokeep:log:name', log],
    ['gokeep:log:index', String(record.id)],
    ['gokeep:record:source', provenance.source],
    ['gokeep:record:since', isoSecond(provenance.firstSeen * 1000)],
    ...firstServed(to),
    ['gokeep:served:last', isoDay(lastServed)],
    ...to.map(servedTo),
    ['gokeep:private', String(isPrivate)],
  ];
}

function firstServed(to: readonly ServedTo[]): readonly Property[] {
  const day = Math.min(...new Set(to.map(({ first }) => first)));
  return to.length === 0 ? [] : [['gokeep:served:first', isoDay(day)]];
}

/** The name comes last: an issuer may have put spaces into it, and, but for the escaping, lines and properties of its own. */
function servedTo({ name, first, last }: ServedTo): Property {
  return ['gokeep:served:to', `${isoDay(first)}/${isoDay(last)} ${escapeInvisible(name)}`];
}

/** The same about the whole bill. */
export function propertiesOfBill({ log, head, since, to }: Bill): readonly Property[] {
  return [
    ['gokeep:log:name', log],
    ['gokeep:log:size', String(head.size)],
    ['gokeep:log:root', head.root],
    ...(since === undefined ? [] : [['gokeep:served:since', isoDay(since)] as const]),
    ...(to === undefined ? [] : [['gokeep:served:to', escapeInvisible(to)] as const]),
  ];
}

/**
 * Package URL of a module (github.com/package-url/purl-spec, type golang), in the letters that the module has: Go tells
 * paths apart by case, and the tools that match them do too.
 */
export function purlOf(path: string, version: string): string {
  const name = path.split('/').map(encodeURIComponent).join('/');
  return `pkg:golang/${name}@${encodeURIComponent(version)}?type=module`;
}

/** `2026-11-24` */
export function isoDay(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

/** `2026-11-24T13:00:00Z` */
export function isoSecond(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
