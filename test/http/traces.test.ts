import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { Traces, untraced } from '../../src/http/traces.ts';
import { MadeAccess } from '../access/made-access.ts';
import { LOG_NAME } from '../cli/data-directory.ts';
import { MadeSite } from '../web/made-site.ts';

const ID = '0123456789abcdef0123456789abcdef';
const OTHER = 'f'.repeat(32);
const access = new MadeAccess();
const reader = access.add('alice', { read: ['example.test/*'] });

let site: MadeSite;
beforeAll(async () => {
  const versions = [{ path: 'example.test/m', version: 'v1.0.0' }];
  site = await MadeSite.start({ versions, gate: gateOf(access.authenticator, false) });
});
afterAll(() => site[Symbol.asyncDispose]());

const lines = async (id: string, query = '') => {
  const answer = await site.server.get(`/api/v1/requests/${id}${query}`);
  const body = (await answer.json()) as { requests: Record<string, unknown>[]; next?: number };
  return { status: answer.status, ...body };
};

describe('a traced address', () => {
  it('answers as without, to the same people, and has its lines read by who knows the number', async () => {
    const lookup = `/sumdb/${LOG_NAME}/lookup/example.test/m@v1.0.0`;
    const headers = { authorization: `Bearer ${reader}` };
    const plain = await (await site.server.get(lookup, headers)).text();
    expect(await (await site.server.get(`/traced/${ID}${lookup}`, headers)).text()).toBe(plain);
    const refused = await site.server.get(`/traced/${ID}/private.test/x/@v/list?token=secret`);
    expect(refused.status).toBe(401);
    const { status, requests } = await lines(ID);
    expect(status).toBe(200);
    expect(requests).toEqual([
      expect.objectContaining({ method: 'GET', target: lookup, status: 200, user: 'token:alice' }),
      expect.objectContaining({ target: '/private.test/x/@v/list', status: 401, code: 'unauthenticated' }),
    ]);
    expect(JSON.stringify(requests)).not.toMatch(/secret|detail|agent/);
    expect(await lines(ID, '?limit=1')).toMatchObject({ requests: [requests[0]], next: 1 });
    expect(await lines(ID, '?limit=1&from=1')).toMatchObject({ requests: [requests[1]] });
    expect((await lines(OTHER)).status).toBe(404);
    expect(site.server.logged.filter(({ url }) => String(url).startsWith(`/traced/${ID}/`))).toHaveLength(2);
  });

  it('is kept out of the prepared answers, whose room it would fill with numbers', async () => {
    const before = site.server.prepared.bytes;
    const headers = { authorization: `Bearer ${reader}` };
    await (await site.server.get(`/traced/${OTHER}/sumdb/${LOG_NAME}/tile/8/0/000.p/1`, headers)).text();
    expect((await lines(OTHER)).requests).toMatchObject([{ status: 200 }]);
    expect(site.server.prepared.bytes).toBe(before);
  });

  it('has 32 hexadecimal digits, and leads to modules and databases only', async () => {
    for (const target of [
      `/traced/abc/example.test/m`,
      `/traced/${ID.toUpperCase()}/x.test/m`,
      `/traced/${ID}`,
    ])
      expect(untraced(target)).toBe(target);
    for (const target of [`/traced/${ID}/api/v1/log`, `/traced/${ID}/ui/`, `/traced/${ID}/metrics`])
      expect([target, (await site.server.get(target)).status >= 400]).toEqual([target, true]);
  });
});

describe('what is remembered of traces', () => {
  const line = { method: 'GET', status: 200, bytes: 1, ms: 1, from: 'store', client: '127.0.0.1' };

  it('is of the last minutes, and of so many requests in all', () => {
    let now = 0;
    const traces = new Traces(() => now);
    traces.add(`/traced/${ID}/old.test/m/@v/list`, line);
    now = 16 * 60_000;
    expect(traces.of(ID)).toEqual([]);
    traces.add(`/traced/${ID}/first.test/m/@v/list`, line);
    for (let n = 0; n < 10_000; n++) traces.add(`/traced/${OTHER}/x.test/m/@v/v1.0.${n}.info`, line);
    expect(traces.of(ID)).toEqual([]);
    expect(traces.of(OTHER).length).toBeLessThanOrEqual(2_500);
    expect(traces.of(OTHER).at(-1)).toMatchObject({ target: '/x.test/m/@v/v1.0.9999.info' });
  });

  it('is short, however long the target is', () => {
    const traces = new Traces();
    traces.add(`/traced/${ID}/${'x'.repeat(100_000)}`, line);
    expect(JSON.stringify(traces.of(ID)).length).toBeLessThan(3_000);
  });
});
