import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectedSite } from '../airgap/connected-site.ts';
import { gokeep } from '../cli/program.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import type { MadeModule } from '../world/modules.ts';

const LEAF = 'example.test/leaf@v1.0.0';
const TREE = 'example.test/tree@v1.1.0';
const CHECKS = 'example.test/checks@v1.0.0';
const DAY_MS = 86_400_000;
const BIG = 'example.test/big@v1.0.0';

let site: ConnectedSite;
let vkey: string;
let leaf: MadeModule;
let big: string;
let count = 0;

const zipName = (module: string) => `${module.replace('@', '/@v/')}.zip`;

/** The zips in a bundle, as tar lists them. */
const zipsIn = (bundle: string): string[] =>
  execFileSync('tar', ['-tf', bundle], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => name.endsWith('.zip'));

const verify = (bundle: string, ...args: string[]) =>
  gokeep([
    'bundle',
    'verify',
    bundle,
    '--key',
    vkey,
    '--key',
    site.worldVkey,
    '--data',
    site.at('none'),
    ...args,
  ]);

/** A closed site with nothing in it yet. */
async function closedSite() {
  const toml = await site.closedToml('offline');
  const config = await site.file(`closed-${++count}.toml`, `version = 1\n${toml}`);
  const data = site.at(`closed-${count}`);
  await mkdir(data);
  const run = (...args: string[]) =>
    gokeep([...args, '--config', config, '--data', data], { PATH: process.env['PATH']! });
  return { data, toml, run };
}

/** One JSON document and nothing else. */
function json(o: { stdout: string; stderr: string }): Record<string, unknown> {
  expect(o.stderr).toBe('');
  return JSON.parse(o.stdout) as Record<string, unknown>;
}

beforeAll(async () => {
  site = await ConnectedSite.start();
  const { world } = site;
  leaf = await world.publish({ path: 'example.test/leaf', version: 'v1.0.0' });
  await world.publish({ path: 'example.test/checks', version: 'v1.0.0' });
  await world.publish({
    path: 'example.test/tree',
    version: 'v1.1.0',
    require: { 'example.test/leaf': 'v1.0.0', 'example.test/checks': 'v1.0.0' },
    files: {
      'tree.go': 'package tree\n\nimport _ "example.test/leaf"\n',
      'tree_test.go': 'package tree\n\nimport _ "example.test/checks"\n',
    },
  });
  await world.publish({
    path: 'example.test/big',
    version: 'v1.0.0',
    files: { 'data.bin': randomBytes(2 ** 21) },
  });
  await world.publish({ path: 'example.test/wished', version: 'v1.0.0' });
  await world.publish({ path: 'example.test/never', version: 'v1.0.0' });
  await world.publish({ path: 'example.test/served', version: 'v1.0.0' });
  big = await site.bundle('big.tar', BIG, LEAF);
  vkey = await site.vkey();
});

afterAll(() => site[Symbol.asyncDispose]());

