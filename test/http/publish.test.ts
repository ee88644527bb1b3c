import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { type MayPublish, onlyFromHere } from '../../src/http/may-publish.ts';
import { publishHandler } from '../../src/http/publish-handler.ts';
import type { Publishing } from '../../src/publish/publishing.ts';
import { InProcess } from './in-process.ts';
import { sendRaw } from './raw-socket.ts';

const TARGET = '/corp.test/!team/lib/@v/v1.0.0.zip';
/** Where the zip says which version it is. */
const BY_ZIP = ['/api/packages/team/go/upload', '/api/v1/upload'];
const NAME = { path: 'corp.test/Team/lib', version: 'v1.0.0' };

let server: InProcess;
let mayPublish: MayPublish;
let check: Publishing['check'];
let checkOpen: Publishing['checkOpen'];
let publish: Publishing['publish'];
/** What came of each body, to its end. */
let bodies: string[];
let logged: unknown[];

beforeAll(async () => {
  server = await InProcess.start({
    find: () => Promise.reject(new Error('no modules here')),
    publish: (exchange) =>
      publishHandler({
        exchange,
        publishing: {
          checkOpen: () => checkOpen(),
          check: (...a) => check(...a),
          publish: (...a) => publish(...a),
        },
        mayPublish: (...a) => mayPublish(...a),
        log: { info: (line: unknown) => logged.push(line) },
        limits: { stalledMs: 300 },
      }),
  });
});

afterAll(() => server[Symbol.asyncDispose]());

beforeEach(() => {
  mayPublish = () => true;
  check = () => undefined;
  checkOpen = () => undefined;
  bodies = [];
  logged = [];
  publish = async (named, body) => {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    bodies.push(Buffer.concat(chunks).toString());
    if ('admit' in named) named.admit(NAME.path);
    return { ...NAME, zip: 'h1:z', mod: 'h1:m', added: true };
  };
});

async function put(target = TARGET, body = 'the zip', headers: Record<string, string> = {}) {
  const answer = await fetch(`${server.url}${target}`, { method: 'PUT', body, headers });
  return { status: answer.status, text: (await answer.text()).replaceAll('\n', ' ') };
}

/** A head that announces a body of which nothing is sent. */
const headOnly = (more = '', target = TARGET) =>
  sendRaw(server.port, `PUT ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n${more}\r\n`);

