import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demandAll } from '../../src/access/demand.ts';
import { GokeepError } from '../../src/errors.ts';
import { gateOf } from '../../src/http/gate.ts';
import { byRight } from '../../src/http/may-publish.ts';
import { publishHandler } from '../../src/http/publish-handler.ts';
import { MadeAccess } from '../access/made-access.ts';
import { moduleZipOf, PublishingSite } from '../publish/publishing-site.ts';
import { InProcess } from './in-process.ts';
import { rawGet, sendRaw } from './raw-socket.ts';

const SUMDB = '/sumdb/sum.test.internal';
const HELD = 'private.test/held';
const MISSING = 'private.test/missing';

const access = new MadeAccess();
const tokens = {
  none: undefined,
  garbage: 'hunter2',
  expired: access.add('expired', { read: ['*'], admin: ['*'], expires: 1 }),
  revoked: access.add('revoked', { read: ['*'], admin: ['*'], revoked: 1 }),
  public: access.add('public'),
  other: access.add('other', { read: ['private.test/other'], publish: ['*'] }),
  held: access.add('held', { read: ['private.test/held', 'private.test/missing'] }),
  everything: access.add('everything', { read: ['*'] }),
  publisher: access.add('publisher', { publish: [HELD] }),
  elsewhere: access.add('elsewhere', { publish: ['private.test/other'] }),
  admin: access.add('admin', { admin: ['*'] }),
} as const;
type Who = keyof typeof tokens;

const bearer = (who: Who): Record<string, string> =>
  tokens[who] === undefined ? {} : { authorization: `Bearer ${tokens[who]}` };
const basic = (token: string) => `Basic ${Buffer.from(`anybody:${token}`).toString('base64')}`;

let server: InProcess;
let found: string[] = [];
let site: PublishingSite;

beforeAll(async () => {
  site = await PublishingSite.open({ isPrivate: () => true });
  server = await InProcess.start({
    gate: gateOf(access.authenticator, false),
    isPrivate: () => true,
    find: async (request) => {
      found.push(request.path);
      if (request.path.endsWith('/missing')) throw new GokeepError('not_found', `no ${request.path}`);
      return { kind: 'bytes', body: Buffer.from('x'.repeat(100)), origin: 'store', immutable: true };
    },
    databases: [
      {
        name: 'sum.test.internal',
        lookup: async (path, version) => {
          found.push(path);
          if (path.endsWith('/missing')) throw new GokeepError('not_found', `no ${path}`);
          return Buffer.from(`${path} ${version}\n`);
        },
        latest: async () => Buffer.from('head\n'),
        tile: async () => Buffer.alloc(32),
      },
    ],
    bundles: (exchange) => async (asked) => {
      demandAll(asked.principal, 'admin');
      exchange.text(asked, { kind: 'bundle', status: 201, contentType: 'text/plain', body: 'taken\n' });
    },
    publish: (exchange) =>
      publishHandler({
        exchange,
        publishing: site.publishing,
        mayPublish: byRight,
        log: { info: () => undefined },
      }),
  });
});

