import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { MadeAccess } from '../access/made-access.ts';
import type { MadeVersion } from './made-catalogue.ts';
import { MadeSite } from './made-site.ts';

const access = new MadeAccess();
const half = { authorization: `Bearer ${access.add('half', { read: ['private.test/a'] })}` };
const nobody = {};

const EVIL = '<img src=x onerror=alert(1)>\u202e"';
const versions: MadeVersion[] = [
  ...Array.from({ length: 95 }, (_, n) => ({
    path: `example.test/m${String(n).padStart(3, '0')}`,
    version: 'v1.0.0',
    synopsis: 'Package m counts.',
  })),
  {
    path: 'private.test/a',
    version: 'v1.0.0',
    synopsis: EVIL,
    packages: [{ importPath: `private.test/a/${EVIL}`, name: 'a', synopsis: '' }],
  },
  { path: 'private.test/b', version: 'v1.0.0', synopsis: 'hidden counts.' },
];

let open: MadeSite;
let guarded: MadeSite;

beforeAll(async () => {
  open = await MadeSite.start({ versions });
  guarded = await MadeSite.start({ versions, gate: gateOf(access.authenticator, false) });
});

afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
});

const paths = (text: string) =>
  [...text.matchAll(/class="path" href="[^"]*">([^<]*)</g)].map(([, path]) => path);

describe('the list of modules', () => {
  it('has every module once, over its pages', async () => {
    const seen: unknown[] = [];
    let target: string | undefined = '/ui/modules';
    for (let pages = 0; target !== undefined; pages++) {
      expect(pages).toBeLessThan(4);
      const { status, text } = await open.page(target);
      expect(status).toBe(200);
      expect(text).toContain('97 modules');
      seen.push(...paths(text));
      target = /rel="next" href="([^"]+)"/.exec(text)?.[1];
    }
    expect(seen).toEqual(versions.map(({ path }) => path));
  });

  it('shows and counts what its reader may read only', async () => {
    const { text } = await guarded.page('/ui/modules?after=example.test/m094', half);
    expect(paths(text)).toEqual(['private.test/a']);
    expect(text).toContain('96 modules');
    const without = await guarded.page('/ui/modules', nobody);
    expect(without.status).toBe(200);
    expect(paths(without.text)).toEqual([]);
    expect(without.text).toContain('0 modules');
  });

  it('takes any place to go on from', async () => {
    for (const place of ['%00', '%ff', '../..', 'zzz', 'a'.repeat(5000), '"><script>'])
      expect((await open.page(`/ui/modules?after=${place}`)).status).toBe(200);
  });
});

describe('the search', () => {
  it('finds, and says what it looked for', async () => {
    const { text } = await open.page('/ui/search?q=m042');
    expect(paths(text)).toEqual(['example.test/m042']);
    expect(text).toContain('<q>m042</q>');
    expect(text).toContain('value="m042"');
  });

  it('does not tell of what may not be read', async () => {
    const { text } = await guarded.page('/ui/search?q=hidden', half);
    expect(text).toContain('0 modules');
    expect(text).not.toContain('private.test/b');
  });

  it('writes what was searched for, and what was found, as text', async () => {
    const { text } = await open.page(`/ui/search?q=${encodeURIComponent(EVIL)}`);
    expect(paths(text)).toEqual(['private.test/a']);
    expect(text).not.toContain('<img src=x');
    expect(text).not.toContain('\u202e');
    expect(text.match(/&lt;img src=x onerror=alert\(1\)&gt;\[U\+202E\]&quot;/g)!.length).toBeGreaterThan(4);
  });

  it('keeps the query on the way to the next page', async () => {
    const { text } = await open.page('/ui/search?q=package+m');
    expect(text).toContain('href="/ui/search?q=package%20m&amp;after=example.test%2Fm039"');
  });

  it('takes any query', async () => {
    for (const query of ['q=%', 'q=%00%ff', 'q=a&q=b', `q=${'a'.repeat(5000)}`, 'q[]=1', '?', 'q=%22%27%60'])
      expect((await open.page(`/ui/search?${query}`)).status).toBe(200);
  });
});
