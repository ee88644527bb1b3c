import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KnownVulnerabilities } from '../../src/catalogue/known-vulnerabilities.ts';
import { VulndbStore } from '../../src/store/vulndb-store.ts';
import { makeDatabase, type MadeVuln } from '../vulndb/made-database.ts';
import type { MadeVersion } from './made-catalogue.ts';
import { MadeSite, NOW } from './made-site.ts';

const P = 'example.test/m';
const versions: MadeVersion[] = ['v1.0.0', 'v1.1.0', 'v1.2.0'].map((version) => ({
  path: P,
  version,
  packages: [{ importPath: P, name: 'm', synopsis: '' }],
  files: { 'm.go': 'package m\n' },
}));
const vulns: MadeVuln[] = [
  { id: 'GO-2024-0001', path: P, fixed: '1.1.0', symbols: ['Parse', '<b>\u202e'] },
  { id: 'GO-2024-0002', path: P, fixed: '1.2.0' },
  { id: 'GO-2024-0003', path: P, fixed: '0.9.0' },
  { id: 'GO-2024-0004', path: 'stdlib', fixed: '1.22.0' },
];

let data: string;
let store: VulndbStore;
let site: MadeSite;

async function imported(files: ReadonlyMap<string, Buffer>, snapshot: string): Promise<void> {
  const staged = await store.stage();
  for (const [name, body] of files) await store.put(staged, name, body);
  await store.publish(staged, snapshot);
}

const tab = (version: string, name: string) => site.page(`/ui/mod/${P}@${version}?tab=${name}`);
const told = async (version: string) =>
  (await (await site.server.get(`/api/v1/modules/${P}@${version}`)).json()) as Record<string, unknown>;

beforeAll(async () => {
  data = mkdtempSync(path.join(tmpdir(), 'gokeep-vulns-'));
  store = new VulndbStore(data);
  const vulnerabilities = new KnownVulnerabilities(store, () => NOW);
  site = await MadeSite.start({ versions, parts: { vulnerabilities } });
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
  rmSync(data, { recursive: true });
});

describe('vulnerabilities of a module', () => {
  it('are not known without a database, and the page says how one comes here', async () => {
    const { status, text } = await tab('v1.0.0', 'vulnerabilities');
    expect(status).toBe(200);
    expect(text).toContain('No vulnerability database was imported here');
    expect(text).toContain('--vulndb');
    expect((await site.page(`/ui/mod/${P}`)).text).not.toContain('None known');
    expect(await told('v1.0.0')).not.toHaveProperty('vulnerabilities');
  });

  it('stand at the versions that they affect, as soon as a database is imported', async () => {
    await imported(makeDatabase(vulns), 'first');
    const list = (await tab('v1.2.0', 'versions')).text;
    const row = (version: string) => list.split('<tr>').find((each) => each.includes(`>${version}</a></th>`));
    expect(row('v1.0.0')).toContain('2 vulnerabilities');
    expect(row('v1.1.0')).toContain('1 vulnerability');
    expect(row('v1.2.0')).not.toContain('vulnerab');
    expect((await site.page(`/ui/mod/${P}@v1.0.0`)).text).toContain('fixed in v1.1.0');
    expect((await site.page(`/ui/mod/${P}`)).text).toContain('None known');
  });

  it('are told in full, escaped, with packages, symbols and the database’s age', async () => {
    const { text } = await tab('v1.0.0', 'vulnerabilities');
    expect(text).toContain('2 vulnerabilities of v1.0.0');
    expect(text).toContain('CVE-2024-0001');
    expect(text).toContain('Parse, &lt;b&gt;[U+202E]');
    expect(text).toContain(`<a href="/ui/doc/${P}@v1.0.0"><code>${P}</code></a>`);
    expect(text).toContain(
      'By a vulnerability database last changed <time datetime="2024-05-06T07:08:09.000Z"',
    );
    expect(text).toContain('rel="nofollow noopener noreferrer">https://example.test/fix</a>');
    expect(text).toContain('Of other versions');
    expect(text.split('Of other versions')[1]).toContain('GO-2024-0003');
    expect(text).not.toContain('GO-2024-0004');
  });

  it('are in the answer of the API', async () => {
    expect(await told('v1.1.0')).toMatchObject({
      vulnerabilities: [
        {
          id: 'GO-2024-0002',
          aliases: ['CVE-2024-0002'],
          fixed: 'v1.2.0',
          packages: [{ importPath: P, symbols: [] }],
        },
      ],
      vulnerabilityDatabase: { modified: '2024-05-06T07:08:09.000Z' },
    });
    expect(await told('v1.2.0')).toMatchObject({ vulnerabilities: [] });
  });

  it('are those of the database that was imported last, without those that were withdrawn', async () => {
    const files = makeDatabase([
      { id: 'GO-2025-0001', path: P },
      { id: 'GO-2025-0002', path: P },
    ]);
    const entry = JSON.parse(files.get('ID/GO-2025-0002.json')!.toString()) as object;
    files.set(
      'ID/GO-2025-0002.json',
      Buffer.from(JSON.stringify({ ...entry, withdrawn: '2025-01-01T00:00:00Z' })),
    );
    await imported(files, 'second');
    const { text } = await tab('v1.2.0', 'vulnerabilities');
    expect(text).toContain('1 vulnerability of v1.2.0');
    expect(text).toContain('no version that is known');
    expect(text).not.toContain('GO-2025-0002');
  });

  it('keep a page small however many there are, and say where some are left out', async () => {
    const many = Array.from({ length: 300 }, (_, n) => ({
      id: `GO-2026-${1000 + n}`,
      path: P,
      symbols: Array(150).fill('S'.repeat(250)) as string[],
    }));
    await imported(makeDatabase(many), 'third');
    const { status, text } = await tab('v1.2.0', 'vulnerabilities');
    expect(status).toBe(200);
    expect(Buffer.byteLength(text)).toBeLessThan(50_000);
    expect(text).toContain('more of this module than could be read here');
    expect(text).toContain('rel="next"');
    for (const at of ['', '?tab=versions'])
      expect(Buffer.byteLength((await site.page(`/ui/mod/${P}${at}`)).text)).toBeLessThan(50_000);
  });

  it('do not keep a page from being shown when their database is damaged', async () => {
    writeFileSync(path.join(data, 'vulndb', 'current'), '../../etc');
    expect((await tab('v1.2.0', 'vulnerabilities')).text).toContain('cannot be read');
    expect((await site.page(`/ui/mod/${P}`)).status).toBe(200);
    expect(await told('v1.2.0')).not.toHaveProperty('vulnerabilities');
  });
});
