import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VulndbStore } from '../../src/store/vulndb-store.ts';
import { readVulndb } from '../../src/upstream/vulndb-source.ts';
import { gzipDeterministic } from '../../src/vulndb/gzip.ts';
import { makeDatabase } from '../vulndb/made-database.ts';
import { GoClient, type GoResult } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { answeringGoproxy } from '../world/host-goproxy.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const goproxy = answeringGoproxy('vulndb.test.ts');

const MODULE = 'example.test/parser';
const ID = 'GO-2024-0001';
const DATABASE = makeDatabase([
  { id: ID, path: MODULE, fixed: '1.1.0', symbols: ['Parse'] },
  { id: 'GO-2024-0002', path: 'example.test/unused' },
]);
const PARSER =
  'package parser\n\nfunc Parse(s string) int { return len(s) }\n\nfunc Safe() int { return 1 }\n';

let directory: string;
let govulncheck: string;
let world: UpstreamWorld;
let gokeep: GokeepProcess;

/** A database that lies in a directory, read as the connected side reads it, into the store of the closed side. */
async function importInto(data: string, source: string): Promise<void> {
  const store = new VulndbStore(data);
  const staged = await store.stage();
  for await (const { name, body } of readVulndb(source, { userAgent: 'gokeep/test' })) {
    await store.put(staged, name, body);
    await store.put(staged, `${name}.gz`, gzipDeterministic(body));
  }
  await store.publish(staged, 'made');
}

/** govulncheck on a program that calls `what` of this version of the module, which comes from gokeep too. */
async function check(database: string, version: string, what: string): Promise<GoResult> {
  await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
  await client.write(
    'main.go',
    `package main\n\nimport "${MODULE}"\n\nfunc main() { println(parser.${what}) }\n`,
  );
  expect(await client.run('get', `${MODULE}@${version}`)).toMatchObject({ code: 0 });
  return await client.runProgram(govulncheck, `-db=${database}`, './...');
}

describe.skipIf(goproxy === undefined)('an unmodified govulncheck', () => {
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'gokeep-vulndb-'));
    await using installer = await GoClient.create({ GOPROXY: goproxy!, GOBIN: path.join(directory, 'bin') });
    const installed = await installer.run('install', 'golang.org/x/vuln/cmd/govulncheck@latest');
    expect(installed.stderr).not.toMatch(/^go: .*@latest/m);
    expect(installed.code).toBe(0);
    govulncheck = path.join(directory, 'bin', 'govulncheck');

    for (const below of ['index', 'ID']) await mkdir(path.join(directory, 'db', below), { recursive: true });
    for (const [name, body] of DATABASE) await writeFile(path.join(directory, 'db', name), body);
    const data = path.join(directory, 'data');
    await mkdir(data);
    await importInto(data, path.join(directory, 'db'));

    world = await UpstreamWorld.start();
    for (const version of ['v1.0.0', 'v1.1.0']) {
      await world.publish({ path: MODULE, version, files: { 'parser.go': PARSER } });
    }
    const toml = `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
    gokeep = await GokeepProcess.start({ data, toml });
  }, 300_000);

  afterAll(async () => {
    await gokeep?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  const databases: [string, () => string][] = [
    ['gokeep', () => `${gokeep.url}/vulndb`],
    ['the directory of plain files', () => pathToFileURL(path.join(directory, 'db')).href],
    ['what gokeep keeps', () => pathToFileURL(path.join(gokeep.data, 'vulndb', 'made')).href],
  ];

  it.each(databases)(
    'finds by %s the vulnerable symbol that a program calls',
    async (_what, database) => {
      const { code, stdout, stderr } = await check(database(), 'v1.0.0', 'Parse("x")');
      expect(stderr).toBe('');
      expect(stdout).toContain(`Vulnerability #1: ${ID}`);
      expect(stdout).toContain(`Found in: ${MODULE}@v1.0.0`);
      expect(stdout).toContain(`Fixed in: ${MODULE}@v1.1.0`);
      expect(stdout).toContain('calls parser.Parse');
      expect(code).toBe(3);
    },
    180_000,
  );

  it.each(databases)(
    'finds by %s none in the version that is fixed',
    async (_what, database) => {
      const { code, stdout, stderr } = await check(database(), 'v1.1.0', 'Parse("x")');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('No vulnerabilities found');
    },
    180_000,
  );

  it('is not alarmed where only another symbol is called', async () => {
    const { code, stdout } = await check(`${gokeep.url}/vulndb`, 'v1.0.0', 'Safe()');
    expect(stdout).toContain('found 1 vulnerability in packages you import');
    expect(code).toBe(0);
  }, 180_000);

  it('asks for gzip only, of the index and of the one vulnerability it needs', async () => {
    const asked = gokeep.output
      .split('\n')
      .flatMap((line) => /\/vulndb\/[A-Za-z0-9./-]+/.exec(line)?.[0] ?? [])
      .filter((target) => target.endsWith('.gz') || target.endsWith('.json'));
    expect(new Set(asked)).toEqual(
      new Set(['index/modules', 'index/db', `ID/${ID}`].map((name) => `/vulndb/${name}.json.gz`)),
    );
  });
});

describe('a gokeep without a vulnerability database', () => {
  it('says so to whoever asks for one, and starts all the same', async () => {
    await using empty = await GokeepProcess.start();
    const got = await empty.get('/vulndb/index/modules.json.gz');
    expect(got.status).toBe(404);
    expect(await got.text()).toContain('no vulnerability database was imported here');
  });
});
