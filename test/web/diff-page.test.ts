import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { MadeAccess } from '../access/made-access.ts';
import type { MadeVersion } from './made-catalogue.ts';
import { MadeSite } from './made-site.ts';

const EVIL = '<script>"\u202e';
const P = 'example.test/m';
const random = (n: number, seed: number) =>
  Array.from({ length: n }, (_, at) => `${(at * 7919 + seed) % 100_003}\n`).join('');

const versions: MadeVersion[] = [
  {
    path: P,
    version: 'v1.0.0',
    files: {
      'go.mod': `module ${P}\n\ngo 1.20\n`,
      'same.go': 'package m\n',
      'changed.go': 'package m\n\nvar a = 1\n',
      'removed.go': 'package gone\n',
      bin: '\0a',
      [`${EVIL}.go`]: EVIL,
      constructor: 'x',
    },
  },
  {
    path: P,
    version: 'v1.1.0',
    files: {
      'go.mod': `module ${P}\n\ngo 1.22\n`,
      'same.go': 'package m\n',
      'changed.go': 'package m\n\nvar a = 2\n',
      'added.go': 'package fresh\n',
      bin: '\0b',
      [`${EVIL}.go`]: `${EVIL}${EVIL}`,
    },
  },
  ...['v1.2.0', 'v1.3.0'].map((version, seed) => ({
    path: P,
    version,
    files: {
      'huge.go': random(100_000, seed),
      'other.go': random(30_000, seed * 31),
      'line.go': `${version}${'<'.repeat(200_000)}`,
      ...Object.fromEntries(
        Array.from({ length: 1000 }, (_, n) => [`f/${'&'.repeat(200)}${n}`, `${version}\n`]),
      ),
    },
  })),
  { path: 'private.test/held', version: 'v1.0.0', files: { a: 'secret' } },
];

const access = new MadeAccess();
const other = { authorization: `Bearer ${access.add('other')}` };
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

describe('the changes between two versions', () => {
  it('are shown file by file, go.mod first', async () => {
    const { status, text } = await open.page(`/ui/diff/${P}/v1.0.0...v1.1.0`);
    expect(status).toBe(200);
    expect(text).toContain('7 files differ, 1 file do not.');
    const rows = [
      ...text.matchAll(/<span class="tag [a-z]*">(\w+)<\/span><\/td><th[^>]*><a [^>]*>([^<]*)</g),
    ].map((row) => row.slice(1));
    expect(rows[0]).toEqual(['changed', 'go.mod']);
    expect(rows).toContainEqual(['added', 'added.go']);
    expect(rows).toContainEqual(['removed', 'removed.go']);
    expect(rows).toContainEqual(['changed', 'bin']);
    expect(text).toContain('<span class="del">-go 1.20\n</span><span class="add">+go 1.22\n</span>');
    expect(text).toContain('<span class="add">+package fresh\n</span>');
    expect(text).not.toContain('same.go');
  });

  it('can be turned round, and are none between a version and itself', async () => {
    const { text } = await open.page(`/ui/diff/${P}/v1.1.0...v1.0.0`);
    expect(text).toContain('<span class="del">-go 1.22\n</span><span class="add">+go 1.20\n</span>');
    expect((await open.page(`/ui/diff/${P}/v1.0.0...v1.0.0`)).text).toContain(
      '0 files differ, 7 files do not.',
    );
  });

  it('are shown of one file alone', async () => {
    const { text } = await open.page(`/ui/diff/${P}/v1.0.0...v1.1.0?file=changed.go`);
    expect(text).toContain('+var a = 2');
    expect(text).not.toContain('go 1.22');
    expect((await open.page(`/ui/diff/${P}/v1.0.0...v1.1.0?file=bin`)).text).toContain(
      'This file is no text',
    );
  });

  it('write whatever is in the files as text', async () => {
    for (const query of [
      '',
      `?file=${encodeURIComponent(`${EVIL}.go`)}`,
      `?file=${encodeURIComponent(EVIL)}`,
    ]) {
      const { text } = await open.page(`/ui/diff/${P}/v1.0.0...v1.1.0${query}`);
      expect(text).not.toContain('<script>"');
      expect(text).not.toContain('\u202e');
    }
  });

  it('are bounded, in bytes and in time, however many there are', async () => {
    for (const query of ['', '?from=500', '?file=huge.go', '?file=other.go', '?file=line.go']) {
      const started = performance.now();
      const { status, text } = await open.page(`/ui/diff/${P}/v1.2.0...v1.3.0${query}`);
      expect([query, status]).toEqual([query, 200]);
      expect(Buffer.byteLength(text), query).toBeLessThan(50_000);
      expect(performance.now() - started, query).toBeLessThan(1_500);
    }
  });

  it('are not said to be none where there was too much to compare', async () => {
    const { text } = await open.page(`/ui/diff/${P}/v1.2.0...v1.3.0`);
    expect(text).toMatch(/\d+ files of the same size were not compared here/);
    const alone = await open.page(
      `/ui/diff/${P}/v1.2.0...v1.3.0?file=${encodeURIComponent(`f/${'&'.repeat(200)}999`)}`,
    );
    expect(alone.text).toContain('<span class="add">+v1.3.0');
  });

  it('need both versions', async () => {
    for (const rest of [
      `${P}/v1.0.0...v9.9.9`,
      `${P}/v9.9.9...v1.0.0`,
      `${P}/v1.0.0`,
      `${P}/v1.0.0..v1.1.0`,
      `${P}/a...b`,
      'v1.0.0...v1.1.0',
      '...',
      `${P}/v1.0.0...v1.1.0...v1.2.0`,
    ])
      expect([rest, (await open.page(`/ui/diff/${rest}`)).status]).toEqual([rest, 404]);
  });

  it('need the right to read the module, whether it exists or not', async () => {
    for (const [headers, status] of [
      [{}, 401],
      [other, 403],
    ] as const)
      for (const name of ['held', 'none'])
        expect((await guarded.page(`/ui/diff/private.test/${name}/v1.0.0...v1.0.0`, headers)).status).toBe(
          status,
        );
  });
});