/** Every zip that a data directory holds, by the name that it has in a bundle. */
const zipsHeld = (data: string): string[] =>
  readdirSync(path.join(data, 'download'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.zip'))
    .sort();

describe('bundle create --split', () => {
  it('writes parts of that size, whose bytes are the bundle, and which are checked and imported by the first', async () => {
    const made = json(await site.create('split.tar', BIG, LEAF, '--split', '1MiB', '--json'));
    const parts = [1, 2, 3].map((n) => site.at(`split.tar.00${n}`));
    expect(made).toMatchObject({ files: parts, zips: 2 });
    const bytes = await Promise.all(parts.map((part) => readFile(part)));
    expect(bytes.slice(0, 2).map((part) => part.length)).toEqual([2 ** 20, 2 ** 20]);
    expect(Buffer.concat(bytes).equals(await readFile(big))).toBe(true);
    expect(await verify(parts[0]!)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('all in order'),
    });
    const closed = await closedSite();
    expect(await closed.run('bundle', 'import', parts[0]!)).toMatchObject({ code: 0, stderr: '' });
    expect(zipsHeld(closed.data)).toEqual([BIG, LEAF].map(zipName));
  });
});

describe('a split bundle of which a part is missing', () => {
  it('is refused by verify and by import, which name the part', async () => {
    expect(await site.create('parts.tar', BIG, LEAF, '--split', '1MiB')).toMatchObject({ code: 0 });
    await rm(site.at('parts.tar.002'));
    expect((await verify(site.at('parts.tar.001'))).stdout).toContain('parts.tar.002');
    const refused = await (await closedSite()).run('bundle', 'import', site.at('parts.tar.001'));
    expect(refused.stderr).toContain('parts.tar.002');
  });
});

describe('a bundle whose name ends in .zst', () => {
  it('is the same bundle, compressed, and is checked and imported as it is', async () => {
    const packed = await site.bundle('big.tar.zst', BIG, LEAF);
    expect(zstdDecompressSync(await readFile(packed)).equals(await readFile(big))).toBe(true);
    expect(await verify(packed)).toMatchObject({ code: 0, stdout: expect.stringContaining('all in order') });
    const closed = await closedSite();
    expect(await closed.run('bundle', 'import', packed)).toMatchObject({ code: 0, stderr: '' });
    expect(zipsHeld(closed.data)).toEqual([BIG, LEAF].map(zipName));
  });
});

describe('what bundle create is given', () => {
  it('is a CycloneDX or an SPDX list of components, of which Go modules count', async () => {
    const cyclone = await site.file(
      'bom.json',
      JSON.stringify({
        bomFormat: 'CycloneDX',
        specVersion: '1.5',
        components: [
          {
            type: 'library',
            name: 'example.test/tree',
            version: 'v1.1.0',
            purl: 'pkg:golang/example.test/tree@v1.1.0?type=module',
          },
          { type: 'library', name: 'left-pad', version: '1.0.0', purl: 'pkg:npm/left-pad@1.0.0' },
        ],
      }),
    );
    const purl = `pkg:golang/${LEAF}`;
    const spdx = await site.file(
      'sbom.spdx.json',
      JSON.stringify({
        spdxVersion: 'SPDX-2.3',
        packages: [
          {
            name: 'example.test/leaf',
            versionInfo: 'v1.0.0',
            externalRefs: [
              { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl },
            ],
          },
        ],
      }),
    );
    const tagged = await site.file(
      'sbom.spdx',
      `SPDXVersion: SPDX-2.3\n\nPackageName: example.test/leaf\nPackageVersion: v1.0.0\nExternalRef: PACKAGE-MANAGER purl ${purl}\n`,
    );
    const made = json(await site.create('cyclone.tar', cyclone, '--json'));
    expect(made).toMatchObject({
      zips: 1,
      skipped: [{ what: expect.stringContaining('other than Go modules') }],
    });
    expect(zipsIn(site.at('cyclone.tar'))).toEqual([zipName(TREE)]);
    for (const sbom of [spdx, tagged])
      expect(zipsIn(await site.bundle('spdx.tar', sbom))).toEqual([zipName(LEAF)]);
  });

  it('is the wish list of a closed side, which then serves what was wished for', async () => {
    const closed = await closedSite();
    await using server = await GokeepProcess.start(closed);
    const wished = '/example.test/wished/@v/v1.0.0.zip';
    expect((await server.get(wished)).status).toBe(404);
    const wishes = site.at('wishes.txt');
    // Noted a moment after the answer.
    const list = () =>
      closed.run('bundle', 'wishlist', '--output', wishes).then(() => readFile(wishes, 'utf8'));
    await expect.poll(list, { timeout: 15_000 }).toContain('example.test/wished@v1.0.0');
    const bundle = await site.bundle('wished.tar', wishes);
    expect(zipsIn(bundle)).toEqual(['example.test/wished/@v/v1.0.0.zip']);
    const imported = await fetch(`${server.url}/api/v1/bundles`, {
      method: 'PUT',
      body: await readFile(bundle),
    });
    expect(imported.status).toBe(201);
    expect((await server.get(wished)).status).toBe(200);
    expect(json(await closed.run('bundle', 'wishlist', '--json'))).toEqual([]);
  });

  it('is nothing but --all: what the store holds', async () => {
    const bundle = await site.bundle('all.tar', '--all');
    const held = zipsHeld(site.at('connected'));
    expect(held).toContain(zipName(BIG));
    expect(zipsIn(bundle).sort()).toEqual(held);
  });

  it('is --served-since and a day: what clients got on that day or later', async () => {
    const connected = {
      data: site.at('connected'),
      toml: `[[upstream]]\nproxy = "${site.world.url}"\nsumdb = "${site.world.gosumdb}"\n`,
    };
    {
      await using server = await GokeepProcess.start(connected);
      expect((await server.get('/example.test/served/@v/v1.0.0.zip')).status).toBe(200);
      expect(await server.stop()).toBe(0);
    }
    const today = Math.floor(Date.now() / DAY_MS);
    const db = new Database(path.join(connected.data, 'upstream.db'));
    db.prepare("UPDATE served SET day = CASE path WHEN 'example.test/served' THEN ? ELSE ? END").run(
      today - 2,
      today - 4,
    );
    db.close();
    const since = (ago: number) => [
      '--served-since',
      new Date((today - ago) * DAY_MS).toISOString().slice(0, 10),
    ];
    const late = await site.create('late.tar', ...since(1));
    expect(late).toMatchObject({ code: 2, stderr: expect.stringContaining('there is nothing to bring') });
    const [just, before] = [since(2), since(3)];
    expect(json(await site.create('served.tar', ...before, '--dry-run', '--json'))).toMatchObject({
      zips: 1,
    });
    expect(zipsIn(await site.bundle('served.tar', ...just))).toEqual(['example.test/served/@v/v1.0.0.zip']);
  });

  it('is with --tests also what only tests of dependencies need', async () => {
    await site.file(
      'main/go.mod',
      'module main.test/main\n\ngo 1.21\n\nrequire example.test/tree v1.1.0\n\nrequire example.test/leaf v1.0.0 // indirect\n',
    );
    await site.file('main/main.go', 'package main\n\nimport _ "example.test/tree"\n\nfunc main() {}\n');
    const build = [zipName(LEAF), zipName(TREE)];
    expect(zipsIn(await site.bundle('main.tar', site.at('main')))).toEqual(build);
    expect(zipsIn(await site.bundle('tests.tar', site.at('main'), '--tests'))).toEqual([
      zipName(CHECKS),
      ...build,
    ]);
    expect((await verify(site.at('main.tar'), '--for', site.at('main'))).code).toBe(0);
    const without = await verify(site.at('main.tar'), '--for', site.at('main'), '--tests');
    expect(without).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`${zipName(CHECKS)} is missing`),
    });
    expect((await verify(site.at('tests.tar'), '--for', site.at('main'), '--tests')).code).toBe(0);
  });
});

