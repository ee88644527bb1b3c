import { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';
import { gunzipCapped } from './gzip.ts';

/**
 * The files of a vulnerability database (https://go.dev/security/vuln/database#api): three of an index, and one a
 * vulnerability, in OSV form (https://ossf.github.io/osv-schema). Each exists as JSON and, with `.gz`, gzipped.
 */
export interface VulndbName {
  readonly kind: 'db' | 'modules' | 'vulns' | 'entry';
  /** Of an entry: `GO-2024-0001`. */
  readonly id: string | undefined;
  readonly gzipped: boolean;
  /** The name without `.gz`. */
  readonly plain: string;
}

/** One vulnerability as an index names it. */
export interface IndexedVuln {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** What matters of a file's JSON; times in milliseconds since 1970. */
export type VulndbContent =
  | { readonly kind: 'db'; readonly modified: number; readonly modifiedText: string }
  | { readonly kind: 'modules' | 'vulns'; readonly vulns: readonly IndexedVuln[] }
  | { readonly kind: 'entry'; readonly id: string; readonly modified: number };

export const DB_INDEX = 'index/db.json';
export const MODULES_INDEX = 'index/modules.json';
export const VULNS_INDEX = 'index/vulns.json';

/** Bytes of the JSON, and of its gzip: far more than any has that exists, and small enough to be parsed. */
const MAX_BYTES = {
  db: 64 * 2 ** 10,
  modules: 64 * 2 ** 20,
  vulns: 64 * 2 ** 20,
  entry: 4 * 2 ** 20,
} as const;

const NAME = /^(?:index\/(db|modules|vulns)|ID\/([A-Za-z0-9-]{1,64}))\.json(\.gz)?$/;
const ID = /^[A-Za-z0-9-]{1,64}$/;
/** RFC 3339, as Go's time.Time reads it from JSON. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** The file that an attacker-controlled name below the database's base means. Throws bad_request. */
export function checkVulndbName(name: string): VulndbName {
  const match = NAME.exec(name);
  if (match === null) {
    throw new GokeepError(
      'bad_request',
      `${quote(name)} is no file of a vulnerability database: there are index/db.json, index/modules.json, index/vulns.json and ID/<id>.json, each also with .gz`,
    );
  }
  const kind = (match[1] ?? 'entry') as VulndbName['kind'];
  const gzipped = match[3] !== undefined;
  return { kind, id: match[2], gzipped, plain: gzipped ? name.slice(0, -'.gz'.length) : name };
}

/** The name of a vulnerability's file. Throws bad_request for what is no id. */
export function entryName(id: string): string {
  if (!ID.test(id)) throw new GokeepError('bad_request', `${quote(id)} is no id of a vulnerability`);
  return `ID/${id}.json`;
}

/** Bytes that a file may have at most, gzipped or not. Throws bad_request. */
export function maxVulndbBytes(name: string): number {
  return MAX_BYTES[checkVulndbName(name).kind];
}

/** The JSON of a file: itself, or what it unpacks to. Throws bad_request for too much of it. */
export function plainVulndbBytes(name: string, body: Buffer): Buffer {
  const max = maxVulndbBytes(name);
  if (body.length > max) throw bad(name, `is larger than ${max} bytes`);
  return checkVulndbName(name).gzipped ? gunzipCapped(named(name), body, max) : body;
}

/**
 * Checks one file, which is attacker-controlled: its size, that it is JSON, and the form of all that govulncheck finds its way
 * by. What an entry says of its vulnerability is not looked at.
 *
 * Throws bad_request.
 */
export function checkVulndbFile(name: string, body: Buffer): VulndbContent {
  const { kind, id } = checkVulndbName(name);
  const json = parse(name, plainVulndbBytes(name, body));
  switch (kind) {
    case 'db':
      return readDb(name, json);
    case 'modules':
      return { kind, vulns: readModules(name, json) };
    case 'vulns':
      return { kind, vulns: list(name, json, 'vulnerabilities').map((vuln) => readVuln(name, vuln)) };
    default:
      return readEntry(name, json, id);
  }
}

function readDb(name: string, json: unknown): VulndbContent {
  const { modified } = record(name, json, 'the database');
  return { kind: 'db', modified: time(name, modified), modifiedText: String(modified) };
}

function readModules(name: string, json: unknown): IndexedVuln[] {
  const seen = new Set<string>();
  return list(name, json, 'modules').flatMap((each) => {
    const { path, vulns } = record(name, each, 'a module');
    if (typeof path !== 'string' || path === '') throw bad(name, 'holds a module without a path');
    // govulncheck looks at one of them only: the other's vulnerabilities would be passed over in silence.
    if (seen.has(path)) throw bad(name, `holds ${quote(path)} twice`);
    seen.add(path);
    return list(name, vulns, `vulnerabilities of ${quote(path)}`).map((vuln) => readVuln(name, vuln));
  });
}

function readVuln(name: string, json: unknown): IndexedVuln {
  const { id, modified, fixed } = record(name, json, 'a vulnerability');
  if (typeof id !== 'string' || !ID.test(id)) throw bad(name, `holds ${quote(String(id))}, which is no id`);
  if (fixed !== undefined && typeof fixed !== 'string')
    throw bad(name, `says of ${id} a version that is none`);
  return { id, modified: time(name, modified) };
}

function readEntry(name: string, json: unknown, expected: string | undefined): VulndbContent {
  const { id, modified } = record(name, json, 'the vulnerability');
  if (id !== expected || typeof id !== 'string') throw bad(name, `describes ${quote(String(id))} instead`);
  return { kind: 'entry', id, modified: time(name, modified) };
}

function parse(name: string, body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (cause) {
    throw bad(name, 'is not JSON', cause);
  }
}

function record(name: string, json: unknown, what: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw bad(name, `has something else where ${what} should be an object`);
  }
  return json as Record<string, unknown>;
}

function list(name: string, json: unknown, what: string): unknown[] {
  if (!Array.isArray(json)) throw bad(name, `has no list of ${what}`);
  return json as unknown[];
}

function time(name: string, json: unknown): number {
  const at = typeof json === 'string' && TIME.test(json) ? Date.parse(json) : Number.NaN;
  if (Number.isNaN(at)) throw bad(name, 'has no time in "modified"');
  return at;
}

const named = (name: string) => `vulnerability database file ${name}`;

function bad(name: string, why: string, cause?: unknown): GokeepError {
  return new GokeepError('bad_request', `${named(name)} ${why}`, { cause });
}
