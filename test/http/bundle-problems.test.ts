import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleHandler } from '../../src/http/bundle-handler.ts';
import { ClosedSite } from '../airgap/closed-site.ts';
import { ingredients, LEAF, MAIN, pack } from '../airgap/made-bundle.ts';
import { InProcess } from './in-process.ts';

let spoilt: Buffer;
let site: ClosedSite;
let server: InProcess;
const NAMES = [`${LEAF}/@v/v1.0.0.mod`, `${MAIN}/@v/v1.1.0.mod`];

beforeAll(async () => {
  const made = await ingredients();
  for (const name of NAMES) made.files.set(name, Buffer.from('module other\n'));
  spoilt = pack(made).bytes;
  site = await ClosedSite.for(made);
  server = await InProcess.start({
    find: () => Promise.reject(new Error('no modules here')),
    bundles: (exchange) => bundleHandler(exchange, site.bundles, { info: () => undefined }),
  });
});

afterAll(async () => {
  site.expectUnchanged();
  await server?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

const put = (body: Buffer, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/api/v1/bundles`, { method: 'PUT', headers, body });

it('a bundle that is refused is told all its problems, a line each', async () => {
  const answer = await put(spoilt);
  expect(answer.status).toBe(422);
  const lines = (await answer.text()).trimEnd().split('\n');
  expect(lines).toEqual([
    ...NAMES.map((name) => expect.stringMatching(`^${name}: SECURITY: it has h1:`)),
    'nothing was imported',
  ]);
  expect(server.logged.at(-1)).toMatchObject({ status: 422, code: 'bad_bundle' });
});

it('a bundle that is refused is told all its problems in JSON, where that is asked for', async () => {
  const answer = await put(spoilt, { accept: 'text/html, application/json;q=0.9' });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([422, 'application/json']);
  expect(await answer.json()).toEqual({
    error: expect.stringContaining('(and 1 more)'),
    problems: NAMES.map((name) => expect.stringMatching(`^${name}: SECURITY: it has h1:`)),
  });
});

it('any other refusal is told in JSON too, where that is asked for, and in text otherwise', async () => {
  const none = Buffer.alloc(4096, 'x');
  const answer = await put(none, { accept: 'application/json' });
  expect([answer.status, await answer.json()]).toEqual([
    422,
    { error: expect.stringContaining('bundle'), problems: [] },
  ]);
  expect((await put(none)).headers.get('content-type')).toMatch(/^text\/plain/);
});