describe('a module that cannot be had', () => {
  const missing = [
    { path: 'example.test/none', version: 'v1.0.0', why: expect.stringContaining('not found') },
  ];
  let goSum: string;

  beforeAll(async () => {
    const lines = ['leaf', 'none'].map(
      (name) =>
        `example.test/${name} v1.0.0 ${leaf.h1.zip}\nexample.test/${name} v1.0.0/go.mod ${leaf.h1.mod}\n`,
    );
    goSum = await site.file('go.sum', lines.join(''));
  });

  it('is named, and no bundle is written', async () => {
    const refused = await site.create('none.tar', goSum);
    expect(refused).toMatchObject({ code: 1, stderr: '' });
    expect(refused.stdout).toMatch(/^example\.test\/none@v1\.0\.0 cannot be had: not found/m);
    expect(refused.stdout).toContain('no bundle was written');
    const asJson = await site.create('none.tar', goSum, '--json');
    expect(asJson.code).toBe(1);
    expect(json(asJson)).toEqual({ missing });
    expect(existsSync(site.at('none.tar'))).toBe(false);
  });

  it('is left out with --skip-missing, and named, and the exit says that it is', async () => {
    const made = await site.create('most.tar', goSum, '--skip-missing', '--json');
    expect(made.code).toBe(1);
    expect(json(made)).toMatchObject({ zips: 1, files: [site.at('most.tar')], missing });
    expect(zipsIn(site.at('most.tar'))).toEqual([zipName(LEAF)]);
    expect(await verify(site.at('most.tar'))).toMatchObject({ code: 0 });
  });
});

