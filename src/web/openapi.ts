import { VERSION } from '../version.ts';
import { REQUESTS_OF } from './openapi-requests.ts';
import { ADMIN_PATHS } from './openapi-admin.ts';
import { BUNDLE_GET, BUNDLE_PATHS, BUNDLE_POST, BUNDLE_SCHEMAS } from './openapi-bundles.ts';
import { reference, SCHEMAS } from './openapi-schemas.ts';

/** What `/api/v1/openapi.json` says: every route of the API, those that write too. */

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description: string;
  readonly schema: object;
}

const inPath = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
});

const inQuery = (name: string, description: string, schema: object): Parameter => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
});

const MODULE = inPath(
  'module',
  'Module path, escaped as in the GOPROXY protocol: an upper-case letter is ! and the lower-case one. Its slashes stay as they are.',
);
const VERSION_OF = inPath('version', 'Canonical version, escaped as the module path is.');
const LIMIT = inQuery('limit', 'How many at most.', {
  type: 'integer',
  minimum: 1,
  maximum: 200,
  default: 50,
});
const FROM = inQuery('from', 'The `next` of the page before.', { type: 'integer', minimum: 0, default: 0 });
const AFTER = inQuery('after', 'The `next` of the page before.', { type: 'string' });

const json = (schema: object) => ({ content: { 'application/json': { schema } } });

const PROBLEM = {
  description: 'What is wrong, as RFC 9457 has it',
  content: { 'application/problem+json': { schema: reference('Problem') } },
};
const SENTENCE = {
  description: 'What is wrong, in a sentence',
  content: { 'text/plain': { schema: { type: 'string' } } },
};

/** A question; the answer carries an ETag, and If-None-Match is honoured. */
function asked(summary: string, schema: keyof typeof SCHEMAS, parameters: readonly Parameter[]) {
  return {
    get: {
      summary,
      parameters,
      responses: {
        200: { description: 'The answer', ...json(reference(schema)) },
        304: { description: 'Not changed since the answer with that ETag' },
        default: PROBLEM,
      },
    },
  };
}

const yanked = { 200: { description: 'Done', ...json(reference('Yanked')) }, default: SENTENCE };
const signature = (description: string) => ({ description, ...json({ type: 'object' }) });
const bundle = {
  required: true,
  description: 'A sigstore bundle',
  content: { 'application/json': { schema: { type: 'object' } } },
};

