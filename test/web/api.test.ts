import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { MadeAccess } from '../access/made-access.ts';
import type { MadeVersion } from './made-catalogue.ts';
import { BUNDLE } from './made-desk.ts';
import { MadeSite, NOW } from './made-site.ts';
import { busyStatus } from './made-status.ts';
import { KNOWN } from './made-vulnerabilities.ts';

const P = 'example.test/Team/m';
const ESCAPED = 'example.test/!team/m';
const versions: MadeVersion[] = [
  ...['v1.0.0', 'v1.1.0'].map((version) => ({
    path: P,
    version,
    time: version === 'v1.0.0' ? 1e300 : NOW,
    synopsis: '<m>',
    licence: 'MIT',
    packages: [{ importPath: P, name: 'm', synopsis: '' }],
    requires: [{ path: 'example.test/n', version: 'v1.0.0', indirect: true }],
    files: {
      'go.mod': `module ${P}\n\nretract v1.0.0 // old\n`,
      'm.go':
        '// Package m counts.\npackage m\n\n// A is one.\n//\n// Deprecated: use B.\nfunc A() {}\n\nfunc B() {}\n',
      'sub/d.go': 'package sub\n\ntype T struct{ a int }\n\nfunc (T) M() {}\n',
    },
  })),
  ...Array.from({ length: 120 }, (_, n) => ({
    path: `example.test/x${String(n).padStart(3, '0')}`,
    version: 'v1.0.0',
    requires: [{ path: P, version: 'v1.0.0', indirect: false }],
  })),
  { path: 'private.test/a', version: 'v1.0.0', synopsis: 'hidden' },
];

const access = new MadeAccess();
const some = { authorization: `Bearer ${access.add('some')}` };
const all = { authorization: `Bearer ${access.add('all', { read: ['*'], admin: ['*'] })}` };
let site: MadeSite;

beforeAll(async () => {
  site = await MadeSite.start({
    versions,
    gate: gateOf(access.authenticator, false),
    signatures: {
      required: true,
      signed: true,
      signatures: [
        {
          id: '1',
          kind: 'signature',
          signer: { kind: 'key', name: 'ci', fingerprint: 'f' },
          predicateType: undefined,
          sha256: '',
          verifiedAt: NOW,
          trusted: true,
          bundle: '{}',
        },
      ],
    },
    parts: { status: busyStatus(), vulnerabilities: { of: async () => KNOWN } },
    yanks: { [P]: [{ version: 'v1.0.0', yankedAt: NOW, reason: 'bad' }] },
  });
  site.noteIncident(P, 'v1.1.0', 'h1:b');
});

afterAll(() => site[Symbol.asyncDispose]());

/** What the tests look at, of whichever answer. */
interface Body {
  readonly next?: string;
  readonly newest?: string;
  readonly status?: number;
  readonly modules: readonly { readonly path: string }[];
  readonly dependents: readonly { readonly path: string }[];
  readonly records: readonly unknown[];
  readonly paths: Readonly<Record<string, unknown>>;
}

async function ask(target: string, headers: Record<string, string> = all) {
  const answer = await site.server.get(`/api/v1/${target}`, headers);
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: JSON.parse(text === '' ? '{}' : text) as Body,
  };
}

async function ajv() {
  const { body } = await ask('openapi.json', {});
  const made = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(made);
  made.addSchema(body, 'openapi');
  return made;
}

const ANSWERS = [
  ['search?q=m', 'FoundModules'],
  ['modules?limit=3', 'FoundModules'],
  [`modules/${ESCAPED}`, 'Module'],
  [`modules/${ESCAPED}@v1.0.0`, 'Version'],
  [`modules/${ESCAPED}@v1.1.0`, 'Version'],
  [`dependents/${ESCAPED}?limit=7`, 'Dependents'],
  [`docs/${ESCAPED}@v1.0.0?limit=1`, 'Docs'],
  [`docs/${ESCAPED}@v1.0.0/sub`, 'Docs'],
  ['log', 'Log'],
  ['log/records?from=3&limit=5', 'Records'],
  ['log/incidents', 'Incidents'],
  ['bundles', 'Bundles'],
  [`bundles/${BUNDLE}`, 'Bundle'],
  ['bundles/jobs', 'BundleJobs'],
  ['wishlist?limit=1', 'Wishes'],
  ['upstreams', 'Upstreams'],
  ['history?span=hour', 'History'],
  ['history?span=day&from=2026-01-01&limit=1', 'History'],
  ['usage', 'Usage'],
  [`graph/${ESCAPED}@v1.0.0`, 'Graph'],
] as const;