beforeEach(() => {
  found = [];
  server.prepared.clear();
  access.authenticator.forget();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const ENDS = ['@v/list', '@latest', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip', '@v/main.info'];
const ofModule = (path: string) => [
  ...ENDS.map((end) => `/${path}/${end}`),
  `/cached-only/${path}/@v/list`,
  `${SUMDB}/lookup/${path}@v1.0.0`,
];
const asks: readonly (readonly [string, string, Record<string, string>])[] = [
  ['GET', 'GET', {}],
  ['HEAD', 'HEAD', {}],
  ['Range', 'GET', { range: 'bytes=0-9' }],
  ['If-None-Match', 'GET', { 'if-none-match': '*' }],
  ['Disable-Module-Fetch', 'GET', { 'disable-module-fetch': 'true' }],
];

/** All of an answer but the date. */
async function whole(
  target: string,
  who: Who,
  method = 'GET',
  headers: Record<string, string> = {},
): Promise<string> {
  const lines = Object.entries({ ...bearer(who), ...headers }).map(([name, value]) => `${name}: ${value}`);
  const { text } = await sendRaw(server.port, rawGet(target, lines).replace(/^GET/, method));
  return text.replace(/^Date: .*\r\n/m, '');
}

describe('what exists and what does not look the same to whom has no right (cases 82, 83)', () => {
  it.each(asks)('%s', async (_name, method, headers) => {
    // Whoever may has them prepared.
    for (const target of ofModule(HELD)) expect((await server.get(target, bearer('held'))).status).toBe(200);
    found = [];
    const answers = await Promise.all(
      [HELD, MISSING].flatMap((path) =>
        ofModule(path).flatMap((target) =>
          (['public', 'other', 'admin'] as const).map((who) => whole(target, who, method, headers)),
        ),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(found).toEqual([]);
  });

  it('nor is anything found out without credentials or with bad ones', async () => {
    for (const who of ['none', 'garbage', 'expired', 'revoked'] as const) {
      const answers = await Promise.all(
        [HELD, MISSING, 'open.test/m'].flatMap((path) => ofModule(path).map((target) => whole(target, who))),
      );
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
      expect(answers[0]).toContain('WWW-Authenticate: Basic realm="gokeep"\r\n');
      expect(answers[0]).toContain('Content-Type: text/plain; charset=utf-8\r\n');
    }
    expect(found).toEqual([]);
  });

  it('and whoever has the right is told', async () => {
    for (const target of ofModule(MISSING))
      expect((await server.get(target, bearer('held'))).status).toBe(404);
    for (const target of ofModule(`${HELD}/pkg/missing`))
      expect((await server.get(target, bearer('held'))).status).toBe(404);
    for (const target of ofModule('private.test'))
      expect((await server.get(target, bearer('other'))).status).toBe(200);
  });
});

describe('every route with every kind of credentials (case 82)', () => {
  const EVERYBODY: readonly Who[] = Object.keys(tokens) as Who[];
  const known: readonly Who[] = ['public', 'other', 'held', 'everything', 'publisher', 'elsewhere', 'admin'];
  const publish: readonly Who[] = ['other', 'publisher'];
  const routes: readonly (readonly [string, string, readonly Who[]])[] = [
    ['GET', '/', EVERYBODY],
    ['GET', '/livez', EVERYBODY],
    ['GET', '/readyz', EVERYBODY],
    ['GET', '/metrics', EVERYBODY],
    ['GET', `${SUMDB}/supported`, EVERYBODY],
    ['GET', `${SUMDB}/latest`, EVERYBODY],
    ['GET', `${SUMDB}/tile/8/0/000`, EVERYBODY],
    ['GET', `${SUMDB}/tile/8/1/000.p/3`, EVERYBODY],
    ['GET', `${SUMDB}/tile/8/data/000`, ['everything']],
    ['HEAD', `${SUMDB}/tile/8/data/000.p/9`, ['everything']],
    ['GET', `${SUMDB}/lookup/open.test/m@v1.0.0`, known],
    ['GET', `${SUMDB}/lookup/${HELD}@v1.0.0`, ['held', 'everything']],
    ['GET', '/open.test/m/@v/list', known],
    ['GET', `/${HELD}/@v/v1.0.0.zip`, ['held', 'everything']],
    ['HEAD', `/${HELD}/@v/v1.0.0.zip`, ['held', 'everything']],
    ['GET', `/${HELD}/@v/v1.0.0.zip?x=1`, ['held', 'everything']],
    ['GET', `/cached-only/${HELD}/@latest`, ['held', 'everything']],
    ['PUT', '/api/v1/bundles', ['admin']],
    ['PUT', `/${HELD}/@v/v1.0.0.zip`, publish],
    ['PUT', '/api/v1/upload', publish],
    ['PUT', '/api/packages/anybody/go/upload', publish],
  ];
  const zip = moduleZipOf(HELD, 'v1.0.0');

  it.each(routes)('%s %s', async (method, target, may) => {
    // Twice: the second time it is prepared, and who asks is remembered.
    for (const time of ['first', 'second'])
      for (const who of EVERYBODY) {
        const body = method === 'PUT' ? { body: new Uint8Array(zip) } : {};
        const { status } = await fetch(server.url + target, { method, headers: bearer(who), ...body });
        const refused = known.includes(who) ? 403 : 401;
        expect(`${time} ${who} ${may.includes(who) ? status < 300 : status}`).toBe(
          `${time} ${who} ${may.includes(who) ? true : refused}`,
        );
      }
  });

  it('a zip that names its version is refused as its own address refuses it, whichever it is', async () => {
    const ask = async (target: string, who: Who, body: Buffer) => {
      const answer = await fetch(server.url + target, {
        method: 'PUT',
        headers: bearer(who),
        body: new Uint8Array(body),
      });
      return `${answer.status} ${await answer.text()}`;
    };
    const answers = [];
    for (const target of [`/${HELD}/@v/v1.0.0.zip`, '/api/v1/upload', '/api/packages/anybody/go/upload'])
      for (const who of ['public', 'elsewhere'] as const)
        for (const path of [HELD, MISSING])
          answers.push(await ask(target.replace(HELD, path), who, moduleZipOf(path, 'v1.0.0')));
    expect(answers[0]).toMatch(/^403 /);
    expect(new Set(answers).size).toBe(1);
    expect(await site.leftovers()).toEqual([]);
  });

  it.each(['OPTIONS', 'POST', 'DELETE', 'PUT'])('%s of a module is refused to all alike', async (method) => {
    for (const who of EVERYBODY)
      expect((await server.get(`/${HELD}/@v/list`, bearer(who), method)).status).toBe(405);
  });

  it.each([
    `/${HELD}/@v/list/`,
    `/${HELD.toUpperCase()}/@v/list`,
    `//${HELD}/@v/list`,
    `/${HELD}/@v/LIST`,
    '/api/v1/bundles',
    '/api/v1/upload',
    '/api/packages/anybody/go/upload',
  ])('%s gives nothing away', async (target) => {
    const statuses = await Promise.all(
      EVERYBODY.map(async (who) => (await server.get(target, bearer(who))).status),
    );
    expect(statuses.filter((status) => status < 400)).toEqual([]);
    expect(found).toEqual([]);
  });

  it('an escaped path has the rights of the path that it means', async () => {
    const upper = access.add('upper', { read: ['private.test/Upper'] });
    const headers = { authorization: `Bearer ${upper}` };
    for (const spelled of ['!upper', '%21upper'])
      expect((await server.get(`/private.test/${spelled}/@v/list`, headers)).status).toBe(200);
    expect((await server.get('/private.test/upper/@v/list', headers)).status).toBe(403);
  });
});

describe('credentials', () => {
  it('come as Basic with any user, as netrc has them, and as Bearer', async () => {
    const target = `/${HELD}/@v/list`;
    for (const authorization of [basic(tokens.held), `Bearer ${tokens.held}`, `bearer ${tokens.held}`])
      expect((await server.get(target, { authorization })).status).toBe(200);
  });

  it('that were good are refused once revoked, out of memory too', async () => {
    const token = access.add('short', { read: ['private.test/held'] });
    const headers = { authorization: `Bearer ${token}` };
    const target = `/${HELD}/@v/v1.0.0.mod`;
    for (let at = 0; at < 3; at++) expect((await server.get(target, headers)).status).toBe(200);
    expect((await server.get(target, headers)).headers.get('x-gokeep-from')).toBe('memory');
    access.revoke('short');
    access.tokens.look();
    expect((await server.get(target, headers)).status).toBe(401);
    expect((await server.get(target, bearer('held'))).status).toBe(200);
  });

  it('are in no log line, whatever becomes of the request; who asked is (case 85)', async () => {
    for (const who of Object.keys(tokens) as Who[]) {
      const secret = tokens[who];
      if (secret === undefined) continue;
      for (const headers of [bearer(who), { authorization: basic(secret) }]) {
        await server.get(`/${HELD}/@v/list`, headers);
        await server.get(`/${HELD}/@v/list`, headers);
        await server.get(`/${HELD}/@v/list?token=${secret}`, headers);
      }
    }
    const text = JSON.stringify(server.logged);
    for (const secret of Object.values(tokens)) {
      if (secret === undefined) continue;
      expect(text).not.toContain(secret);
      expect(text).not.toContain(basic(secret).slice(6));
      expect(text).not.toContain(secret.slice(0, 20));
    }
    const users = new Set(server.logged.map((line) => line['user']));
    expect([...users]).toEqual(
      expect.arrayContaining([
        'token:admin',
        'token:elsewhere',
        'token:everything',
        'token:held',
        'token:other',
        'token:public',
      ]),
    );
    const refused = server.logged.find((line) => line['user'] === 'token:other' && line['status'] === 403);
    expect(refused).toMatchObject({
      level: 40,
      code: 'forbidden',
      detail: expect.stringContaining('token:other') as string,
    });
  });
});

describe('public modules without credentials', () => {
  it('are read with public = anonymous, also with bad ones, and private ones are not', async () => {
    const open = new MadeAccess({ publicReads: 'anonymous' });
    await using anonymous = await InProcess.start({
      gate: gateOf(open.authenticator, false),
      find: async () => ({ kind: 'bytes', body: Buffer.from('x'), origin: 'store', immutable: true }),
    });
    for (let time = 0; time < 2; time++)
      for (const headers of [{}, { authorization: 'Bearer hunter2' }] as Record<string, string>[]) {
        const answer = await anonymous.get('/open.test/m/@v/v1.0.0.mod', headers);
        expect(answer.status).toBe(200);
        expect(answer.headers.get('cache-control')).toMatch(/^public/);
        expect((await anonymous.get(`/${HELD}/@v/v1.0.0.mod`, headers)).status).toBe(401);
      }
  });
});

describe('an answer that not everybody may have', () => {
  it('is kept by no shared cache', async () => {
    for (const target of [
      `/${HELD}/@v/v1.0.0.zip`,
      `${SUMDB}/tile/8/data/000`,
      `${SUMDB}/lookup/${HELD}@v1.0.0`,
    ])
      expect((await server.get(target, bearer('everything'))).headers.get('cache-control')).toMatch(
        /^private/,
      );
    expect((await server.get(`/${HELD}/@v/list`, bearer('other'))).headers.get('cache-control')).toBe(
      'no-store',
    );
    expect((await server.get(`/${HELD}/@v/list`)).headers.get('cache-control')).toBe('no-store');
  });
});
