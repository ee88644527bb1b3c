/** The routes of administrators, and what they answer with. */

const text = { type: 'string' } as const;
const number = { type: 'integer', minimum: 0 } as const;
const time = { type: 'string', format: 'date-time' } as const;
const date = { type: 'string', format: 'date' } as const;
const hash = { type: 'string', pattern: '^[A-Za-z0-9+/]{43}=$' } as const;
const patterns = { type: 'array', items: text } as const;
const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` }) as const;

function object(properties: Readonly<Record<string, object>>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false } as const;
}

const TOKEN = {
  id: text,
  name: text,
  state: { enum: ['active', 'expired', 'revoked'] },
  read: patterns,
  publish: patterns,
  admin: patterns,
  created: time,
  expires: time,
  revoked: time,
  lastUsed: date,
  usesNotedSince: date,
} as const;
const MAYBE = ['expires', 'revoked', 'lastUsed', 'usesNotedSince'];

/** What its kind has to tell is not listed: facts differ. */
const ENTRY = {
  type: 'object',
  properties: {
    n: number,
    at: time,
    kind: text,
    who: text,
    from: text,
    path: text,
    version: text,
    facts: { type: 'object' },
  },
  required: ['n', 'at', 'kind', 'who'],
} as const;
const RECORDED = object({ n: number, path: text, version: text, record: number, at: time }, ['at']);

export const ADMIN_SCHEMAS = {
  Token: object(TOKEN, MAYBE),
  NewToken: object({ token: { type: 'string', pattern: '^gokeep_[0-9A-Za-z]{38}$' }, ...TOKEN }, MAYBE),
  Tokens: object({ tokens: { type: 'array', items: reference('Token') }, total: number, next: text }, [
    'next',
  ]),
  RevokedToken: object({ id: text, name: text, state: { const: 'revoked' } }),
  AuditEntry: object({ n: number, hash, entry: ENTRY }, ['entry']),
  AuditEntries: object(
    {
      last: number,
      hash,
      recorded: RECORDED,
      entries: { type: 'array', items: reference('AuditEntry') },
      next: number,
    },
    ['recorded', 'next'],
  ),
  WholeAuditEntry: object(
    { n: number, hash, entry: ENTRY, text, before: hash, chained: { type: 'boolean' }, recorded: RECORDED },
    ['entry', 'before', 'recorded'],
  ),
} as const;

const json = (name: string) => ({ content: { 'application/json': { schema: reference(name) } } });
const PROBLEM = {
  description: 'What is wrong, as RFC 9457 has it',
  content: { 'application/problem+json': { schema: reference('Problem') } },
};
const inQuery = (name: string, description: string, schema: object) => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
});
const inPath = (name: string, description: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: text,
});
const LIMIT = inQuery('limit', 'How many at most.', {
  type: 'integer',
  minimum: 1,
  maximum: 200,
  default: 50,
});

const read = (summary: string, schema: string, parameters: readonly object[]) => ({
  summary: `${summary}; needs the right to administer everything`,
  parameters,
  responses: {
    200: { description: 'The answer', ...json(schema) },
    304: { description: 'Not changed since the answer with that ETag' },
    default: PROBLEM,
  },
});

export const ADMIN_PATHS = {
  '/tokens': {
    get: read('The tokens, oldest first, without the tokens themselves', 'Tokens', [
      LIMIT,
      inQuery('after', 'The `next` of the page before.', text),
    ]),
    post: {
      summary: 'Makes a token, and gives it this once; needs the right to administer everything',
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                name: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._@/-]{0,63}$' },
                read: patterns,
                publish: patterns,
                admin: patterns,
                expires: { type: 'string', pattern: '^(never|[1-9][0-9]{0,5}[dh])$', default: '90d' },
              },
              additionalProperties: false,
            },
          },
        },
      },
      responses: { 201: { description: 'Made', ...json('NewToken') }, default: PROBLEM },
    },
  },
  '/tokens/{name}': {
    delete: {
      summary: 'Revokes a token; needs the right to administer everything',
      parameters: [inPath('name', 'Its name, or its id.')],
      responses: { 200: { description: 'Revoked', ...json('RevokedToken') }, default: PROBLEM },
    },
  },
  '/audit': {
    get: read('Who did what, newest first', 'AuditEntries', [
      inQuery('kind', 'Of these kinds, with commas between them.', text),
      inQuery('who', 'By this one, such as token:ci.', text),
      inQuery('module', 'About these modules, as in GOPRIVATE.', text),
      inQuery('since', 'From this day on (UTC).', date),
      inQuery('until', 'Up to this day (UTC).', date),
      LIMIT,
      inQuery(
        'after',
        'The `next` of the page before: entries with lower numbers. There may be fewer than the limit.',
        number,
      ),
    ]),
  },
  '/audit/{number}': {
    get: read('One entry, its place in the chain and the record that covers it', 'WholeAuditEntry', [
      inPath('number', 'Its number.'),
    ]),
  },
} as const;
