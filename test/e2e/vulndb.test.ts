import { execFileSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectedSite } from '../airgap/connected-site.ts';
import { makeDatabase } from '../vulndb/made-database.ts';
import { GoClient, type GoResult } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { answeringGoproxy } from '../world/host-goproxy.ts';

const goproxy = answeringGoproxy('vulndb.test.ts');

const MODULE = 'example.test/parser';
const ID = 'GO-2024-0001';
const DATABASE = makeDatabase([
  { id: ID, path: MODULE, fixed: '1.1.0', symbols: ['Parse'] },
  { id: 'GO-2024-0002', path: 'example.test/unused' },
]);
const PARSER =
  'package parser\n\nfunc Parse(s string) int { return len(s) }\n\nfunc Safe() int { return 1 }\n';

let site: ConnectedSite;
let govulncheck: string;
let kept: string;
let gokeep: GokeepProcess;

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
    site = await ConnectedSite.start();
    await using installer = await GoClient.create({ GOPROXY: goproxy!, GOBIN: site.at('bin') });
    const installed = await installer.run('install', 'golang.org/x/vuln/cmd/govulncheck@latest');
    expect(installed.stderr).not.toMatch(/^go: .*@latest/m);
    expect(installed.code).toBe(0);
    govulncheck = site.at('bin', 'govulncheck');

    for (const version of ['v1.0.0', 'v1.1.0'])
      await site.world.publish({ path: MODULE, version, files: { 'parser.go': PARSER } });
    for (const [name, body] of DATABASE) await site.file(`db/${name}`, body);
    const versions = [`${MODULE}@v1.0.0`, `${MODULE}@v1.1.0`];
    const bundle = await site.bundle('bundle.tar', ...versions, '--vulndb', site.at('db'));
    await mkdir(site.at('unpacked'));
    execFileSync('tar', ['-xf', bundle, '-C', site.at('unpacked')]);
    const toml = await site.closedToml('offline');
    gokeep = await GokeepProcess.start({ toml });
    const imported = await fetch(`${gokeep.url}/api/v1/bundles`, {
      method: 'PUT',
      body: await readFile(bundle),
    });
    expect(imported.status, await imported.text()).toBe(201);
    kept = path.join(gokeep.data, 'vulndb', await site.idOf(bundle));
  }, 300_000);

  afterAll(async () => {
    await gokeep?.[Symbol.asyncDispose]();
    await site?.[Symbol.asyncDispose]();
  });

  const databases: [string, () => string][] = [
    ['a closed site that imported a bundle', () => `${gokeep.url}/vulndb`],
    ['the unpacked bundle', () => pathToFileURL(site.at('unpacked', 'vulndb')).href],
    ['what gokeep keeps', () => pathToFileURL(kept).href],
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

  it('says of a version what its page and the API say', async () => {
    const told = async (version: string) =>
      (await (await gokeep.get(`/api/v1/modules/${MODULE}@${version}`)).json()) as object;
    expect(await told('v1.0.0')).toMatchObject({
      vulnerabilities: [{ id: ID, fixed: 'v1.1.0', packages: [{ importPath: MODULE, symbols: ['Parse'] }] }],
    });
    expect(await told('v1.1.0')).toMatchObject({ vulnerabilities: [] });
    const page = await gokeep.get(`/ui/mod/${MODULE}@v1.0.0?tab=vulnerabilities`, { accept: 'text/html' });
    expect(await page.text()).toContain('1 vulnerability of v1.0.0');
  });

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
