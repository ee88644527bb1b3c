import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { MadeAccess } from '../access/made-access.ts';
import { MadeSite, recordOf } from './made-site.ts';

const access = new MadeAccess();
const some = { authorization: `Bearer ${access.add('some', { read: ['private.test'] })}` };
const all = { authorization: `Bearer ${access.add('all', { read: ['*'] })}` };

let site: MadeSite;

beforeAll(async () => {
  const records = [
    ...Array.from({ length: 150 }, (_, n) => recordOf(`example.test/m${n}`, 'v1.0.0')),
    ...Array.from({ length: 60 }, (_, n) =>
      recordOf(`private.test/${'long/'.repeat(80)}x${n}`, 'v1.0.0', 'computed'),
    ),
  ];
  site = await MadeSite.start({ records, gate: gateOf(access.authenticator, false) });
  site.noteIncident('private.test/secret', 'v1.0.0', '<b>');
});

afterAll(() => site[Symbol.asyncDispose]());

describe('the page of the log', () => {
  it('shows its head, and key, to everybody', async () => {
    const { status, text } = await site.page('/ui/log');
    expect(status).toBe(200);
    const { size, root } = site.log.publishedHead()!;
    for (const said of [String(size), root.toString('base64'), site.directory.key.vkey])
      expect(text).toContain(said);
  });

  it('shows records and incidents to who may read everything, and to nobody else', async () => {
    const whole = (await site.page('/ui/log', all)).text;
    expect(whole).toContain('private.test/secret');
    expect(whole).toContain('<code class="hash">&lt;b&gt;</code>');
    expect(whole).toContain('x59@v1.0.0');
    for (const headers of [{}, some]) {
      const { text } = await site.page('/ui/log', headers);
      expect(text).not.toMatch(/private\.test|example\.test/);
    }
  });
});

describe('the list of records', () => {
  it('needs the right to read everything', async () => {
    expect((await site.page('/ui/log/records')).status).toBe(401);
    expect((await site.page('/ui/log/records', some)).status).toBe(403);
  });

  it('leads through all of them, each page small', async () => {
    const numbers: number[] = [];
    let target: string | undefined = '/ui/log/records';
    for (let pages = 0; target !== undefined && pages < 20; pages++) {
      const { text, status } = await site.page(target, all);
      expect(status).toBe(200);
      expect(Buffer.byteLength(text)).toBeLessThan(50_000);
      numbers.push(...[...text.matchAll(/<td class="number">(\d+)</g)].map(([, n]) => Number(n)));
      target = /rel="next" href="([^"]+)"/.exec(text)?.[1];
    }
    expect(numbers).toEqual(Array.from({ length: 210 }, (_, n) => n));
  });

  it('begins wherever its address says', async () => {
    for (const from of ['-1', 'x', '1e9', '999999999999999', '9'.repeat(400), '', '%00', '0x10', '1.5'])
      expect((await site.page(`/ui/log/records?from=${from}`, all)).status).toBe(200);
    expect((await site.page('/ui/log/records?from=209', all)).text).not.toContain('rel="next"');
  });
});
