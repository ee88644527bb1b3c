import { ADMIN_SCHEMAS } from './openapi-admin.ts';
import { STATUS_SCHEMAS } from './openapi-status.ts';

/** What the API answers with, as JSON Schema. */

import { DOCS } from './openapi-docs.ts';
import { VULNERABILITIES } from './openapi-vulnerabilities.ts';

export const text = { type: 'string' } as const;
export const number = { type: 'integer', minimum: 0 } as const;
export const flag = { type: 'boolean' } as const;
export const time = { type: 'string', format: 'date-time' } as const;
const h1 = { type: 'string', pattern: '^h1:[A-Za-z0-9+/]{43}=$' } as const;

export const listOf = (items: object) => ({ type: 'array', items }) as const;
export const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` }) as const;

/** Every property is there, but for the optional ones; and no other. */
export function object(properties: Readonly<Record<string, object>>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false } as const;
}

export const SCHEMAS = {
  ...STATUS_SCHEMAS,
  Problem: object({ type: text, title: text, status: number, detail: text, code: text }),
  FoundModule: object({ path: text, version: text, synopsis: text, packages: listOf(text) }),
  FoundModules: object({ modules: listOf(reference('FoundModule')), total: number, next: text }, ['next']),
  ModuleVersion: object({ version: text, time, size: number, yanked: text, retracted: text }, [
    'time',
    'yanked',
    'retracted',
  ]),
  Module: object(
    {
      path: text,
      private: flag,
      newest: text,
      deprecated: text,
      versions: listOf(reference('ModuleVersion')),
    },
    ['newest'],
  ),
  Package: object({ importPath: text, name: text, synopsis: text }),
  Requirement: object({ path: text, version: text, indirect: flag }),
  Signer: {
    oneOf: [
      object({ kind: { const: 'key' }, name: text, fingerprint: text }),
      object({ kind: { const: 'identity' }, issuer: text, subject: text }),
    ],
  },
  Incident: object(
    { at: time, kind: text, path: text, version: text, recorded: text, seen: text, source: text },
    ['at'],
  ),
  Provenance: object({ source: text, firstSeen: time, evidence: text }, ['evidence', 'firstSeen']),
  Version: object(
    {
      path: text,
      version: text,
      held: flag,
      time,
      size: number,
      yanked: text,
      retracted: text,
      synopsis: text,
      licence: text,
      packages: listOf(reference('Package')),
      requires: listOf(reference('Requirement')),
      record: object({ number, zip: h1, mod: h1 }),
      provenance: reference('Provenance'),
      signatures: object({
        required: flag,
        signed: flag,
        by: listOf(object({ kind: text, signer: reference('Signer'), trusted: flag })),
      }),
      incidents: listOf(reference('Incident')),
      vulnerabilities: VULNERABILITIES,
      vulnerabilityDatabase: object({ modified: time }, ['modified']),
    },
    [
      'time',
      'size',
      'yanked',
      'retracted',
      'synopsis',
      'licence',
      'record',
      'provenance',
      'vulnerabilities',
      'vulnerabilityDatabase',
    ],
  ),
  Dependents: object(
    { path: text, dependents: listOf(object({ path: text, version: text, requires: text })), next: text },
    ['next'],
  ),
  Docs: DOCS,
  Log: object({ name: text, key: text, size: number, root: text, signedAt: time, note: text }, [
    'root',
    'signedAt',
    'note',
  ]),
  Records: object(
    {
      size: number,
      records: listOf(
        object({ number, path: text, version: text, zip: h1, mod: h1, source: text }, ['source']),
      ),
      next: number,
    },
    ['next'],
  ),
  Incidents: object({ incidents: listOf(reference('Incident')) }),
  TracedRequest: object(
    {
      time,
      method: text,
      target: text,
      status: number,
      bytes: number,
      ms: { type: 'number', minimum: 0 },
      from: text,
      client: text,
      user: text,
      code: text,
    },
    ['user', 'code'],
  ),
  TracedRequests: object({ requests: listOf(reference('TracedRequest')), next: number }, ['next']),
  Server: object({ program: { const: 'gokeep' }, sumdb: text, traces: { const: true } }),
  ...ADMIN_SCHEMAS,
  Yanked: object({ path: text, version: text, yanked: flag, reason: text }, ['reason']),
} as const;