describe('bundle create --dry-run', () => {
  it('says what would go in, and fetches and writes nothing', async () => {
    const before = [zipsHeld(site.at('connected')), readdirSync(site.at('connected', 'bundles'))];
    const inputs = [LEAF, 'example.test/never@v1.0.0', '--dry-run'];
    const said = await site.create('dry.tar', ...inputs);
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toMatch(
      /^2 module versions to bring: 2 with their zips .* and 1 zips have to be fetched first\n$/,
    );
    const plan = json(await site.create('dry.tar', ...inputs, '--json'));
    expect(plan).toMatchObject({ zips: 2, mods: 0, absent: 1, skipped: [] });
    expect(plan['modules']).toMatchObject([
      { path: 'example.test/leaf', version: 'v1.0.0', zip: true },
      { path: 'example.test/never' },
    ]);
    expect(plan['heldBytes']).toBe(leaf.zip.length);
    expect([zipsHeld(site.at('connected')), readdirSync(site.at('connected', 'bundles'))]).toEqual(before);
    expect(existsSync(site.at('dry.tar'))).toBe(false);
  });
});

describe('--json', () => {
  it('makes each command print one document with all that it has to say', async () => {
    const id = expect.stringMatching(/^[0-9a-f]{32}$/);
    const counted = { zips: 1, mods: 1, signatures: 0, bytes: expect.any(Number) };
    const file = site.at('json.tar');
    const made = json(await site.create('json.tar', LEAF, '--json'));
    expect(made).toEqual({
      ...counted,
      id,
      base: null,
      files: [file],
      entries: expect.any(Number),
      skipped: [],
      missing: [],
    });
    const found = json(await verify(file, '--json'));
    const database = { name: expect.any(String), size: expect.any(Number), root: expect.any(String) };
    expect(found).toEqual({
      ...counted,
      id: made['id'],
      signer: vkey.split('+')[0],
      base: null,
      chain: [made['id']],
      databases: [database, database],
      files: made['entries'],
      trustedSignatures: 0,
      uncheckedSignatures: 0,
      alone: [],
      complete: null,
      problems: [],
    });
    const closed = await closedSite();
    const taken = { ...counted, file, id: made['id'], added: true, files: made['entries'] };
    expect(json(await closed.run('bundle', 'import', '--json', file))).toEqual({
      imported: [taken],
      problems: [],
    });
    const have = site.at('have.tar');
    const manifest = json(await closed.run('bundle', 'manifest', '--json', '--output', have));
    expect(manifest).toEqual({ bundles: [made['id']], files: [have] });
    const next = json(await site.create('next.tar', TREE, '--since', have, '--json'));
    expect(next).toMatchObject({ base: made['id'] });
  });

  it('is what a bundle that is refused is told in, too', async () => {
    const bytes = await readFile(big);
    bytes[bytes.indexOf(leaf.zip)]! ^= 1;
    const bad = await site.file('bad.tar', bytes);
    const found = await verify(bad, '--json');
    expect(found.code).toBe(1);
    const named = [expect.stringContaining(zipName(LEAF))];
    expect(json(found)).toMatchObject({ problems: named });
    const refused = await (await closedSite()).run('bundle', 'import', '--json', bad);
    expect(refused.code).toBe(1);
    expect(json(refused)).toEqual({ imported: [], problems: named });
  });
});
