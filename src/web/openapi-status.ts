import { OUTCOMES } from '../store/history-table.ts';

/** How the server does and did: schemas of the answers of `api-status.ts`. */

const text = { type: 'string' } as const;
const number = { type: 'integer', minimum: 0 } as const;
const flag = { type: 'boolean' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const date = { type: 'string', format: 'date' } as const;
const listOf = (items: object) => ({ type: 'array', items }) as const;

/** Every property is there, but for the optional ones; and no other. */
function object(properties: Readonly<Record<string, object>>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false } as const;
}

const health = object(
  {
    id: text,
    kind: { enum: ['proxy', 'direct', 'off', 'database'] },
    private: flag,
    condition: { enum: ['works', 'fails', 'waiting', 'unused'] },
    name: text,
    match: listOf(text),
    lastSuccess: time,
    lastFailure: object({ at: time, code: text, reason: text }),
    waiting: number,
    requests: number,
    failures: number,
    fellThrough: number,
    latencyMs: number,
    slowestMs: number,
  },
  [
    'name',
    'match',
    'lastSuccess',
    'lastFailure',
    'waiting',
    'requests',
    'failures',
    'fellThrough',
    'latencyMs',
    'slowestMs',
  ],
);

const round = object({
  at: time,
  repositories: number,
  same: number,
  untagged: number,
  unknown: number,
  differ: number,
  troubles: number,
});

export const STATUS_SCHEMAS = {
  Upstreams: object(
    {
      offline: flag,
      upstreams: listOf(health),
      database: object({ name: text, forked: flag, size: number, headSeenAt: time, health }, [
        'size',
        'headSeenAt',
      ]),
      failingHosts: listOf(
        object({ host: text, private: flag, code: text, reason: text, heldBackMs: number }),
      ),
      failingHostsTotal: number,
      staleAnswers: number,
      incidents: number,
      monitor: object({ everyMs: number, last: round }, ['last']),
    },
    ['database', 'failingHosts', 'failingHostsTotal', 'staleAnswers', 'incidents', 'monitor'],
  ),
  History: object(
    {
      span: { enum: ['hour', 'day'] },
      rows: listOf(
        object(
          {
            at: time,
            records: number,
            versions: number,
            bytes: number,
            requests: object(Object.fromEntries(OUTCOMES.map((name) => [name, number]))),
          },
          ['versions', 'bytes'],
        ),
      ),
      log: listOf(object({ at: time, records: number })),
      next: time,
    },
    ['next'],
  ),
  Usage: object(
    {
      since: date,
      modules: listOf(
        object({ path: text, clients: number, versions: number, downloads: number, lastDay: date }),
      ),
      clients: listOf(object({ name: text, modules: number, downloads: number, lastDay: date })),
      next: number,
    },
    ['clients', 'next'],
  ),
  Graph: object({
    path: text,
    version: text,
    nodes: listOf(object({ path: text, version: text, depth: number, held: flag })),
    edges: listOf(object({ from: text, to: text, indirect: flag })),
    more: number,
    whole: flag,
  }),
} as const;
