import { type Event, type Range, sortedEvents } from './affects.ts';

/** What is shown of a vulnerability: an entry in OSV form, for one module. Texts are attacker-controlled, and bounded. */
export interface Vulnerability {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly details: string;
  /** Milliseconds since 1970. */
  readonly published: number | undefined;
  readonly modified: number | undefined;
  readonly withdrawn: number | undefined;
  readonly ranges: readonly Range[];
  /** None: all of the module is affected. */
  readonly packages: readonly AffectedPackage[];
  /** Where more is told: http or https. */
  readonly references: readonly string[];
}

export interface AffectedPackage {
  readonly importPath: string;
  /** None: all of it. */
  readonly symbols: readonly string[];
}

/** Far above what any entry has. Lists in items, texts in characters. */
const MOST = 200;
const LONGEST = 300;
const LONGEST_DETAILS = 4_000;

/** @param json an entry of an imported database, of which nothing but id and time was checked @returns undefined for one that is none */
export function readEntry(json: unknown, modulePath: string): Vulnerability | undefined {
  if (!isObject(json)) return undefined;
  const affected = list(json['affected'])
    .filter(isObject)
    .filter((each) => isObject(each['package']) && each['package']['name'] === modulePath);
  if (affected.length === 0) return undefined;
  return {
    id: text(json['id']),
    aliases: texts(json['aliases']),
    summary: text(json['summary']),
    details: text(json['details'], LONGEST_DETAILS),
    published: time(json['published']),
    modified: time(json['modified']),
    withdrawn: time(json['withdrawn']),
    ranges: affected.flatMap((each) => list(each['ranges']).filter(isObject).map(readRange)).slice(0, MOST),
    packages: affected.flatMap(packagesOf).slice(0, MOST),
    references: list(json['references'])
      .flatMap((each) => (isObject(each) ? [text(each['url'])] : []))
      .filter((url) => /^https?:\/\//.test(url) && URL.canParse(url))
      .slice(0, 20),
  };
}

function readRange(json: Record<string, unknown>): Range {
  const events = list(json['events'])
    .filter(isObject)
    .map((each): Event => {
      const [introduced, fixed] = [text(each['introduced']), text(each['fixed'])];
      return { ...(introduced !== '' && { introduced }), ...(fixed !== '' && { fixed }) };
    });
  return { type: text(json['type']), events: sortedEvents(events) };
}

function packagesOf(affected: Record<string, unknown>): AffectedPackage[] {
  const specific = affected['ecosystem_specific'];
  return list(isObject(specific) ? specific['imports'] : undefined)
    .filter(isObject)
    .map((each) => ({ importPath: text(each['path']), symbols: texts(each['symbols']) }));
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function list(json: unknown): readonly unknown[] {
  return Array.isArray(json) ? (json as unknown[]).slice(0, MOST) : [];
}

function text(json: unknown, longest = LONGEST): string {
  if (typeof json !== 'string') return '';
  return json.length <= longest ? json.toWellFormed() : `${json.slice(0, longest).toWellFormed()}…`;
}

function texts(json: unknown): string[] {
  return list(json)
    .map((each) => text(each))
    .filter((each) => each !== '');
}

function time(json: unknown): number | undefined {
  const at = typeof json === 'string' ? Date.parse(json) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
