import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { signatureHandler } from '../../src/http/signature-handler.ts';
import type { Signing } from '../../src/publish/signing.ts';
import { InProcess } from './in-process.ts';

const TARGET = '/api/v1/signatures/corp.test/!team/lib@v1.0.0';
const OTHER = '/api/v1/signatures/corp.test/none/lib@v1.0.0';
const NAME = 'corp.test/Team/lib';

let server: InProcess;
let attached: [path: string, version: string, text: string][];
let attach: Signing['attach'];
let rights: { publish: boolean; read: boolean };

beforeAll(async () => {
  const signing = {
    attach: (...a: Parameters<Signing['attach']>) => attach(...a),
    show: () => ({ required: true, signed: false, signatures: [] }),
  } as unknown as Signing;
  server = await InProcess.start({
    find: () => Promise.reject(new GokeepError('not_found', 'no module')),
    signatures: (exchange) =>
      signatureHandler({
        exchange,
        signing,
        publishing: { check: () => undefined },
        find: (path, version) =>
          path === NAME ? { id: 1, path, version, zip: 'h1:z', mod: 'h1:m' } : undefined,
        mayPublish: () => rights.publish,
        mayRead: () => rights.read,
        log: { info: () => undefined },
      }),
  });
});

beforeEach(() => {
  rights = { publish: true, read: true };
  attached = [];
  attach = async (path, version, text) => {
    attached.push([path, version, text]);
    return { state: 'waiting', until: 0 };
  };
});

afterAll(() => server[Symbol.asyncDispose]());

const put = async (target: string, body = '{}') => {
  const answer = await fetch(`${server.url}${target}`, { method: 'PUT', body });
  return { status: answer.status, text: await answer.text() };
};

describe('signatures over HTTP', () => {
  it('are taken for the module and version that the address names, as text', async () => {
    expect(await put(TARGET, '{"a": 1}')).toMatchObject({ status: 202 });
    expect(attached).toEqual([[NAME, 'v1.0.0', '{"a": 1}']]);
  });

  it('are refused before they are read, in the same words for every module, to whoever may not publish', async () => {
    rights.publish = false;
    const { status, text } = await put(TARGET);
    expect(status).toBe(403);
    expect((await put(OTHER)).text.replace('corp.test/none/lib', NAME)).toBe(text);
    expect(attached).toEqual([]);
  });

  it('are shown to nobody who may not read the module, in the same words whether it exists or not', async () => {
    rights.read = false;
    const [here, none] = [await server.get(TARGET), await server.get(OTHER)];
    expect([here.status, none.status]).toEqual([403, 403]);
    expect((await none.text()).replace('corp.test/none/lib', NAME)).toBe(await here.text());
  });

  it('are shown of what is on record, for no cache to keep', async () => {
    const answer = await server.get(TARGET);
    expect(answer.headers.get('cache-control')).toMatch(/no-store|private/);
    expect(await answer.json()).toEqual({
      path: NAME,
      version: 'v1.0.0',
      zip: 'h1:z',
      required: true,
      signed: false,
      signatures: [],
    });
    expect((await server.get(OTHER)).status).toBe(404);
  });

  it.each([
    ['/api/v1/signatures/corp.test/Team/lib@v1.0.0', 404],
    ['/api/v1/signatures/corp.test/lib', 400],
    ['/api/v1/signatures/', 400],
    ['/api/v1/signatures/corp.test/lib@v1.0.0%2f..%2fx', 404],
  ])('of %s are of nothing', async (target, status) => {
    expect(await put(target)).toMatchObject({ status });
    expect(attached).toEqual([]);
  });

  it.each([
    ['bad_signature', 422],
    ['refused', 403],
    ['busy', 503],
  ] as const)('that are %s are %i', async (code, status) => {
    attach = () => Promise.reject(new GokeepError(code, 'why it is so'));
    expect(await put(TARGET)).toEqual({ status, text: expect.stringContaining('why it is so') as string });
  });
});