describe('the API', () => {
  it.each(ANSWERS)('answers %s as it is described', async (target, schema) => {
    const { status, body } = await ask(target);
    expect(status).toBe(200);
    const validate = (await ajv()).getSchema(`openapi#/components/schemas/${schema}`)!;
    expect([validate(body), validate.errors]).toEqual([true, null]);
  });

  it('tells of a package what it declares, page by page', async () => {
    const { body } = await ask(`docs/${ESCAPED}@v1.0.0?limit=1`);
    expect(body).toMatchObject({
      importPath: P,
      synopsis: 'Package m counts.',
      declarations: [{ name: 'A', signature: 'func A()', deprecated: true, file: 'm.go', line: 7 }],
      next: 1,
    });
    const rest = await ask(`docs/${ESCAPED}@v1.0.0?from=1`);
    expect(rest.body).toMatchObject({ declarations: [{ name: 'B', deprecated: false }] });
    const below = await ask(`docs/${ESCAPED}@v1.0.0/sub`);
    expect(below.body).toMatchObject({
      declarations: [
        {
          name: 'T',
          signature: 'type T struct {\n\t// Has unexported fields.\n}',
          file: 'sub/d.go',
          line: 3,
        },
        { name: 'T.M', type: 'T', signature: 'func (T) M()' },
      ],
    });
    for (const none of ['none', 'sub/x', '%00'])
      expect([none, (await ask(`docs/${ESCAPED}@v1.0.0/${none}`)).status]).toEqual([none, 404]);
    expect((await ask('docs/private.test/a@v1.0.0', some)).status).toBe(403);
    expect((await ask('docs/private.test/none@v1.0.0', some)).status).toBe(403);
  });

  it('tells of a version what its page does', async () => {
    const { body } = await ask(`modules/${ESCAPED}@v1.0.0`);
    expect(body).toMatchObject({
      path: P,
      yanked: 'bad',
      retracted: 'old',
      record: { number: 0 },
      provenance: { source: 'proven' },
      signatures: { signed: true, by: [{ signer: { name: 'ci' } }] },
    });
    expect(body).not.toHaveProperty('time');
    expect((await ask(`modules/${ESCAPED}`)).body.newest).toBe('v1.1.0');
  });

  it('leads through lists by their next', async () => {
    for (const [target, field] of [
      ['modules', 'modules'],
      [`dependents/${ESCAPED}`, 'dependents'],
    ] as const) {
      const seen: string[] = [];
      let next: string | undefined = '';
      for (let pages = 0; next !== undefined && pages < 20; pages++) {
        const { body } = await ask(`${target}?limit=50&after=${encodeURIComponent(next)}`);
        seen.push(...body[field].map((each: { path: string }) => each.path));
        next = body.next;
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.length).toBe(field === 'modules' ? 122 : 120);
    }
    const { body } = await ask('log/records?from=120&limit=200');
    expect(body.records).toHaveLength(3);
    expect(body).not.toHaveProperty('next');
  });

  it('has ETags', async () => {
    const { headers } = await ask('modules');
    const etag = headers.get('etag')!;
    expect(await ask('modules', { ...all, 'if-none-match': etag })).toMatchObject({
      status: 304,
      body: {},
    });
    expect((await ask('modules', { ...some, 'if-none-match': etag })).status).toBe(200);
  });

  it('says what is wrong as a problem of RFC 9457', async () => {
    const validate = (await ajv()).getSchema('openapi#/components/schemas/Problem')!;
    for (const [target, headers, expected] of [
      ['modules/private.test/a', {}, 401],
      ['modules/private.test/a', some, 403],
      ['log/records', some, 403],
      ['log/incidents', {}, 401],
      ['modules/example.test/none', all, 404],
      [`modules/${ESCAPED}@v9.0.0`, all, 404],
      ['modules/..', all, 404],
      [`modules/${ESCAPED}@latest`, all, 404],
      ['dependents/x', all, 404],
      ['search', all, 400],
      ['modules?limit=0', all, 400],
      ['modules?limit=9999', all, 400],
      ['log/nothing', all, 404],
      ['history', some, 403],
      ['history?span=year', all, 400],
      ['history?from=then', all, 400],
      ['graph/private.test/a@v1.0.0', some, 403],
      [`graph/${ESCAPED}@v9.0.0`, all, 404],
      ['graph/none', all, 400],
    ] as const) {
      const { status, headers: got, body } = await ask(target.replace('..', '%2e%2e%2f'), headers);
      expect([target, status]).toEqual([target, expected]);
      expect(got.get('content-type')).toBe('application/problem+json');
      expect([validate(body), validate.errors]).toEqual([true, null]);
      expect(body.status).toBe(expected);
    }
  });

  it('says the same of what exists and what does not, to who may read neither', async () => {
    for (const headers of [{}, some])
      for (const kind of [
        'modules/private.test/X',
        'modules/private.test/X@v1.0.0',
        'dependents/private.test/X',
      ]) {
        const held = await ask(kind.replace('X', 'a'), headers);
        expect(held.body).toEqual((await ask(kind.replace('X', 'b'), headers)).body);
      }
  });

  it('tells of upstreams, to who may not read everything, only whether the public ones work', async () => {
    const told = (await ask('upstreams')).body;
    expect(JSON.stringify(told)).toContain('git.corp.test');
    for (const headers of [{}, some]) {
      const { body, status } = await ask('upstreams', headers);
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toMatch(/corp\.test|upstream\.test|secret|"incidents"/);
      expect(body).toMatchObject({
        upstreams: [
          { id: '1.1', condition: 'fails' },
          { id: '1.2', condition: 'unused' },
        ],
        database: { name: 'sum.golang.org', health: { condition: 'works' } },
      });
    }
  });

  it('tells of use only what may be read, and of clients to who may read everything', async () => {
    const { body } = await ask('usage', some);
    expect(body.modules.map(({ path }) => path)).toEqual([P]);
    expect(body).not.toHaveProperty('clients');
    expect((await ask('usage')).body).toMatchObject({
      modules: [{ path: 'private.test/a' }, { path: P }],
      clients: [{ name: 'token:ci' }, { name: 'anonymous' }],
    });
  });

  it('leads through the history by its next', async () => {
    const first = (await ask('history?limit=2&from=2026-01-01T00:00:00Z')).body;
    expect(first).toMatchObject({ rows: [{}, {}], next: expect.any(String) });
    const second = (await ask(`history?limit=200&from=${first.next}`)).body;
    expect((second as unknown as { rows: { at: string }[] }).rows[0]!.at).toBe(first.next);
    const last = (await ask('history?limit=200&from=2026-05-31')).body;
    expect(last).not.toHaveProperty('next');
  });

  it('finds and counts what may be read only', async () => {
    expect((await ask('search?q=hidden', some)).body).toMatchObject({ modules: [], total: 0 });
    expect((await ask('search?q=hidden')).body).toMatchObject({ total: 1 });
    expect((await ask('modules', {})).body).toMatchObject({ modules: [], total: 0 });
  });

  it('is described whole: every route that the server has', async () => {
    const app = readFileSync(path.join(import.meta.dirname, '../../src/http/app.ts'), 'utf8');
    const { body } = await ask('openapi.json', {});
    const described = Object.keys(body.paths);
    const list = /READ_API = \[([^\]]*)\]/.exec(app)![1]!;
    const names = [...list.matchAll(/'([^']+)'/g), ...app.matchAll(/'\/api\/v1\/([a-z]+)'/g)].map(
      ([, name]) => name!,
    );
    expect(names.length).toBeGreaterThan(8);
    for (const name of [...names, 'yanks/*', 'signatures/*']) {
      const base = `/${name.replace('*', '')}`;
      expect([
        name,
        described.some((each) => (base.endsWith('/') ? each.startsWith(base) : each === base)),
      ]).toEqual([name, true]);
    }
  });
});