export const OPENAPI = {
  openapi: '3.1.1',
  info: {
    title: 'gokeep',
    version: VERSION,
    description:
      'What is held and recorded by this gokeep. Builds need none of it: they speak the GOPROXY protocol and that of the checksum database.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/api/v1' }],
  security: [{}, { token: [] }, { basic: [] }],
  paths: {
    '/search': asked('Modules that fit, best first', 'FoundModules', [
      {
        ...inQuery('q', 'What to look for in paths, packages and synopses.', {
          type: 'string',
          minLength: 1,
        }),
        required: true,
      },
      LIMIT,
      AFTER,
    ]),
    '/modules': asked('All modules that you may read, by path', 'FoundModules', [LIMIT, AFTER]),
    '/modules/{module}': asked('The versions of a module that are held, newest first', 'Module', [MODULE]),
    '/modules/{module}@{version}': asked('One version: what it is, and its record', 'Version', [
      MODULE,
      VERSION_OF,
    ]),
    '/dependents/{module}': asked('Modules held here that require this one', 'Dependents', [
      MODULE,
      LIMIT,
      AFTER,
    ]),
    '/docs/{module}@{version}': asked('What the package in the root of a module declares', 'Docs', [
      MODULE,
      VERSION_OF,
      FROM,
      LIMIT,
    ]),
    '/docs/{module}@{version}/{directory}': asked(
      'What a package declares, in the order of `go doc -all`',
      'Docs',
      [
        MODULE,
        VERSION_OF,
        inPath('directory', 'Of the package within the module. Its slashes stay as they are.'),
        FROM,
        LIMIT,
      ],
    ),
    '/log': asked('The newest head of the log', 'Log', []),
    '/log/records': asked('Records in their order; needs the right to read everything', 'Records', [
      inQuery('from', 'Number of the first one.', { type: 'integer', minimum: 0, default: 0 }),
      LIMIT,
    ]),
    '/log/incidents': asked('The newest incidents; needs the right to read everything', 'Incidents', [LIMIT]),
    '/requests/{id}': asked(REQUESTS_OF.summary, 'TracedRequests', [
      inPath('id', REQUESTS_OF.id),
      inQuery('from', REQUESTS_OF.from, { type: 'integer', minimum: 0, default: 0 }),
      LIMIT,
    ]),
    ...ADMIN_PATHS,
    '/upstreams': asked(
      'How upstreams do; names and reasons need the right to read everything',
      'Upstreams',
      [LIMIT],
    ),
    '/history': asked(
      'What there was and what was asked, by hour or day; needs the right to read everything',
      'History',
      [
        inQuery('span', 'Hours are kept for about 90 days, days for ever.', {
          enum: ['hour', 'day'],
          default: 'hour',
        }),
        inQuery('from', 'The first one; the `next` of the page before.', {
          type: 'string',
          format: 'date-time',
        }),
        LIMIT,
      ],
    ),
    '/usage': asked(
      'Modules by how many clients used them lately; clients need the right to read everything',
      'Usage',
      [
        inQuery('from', 'How many to leave out; the `next` of the page before.', {
          type: 'integer',
          minimum: 0,
        }),
        LIMIT,
      ],
    ),
    '/graph/{module}@{version}': asked('What a version requires, as far as it is held', 'Graph', [
      MODULE,
      VERSION_OF,
      LIMIT,
    ]),
    '/openapi.json': {
      get: {
        summary: 'This description',
        responses: { 200: { description: 'OpenAPI 3.1', ...json({ type: 'object' }) } },
      },
    },
    '/server': {
      get: {
        summary: 'That this is a gokeep, and the name of its checksum database',
        responses: { 200: { description: 'The answer', ...json(reference('Server')) } },
      },
    },
    ...BUNDLE_PATHS,
    '/bundles': {
      get: BUNDLE_GET,
      post: BUNDLE_POST,
      put: {
        summary: 'Imports a bundle; needs the right to administer',
        requestBody: {
          required: true,
          content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
        },
        responses: {
          200: { description: 'It had been imported before', ...json({ type: 'object' }) },
          201: { description: 'Imported', ...json({ type: 'object' }) },
          default: SENTENCE,
        },
      },
    },
    '/yanks/{module}@{version}': {
      parameters: [MODULE, VERSION_OF],
      post: {
        summary: 'Takes a version out of lists; needs the right to publish the module',
        requestBody: {
          required: true,
          ...json({
            type: 'object',
            properties: { reason: { type: 'string', maxLength: 500 } },
            required: ['reason'],
          }),
        },
        responses: yanked,
      },
      delete: { summary: 'Puts it back; needs the right to publish the module', responses: yanked },
    },
    '/signatures/{module}@{version}': {
      parameters: [MODULE, VERSION_OF],
      get: {
        summary: 'The signatures of a version on record',
        responses: { 200: signature('The signatures'), default: SENTENCE },
      },
      put: {
        summary: 'Adds a signature; needs the right to publish the module',
        requestBody: bundle,
        responses: {
          200: signature('It was here before'),
          201: signature('Added'),
          202: signature('Waits for the zip'),
          default: SENTENCE,
        },
      },
    },
  },
  components: {
    schemas: { ...SCHEMAS, ...BUNDLE_SCHEMAS },
    securitySchemes: {
      token: {
        type: 'http',
        scheme: 'bearer',
        description: 'A token of this gokeep, or a JWT of a trusted issuer',
      },
      basic: { type: 'http', scheme: 'basic', description: 'The same as the password, with any user name' },
    },
  },
} as const;
