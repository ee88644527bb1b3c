import { listOf, number, object, reference, text, flag, time } from './openapi-schemas.ts';

/** What the API has about bundles, but for `PUT /bundles`. All of it needs the right to administer everything. */

const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const PROBLEM = {
  description: 'What is wrong, as RFC 9457 has it',
  content: { 'application/problem+json': { schema: reference('Problem') } },
};
const inPath = (name: string, description: string) =>
  ({
    name,
    in: 'path',
    required: true,
    description,
    schema: { type: 'string', pattern: '^[0-9a-f]{32}$' },
  }) as const;
const inQuery = (name: string, description: string, schema: object = text) =>
  ({ name, in: 'query', required: false, description, schema }) as const;

const ID = inPath('id', 'Id of a bundle.');
const JOB = inPath('job', 'Id of a job.');
const PAGED = [
  inQuery('limit', 'How many at most.', { type: 'integer', minimum: 1, maximum: 200, default: 50 }),
  inQuery('after', 'The `next` of the page before.'),
];
const asked = (summary: string, schema: string, parameters: readonly object[] = []) => ({
  summary: `${summary}; needs the right to administer`,
  parameters,
  responses: {
    200: { description: 'The answer', ...json(reference(schema)) },
    304: { description: 'Not changed since the answer with that ETag' },
    default: PROBLEM,
  },
});
const accepted = {
  202: {
    description: 'It is under way; Location says where to look',
    headers: { Location: { schema: text } },
    ...json(reference('BundleJob')),
  },
  default: PROBLEM,
};
const binary = { schema: { type: 'string', format: 'binary' } };

export const BUNDLE_GET = {
  ...asked('Bundles that were made or imported here, newest first', 'Bundles', [
    inQuery('origin', 'Only these.', { enum: ['made', 'imported'] }),
    ...PAGED,
  ]),
};
export const BUNDLE_POST = {
  summary: 'Has a bundle made; needs the right to administer',
  requestBody: { required: true, ...json(reference('MakeBundle')) },
  responses: accepted,
};

export const BUNDLE_PATHS = {
  '/bundles/{id}': {
    parameters: [ID],
    get: asked('One bundle', 'Bundle'),
    delete: {
      summary: 'Deletes the file of a bundle that was made here; needs the right to administer',
      responses: { 200: { description: 'Done', ...json({ type: 'object' }) }, default: PROBLEM },
    },
  },
  '/bundles/{id}/file': {
    parameters: [ID],
    get: {
      summary: 'The file of a bundle that was made here, or a range of it; needs the right to administer',
      responses: {
        200: {
          description: 'The bundle',
          content: { 'application/x-tar': binary, 'application/zstd': binary },
        },
        206: {
          description: 'The range',
          content: { 'application/x-tar': binary, 'application/zstd': binary },
        },
        default: PROBLEM,
      },
    },
  },
  '/bundles/{id}/verify': {
    parameters: [ID],
    post: {
      summary: 'Has a bundle checked that was made here; needs the right to administer',
      responses: accepted,
    },
  },
  '/bundles/verify': {
    post: {
      summary: 'Has a bundle checked and imports nothing; needs the right to administer',
      parameters: [inQuery('key', 'GOSUMDB key of who made it, where that is not known here.')],
      requestBody: { required: true, content: { 'application/octet-stream': binary } },
      responses: accepted,
    },
  },
  '/bundles/jobs': { get: asked('Jobs that wait, run, or ended lately, newest first', 'BundleJobs') },
  '/bundles/jobs/{job}': {
    parameters: [JOB],
    get: asked('How far a job is, and what came of it', 'BundleJob'),
    delete: { summary: 'Ends a job; needs the right to administer', responses: accepted },
  },
  '/wishlist': { get: asked('What was asked for here and is not held', 'Wishes', PAGED) },
} as const;

const head = object({ name: text, size: number, root: text });
const leftOut = listOf(object({ what: text, why: text }));
const nullable = { type: ['string', 'null'] } as const;
const counts = { zips: number, mods: number, signatures: number };
const made = object({
  id: text,
  base: nullable,
  compressed: flag,
  size: number,
  sha256: text,
  made: time,
  by: text,
  ...counts,
  databases: listOf(head),
  leftOut,
  missing: leftOut,
  file: text,
});

export const BUNDLE_SCHEMAS = {
  MakeBundle: object(
    {
      inputs: {
        ...listOf(text),
        description:
          'Texts of go.mod and go.sum files, bills of materials (CycloneDX, SPDX 2), lists of module@version',
      },
      all: flag,
      servedSince: { type: 'string', format: 'date' },
      tests: flag,
      toolchains: listOf(text),
      platforms: listOf(text),
      vulndb: { type: 'string', format: 'uri' },
      since: { ...listOf(text), description: 'Ids of earlier bundles' },
      compressed: flag,
      skipMissing: flag,
      dryRun: flag,
    },
    [
      'inputs',
      'all',
      'servedSince',
      'tests',
      'toolchains',
      'platforms',
      'vulndb',
      'since',
      'compressed',
      'skipMissing',
      'dryRun',
    ],
  ),
  MadeBundle: made,
  Bundle: object(
    {
      id: text,
      origin: { enum: ['made', 'imported'] },
      signer: text,
      since: time,
      base: nullable,
      tool: text,
      files: number,
      bytes: number,
      ...counts,
      databases: listOf(head),
      vulndb: object({ modified: text, source: text }),
      waiting: reference('MadeBundle'),
    },
    ['vulndb', 'waiting'],
  ),
  Bundles: object({ bundles: listOf(reference('Bundle')), next: text }, ['next']),
  BundleJob: object(
    {
      id: text,
      kind: { enum: ['make', 'verify', 'import'] },
      state: { enum: ['waiting', 'running', 'done', 'failed', 'cancelled'] },
      by: text,
      created: time,
      started: time,
      ended: time,
      progress: object({ what: text, done: number, total: number }),
      error: text,
      problems: listOf(text),
      result: { type: 'object', description: 'One of made, planned, verified and imported' },
    },
    ['started', 'ended', 'progress', 'error', 'result'],
  ),
  BundleJobs: object({ jobs: listOf(reference('BundleJob')) }),
  Wishes: object(
    {
      wishes: listOf(
        object({
          path: text,
          version: text,
          uncertain: flag,
          kinds: listOf(text),
          asked: number,
          last: time,
        }),
      ),
      total: number,
      next: text,
    },
    ['next'],
  ),
} as const;