describe('PUT of a zip', () => {
  it('publishes it, and says 201 with its hashes', async () => {
    expect(await put()).toEqual({
      status: 201,
      text: `${JSON.stringify({ ...NAME, zip: 'h1:z', mod: 'h1:m', added: true })} `,
    });
    expect(bodies).toEqual(['the zip']);
    expect(logged).toEqual([{ ...NAME, zip: 'h1:z', mod: 'h1:m' }]);
  });

  it('says 200 for what had been published before', async () => {
    publish = async () => ({ ...NAME, zip: 'h1:z', mod: 'h1:m', added: false });
    expect(await put()).toMatchObject({ status: 200 });
    expect(logged).toEqual([]);
  });

  it('hands on what its header says of the commit', async () => {
    let seen: unknown;
    publish = async (_name, _body, claim) => {
      seen = claim;
      return { ...NAME, zip: 'h1:z', mod: 'h1:m', added: true };
    };
    await put(TARGET, 'x', { 'Gokeep-Info': '{"Time":"2024-01-02T03:04:05Z"}' });
    expect(seen).toEqual({ time: new Date('2024-01-02T03:04:05Z'), origin: undefined });
    expect(await put(TARGET, 'x', { 'Gokeep-Info': '{"Time":"yesterday"}' })).toMatchObject({ status: 422 });
  });

  it.each([
    ['taken', 409],
    ['bad_upload', 422],
    ['too_large', 413],
    ['refused', 403],
    ['storage_full', 503],
  ] as const)('of which %s is the reason is %i', async (code, status) => {
    publish = () => Promise.reject(new GokeepError(code, 'says why'));
    expect(await put()).toEqual({ status, text: 'says why' });
  });

  it('is refused by rights, by rules and by its shape before its body is read', async () => {
    mayPublish = (_, path) => path !== NAME.path;
    expect(await headOnly()).toMatchObject({ status: 403, closed: true });
    mayPublish = () => true;
    check = () => {
      throw new GokeepError('bad_upload', 'no');
    };
    expect(await headOnly()).toMatchObject({ status: 422, closed: true });
    check = () => undefined;
    expect(await headOnly('Gokeep-Info: x\r\n')).toMatchObject({ status: 422, closed: true });
    expect(bodies).toEqual([]);
  });

  it('says the same of every module to whoever has no right', async () => {
    mayPublish = () => false;
    const { text } = await put();
    expect(text).toContain('You may not publish corp.test/Team/lib here');
    expect((await put('/open.test/x/@v/v1.0.0.zip')).text.replace('open.test/x', NAME.path)).toBe(text);
  });

  it.each(BY_ZIP)('to %s has the zip say which version it is', async (target) => {
    expect(await put(target)).toEqual(await put());
    expect(bodies).toEqual(['the zip', 'the zip']);
  });

  it.each(BY_ZIP)(
    'to %s is refused before its body is read where nobody could publish it',
    async (target) => {
      mayPublish = (_, path) => path !== undefined;
      expect(await headOnly('', target)).toMatchObject({ status: 403, closed: true });
      mayPublish = () => true;
      expect(await headOnly('Gokeep-Info: x\r\n', target)).toMatchObject({ status: 422, closed: true });
      checkOpen = () => {
        throw new GokeepError('refused', 'a replica');
      };
      expect(await headOnly('', target)).toMatchObject({ status: 403, closed: true });
      expect(bodies).toEqual([]);
    },
  );

  it.each(BY_ZIP)('to %s is refused as to its own address once the zip has named it', async (target) => {
    mayPublish = (_, path) => path === undefined;
    const byName = await put();
    expect(bodies).toEqual([]);
    expect(await put(target)).toEqual(byName);
    expect(bodies).toEqual(['the zip']);
    expect(logged).toEqual([]);
  });

  it.each([
    ['/corp.test/!team/lib/@v/v1.0.0.mod', 405],
    ['/corp.test/!team/lib/@v/v1.0.0.info', 405],
    ['/corp.test/!team/lib/@v/v1.0.0.zip?x', 405],
    ['/corp.test/!team/lib/@latest', 405],
    ['/', 405],
    ['/api/v1/other', 405],
    ['/api/v1/upload/', 405],
    ['/api/v1/upload?x', 405],
    ['/api/v1/%75pload', 405],
    ['/api/packages/upload', 405],
    ['/api/packages/team/go/upload/', 405],
    ['/api/packages/team/go/upload?x=/api/v1/upload', 405],
    ['/api/packages/team/npm/upload', 405],
    ['/api/packages/team/more/go/upload', 405],
    ['/api/packages//go/upload', 405],
    ['/cached-only/api/v1/upload', 405],
    ['/corp.test/Team/lib/@v/v1.0.0.zip', 404],
    ['/corp.test/lib/@v/latest.zip', 404],
    ['/corp.test/lib/@v/v1.0.zip', 404],
    ['/corp.test/lib/@v/v1.0.0+meta.zip', 404],
    ['/corp.test/lib/@v/-x.zip', 404],
    ['/cached-only/corp.test/lib/@v/v1.0.0.zip', 400],
  ])('to %s publishes nothing: %i', async (target, status) => {
    expect(await put(target)).toMatchObject({ status });
    expect(bodies).toEqual([]);
  });

  it.each([TARGET, ...BY_ZIP])('to %s without a body is 400, as of the store only', async (target) => {
    const answer = await fetch(`${server.url}${target}`, { method: 'PUT' });
    expect(answer.status).toBe(400);
    expect(await put(target, 'x', { 'Disable-Module-Fetch': 'true' })).toMatchObject({ status: 400 });
  });

  it.each([TARGET, ...BY_ZIP])(
    'to %s that breaks off, or stalls, is told to whoever publishes',
    async (target) => {
      const endings: unknown[] = [];
      publish = async (_name, body) => {
        try {
          for await (const _ of body);
        } catch (error) {
          endings.push(error);
          throw error;
        }
        return { ...NAME, zip: 'h1:z', mod: 'h1:m', added: true };
      };
      for (const breaks of [true, false]) {
        const socket = connect(server.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(`PUT ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhalf`);
        await once(socket, 'connect');
        if (breaks) setTimeout(() => socket.destroy(), 50);
        await once(socket, 'close');
      }
      await expect.poll(() => endings).toHaveLength(2);
      for (const error of endings)
        expect(error).toMatchObject({
          code: 'bad_upload',
          message: expect.stringContaining('nothing was published') as string,
        });
    },
  );

  it('waits for its turn where many come at once: the ninth is told to come again', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    publish = async () => {
      await go;
      return { ...NAME, zip: 'h1:z', mod: 'h1:m', added: true };
    };
    const eight = Array.from({ length: 8 }, () => put());
    await expect.poll(async () => (await put()).status).toBe(503);
    resolve();
    expect((await Promise.all(eight)).map(({ status }) => status)).toEqual(Array(8).fill(201));
    expect(await put()).toMatchObject({ status: 201 });
  });
});

describe('without access control', () => {
  const from = (headers: Record<string, string>, loopbackOnly = true) =>
    onlyFromHere(loopbackOnly)({ request: { headers } } as never, NAME.path);

  it('programs on this machine may publish, where nothing else can reach the server', () => {
    expect(from({ host: '127.0.0.1:8787' })).toBe(true);
    expect(from({ host: '127.0.0.1:8787' }, false)).toBe(false);
  });

  it.each(['origin', 'sec-fetch-site', 'x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])(
    'a page in a browser or somebody behind a front server may not: %s',
    (name) => {
      expect(from({ [name]: 'null' })).toBe(false);
    },
  );
});
