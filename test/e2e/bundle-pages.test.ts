import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectedSite } from '../airgap/connected-site.ts';
import { gokeep } from '../cli/program.ts';
import { accessibilityProblems, CHROMIUM, launch, openPage } from '../world/browser.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';

const GO_MOD =
  'module main.test/main\n\ngo 1.21\n\nrequire example.test/tree v1.1.0\n\nrequire example.test/leaf v1.0.0 // indirect\n';
const HANGS = '/example.test/slow/@v/v1.0.0.zip';

let site: ConnectedSite;
let connected: GokeepProcess;
let closed: GokeepProcess;
let vkey: string;
let toml: string;

beforeAll(async () => {
  site = await ConnectedSite.start();
  const { world } = site;
  await world.publish({ path: 'example.test/leaf', version: 'v1.0.0' });
  await world.publish({ path: 'example.test/slow', version: 'v1.0.0' });
  await world.publish({
    path: 'example.test/tree',
    version: 'v1.1.0',
    require: { 'example.test/leaf': 'v1.0.0' },
    files: { 'tree.go': 'package tree\n\nimport _ "example.test/leaf"\n\nconst Name = "tree"\n' },
  });
  world.upstream.on(HANGS, { fault: 'hangBeforeHead' });
  toml = `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
  connected = await GokeepProcess.start({ data: site.at('connected'), toml });
  vkey = connected.vkey;
  closed = await GokeepProcess.start({
    data: site.at('closed'),
    toml: `offline = true\n[bundles]\ntrust = ["${vkey}"]\n[[upstream]]\nsumdb = "${site.worldVkey}"\n`,
  });
});

afterAll(async () => {
  await connected[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

type Json = Record<string, unknown>;

async function api(server: GokeepProcess, method: string, target: string, body?: unknown) {
  const answer = await fetch(`${server.url}/api/v1/${target}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Json };
}

const make = (body: unknown) => api(connected, 'POST', 'bundles', body);

/** What came of a job. */
async function ended(server: GokeepProcess, id: unknown): Promise<Json> {
  let job: Json = {};
  await expect
    .poll(async () => (job = (await api(server, 'GET', `bundles/jobs/${String(id)}`)).body)['state'], {
      timeout: 20_000,
      interval: 100,
    })
    .toMatch(/done|failed|cancelled/);
  return job;
}

async function running(id: unknown, what: string): Promise<void> {
  const far = async () => {
    const { progress } = (await api(connected, 'GET', `bundles/jobs/${String(id)}`)).body;
    return (progress as Json | undefined)?.['what'];
  };
  await expect.poll(far, { timeout: 20_000, interval: 50 }).toBe(what);
}

/** A command on the host of a server. */
const on = (data: string, ...args: string[]) => gokeep([...args, '--data', data]);

const madeIn = (data: string) => readdirSync(path.join(data, 'made')).sort();

describe('a bundle that is asked for by the API', () => {
  it('is made, described, fetched in ranges, checked and deleted', async () => {
    const asked = await make({ inputs: ['example.test/leaf@v1.0.0\n'], compressed: true });
    expect(asked.status).toBe(202);
    expect(asked.headers.get('location')).toBe(`/api/v1/bundles/jobs/${String(asked.body['id'])}`);
    const job = await ended(connected, asked.body['id']);
    expect(job).toMatchObject({ state: 'done', kind: 'make', by: 'anonymous', problems: [] });
    const { made } = job['result'] as { made: Json };
    expect(made).toMatchObject({ zips: 1, compressed: true, leftOut: [], missing: [] });
    const id = String(made['id']);
    const file = await connected.get(String(made['file']));
    const whole = Buffer.from(await file.arrayBuffer());
    expect(createHash('sha256').update(whole).digest('hex')).toBe(made['sha256']);
    const part = await connected.get(String(made['file']), {
      range: `bytes=10-29`,
      'if-range': file.headers.get('etag')!,
    });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(10, 30))).toBe(true);
    const check = await ended(connected, (await api(connected, 'POST', `bundles/${id}/verify`)).body['id']);
    expect(check['result']).toMatchObject({ verified: { id, problems: [], zips: 1 } });
    const { body } = await api(connected, 'GET', 'bundles?origin=made&limit=1');
    expect(body).toMatchObject({ bundles: [{ id, origin: 'made', waiting: { id } }] });
    expect((await api(connected, 'DELETE', `bundles/${id}`)).status).toBe(200);
    expect((await api(connected, 'DELETE', `bundles/${id}`)).body).toMatchObject({ code: 'not_found' });
    expect((await connected.get(String(made['file']))).status).toBe(404);
    expect(madeIn(connected.data)).toEqual([]);
    const trail = await site.run('audit', '--kind', 'make', '--json');
    expect(trail.stdout).toContain(id);
  });

  it.each([
    ['an option in place of a list', { inputs: ['--output=/tmp/stolen'] }, 'list line 1'],
    ['a path in place of a list', { inputs: ['/etc/passwd'] }, 'list line 1'],
  ])('names nothing of the server: %s', async (_what, body, said) => {
    const job = await ended(connected, (await make(body)).body['id']);
    expect(job).toMatchObject({ state: 'failed', error: expect.stringContaining(said) });
    expect(JSON.stringify(job)).not.toContain(connected.data);
  });

  it('does not read what a go.mod names beside itself', async () => {
    await site.file('secret/go.mod', 'module example.test/leaf\n\nrequire example.test/tree v1.1.0\n');
    const replaced =
      'module m\n\ngo 1.21\n\nrequire example.test/leaf v1.0.0\n\nreplace example.test/leaf => ../../../../secret\n';
    const job = await ended(connected, (await make({ inputs: [replaced], dryRun: true })).body['id']);
    const leftOut = [expect.objectContaining({ why: 'only the file itself is read here' })];
    expect(job['result']).toEqual({ planned: expect.objectContaining({ zips: 0, mods: 0, leftOut }) });
  });

  it.each([
    ['a file as the vulnerability database', { all: true, vulndb: 'file:///etc' }],
    ['a path as the vulnerability database', { all: true, vulndb: '/etc' }],
    ['a login in an address', { all: true, vulndb: 'https://a:b@vuln.test' }],
    ['an option as a toolchain', { toolchains: ['--all'] }],
    ['an option as a platform', { all: true, platforms: ['--data=/'] }],
    ['a path as the earlier bundle', { all: true, since: ['../../../etc'] }],
    ['an option as a day', { servedSince: '--all' }],
    ['a go.work', { inputs: ['go 1.21\n\nuse ../..\n'] }],
    ['nothing', {}],
    ['a misspelt name', { al: true }],
    ['no object', []],
  ])('is refused before a job begins: %s', async (_what, body) => {
    const { status, body: problem } = await make(body);
    expect([status, problem['code']]).toEqual([400, 'bad_request']);
  });

  it('is refused where a page of another site, or a form of any, sends it', async () => {
    const text = { method: 'POST', body: '{"all":true}', headers: { 'content-type': 'text/plain' } };
    expect((await fetch(`${connected.url}/api/v1/bundles`, text)).status).toBe(400);
    for (const browser of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: connected.url },
      // By a name of somebody else's that leads here, where nobody looks at what a page makes up.
      { origin: 'http://rebound.test', 'sec-fetch-site': 'same-origin', authorization: 'Bearer made-up' },
    ]) {
      const foreign = { ...text, headers: { 'content-type': 'application/json', ...browser } };
      expect((await fetch(`${connected.url}/api/v1/bundles`, foreign)).status).toBe(403);
    }
    for (const form of ['make', 'import', 'inspect']) {
      const body = new FormData();
      body.append('all', 'on');
      const headers = { origin: 'https://evil.test' };
      const answer = await fetch(`${connected.url}/ui/bundles/${form}`, { method: 'POST', body, headers });
      expect([form, answer.status]).toEqual([form, 403]);
    }
    expect((await api(connected, 'GET', 'bundles/jobs')).body['jobs']).not.toContainEqual(
      expect.objectContaining({ state: 'running' }),
    );
  });
});

describe('a job that is ended before it is done', () => {
  it('by whoever cancels it leaves nothing, and lets the next one run', async () => {
    const { body } = await make({ inputs: ['example.test/slow@v1.0.0\n'] });
    const next = await make({ inputs: ['example.test/leaf@v1.0.0\n'], dryRun: true });
    expect(next.body['state']).toBe('waiting');
    await running(body['id'], 'fetching');
    expect((await api(connected, 'DELETE', `bundles/jobs/${String(body['id'])}`)).status).toBe(202);
    expect(await ended(connected, body['id'])).toMatchObject({ state: 'cancelled' });
    expect(await ended(connected, next.body['id'])).toMatchObject({
      state: 'done',
      result: { planned: { zips: 1 } },
    });
    expect(madeIn(connected.data)).toEqual([]);
  });

  it('by a kill of the server ends its process too, and leaves nothing half made at the next start', async () => {
    const { body } = await make({ inputs: ['example.test/slow@v1.0.0\n'] });
    await running(body['id'], 'fetching');
    const [left] = madeIn(connected.data);
    expect(left).toMatch(/^job-/);
    await connected.stop('SIGKILL');
    await expect
      .poll(
        async () =>
          (await Promise.all(readdirSync('/proc').filter(isNumber).map(commandLine))).some((line) =>
            line.includes(left!),
          ),
        { timeout: 10_000 },
      )
      .toBe(false);
    connected = await GokeepProcess.start({ data: site.at('connected'), toml });
    expect(madeIn(connected.data)).toEqual([]);
    expect(readdirSync(connected.data).filter((name) => name.startsWith('bundle-'))).toEqual([]);
    expect((await api(connected, 'GET', 'bundles/jobs')).body['jobs']).toEqual([]);
  });

  it('by the end of whatever runs its command, though nothing else tells that of it', async () => {
    await mkdir(site.at('job', 'in'), { recursive: true });
    const main = path.join(import.meta.dirname, '../../src/main.ts');
    const args = ['bundle', 'create', '--config', site.at('connected.toml'), '--data', site.at('alone')];
    const job = [
      `--job=${site.at('job')}`,
      `--output=${site.at('job', 'b.tar')}`,
      'example.test/slow@v1.0.0',
    ];
    const child = spawn(process.execPath, [main, ...args, ...job], { stdio: ['pipe', 'ignore', 'pipe'] });
    const code = once(child, 'exit');
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await expect
      .poll(() => said, { timeout: 20_000 })
      .toContain('{"progress":"fetching","done":0,"total":1}');
    child.stdin.end();
    const ended = await Promise.race([code, sleep(5_000)]);
    child.kill('SIGKILL');
    expect(ended).toEqual([143, null]);
  });

  it('by a stop of the server does not hold that up', async () => {
    const { body } = await make({ inputs: ['example.test/slow@v1.0.0\n'] });
    await running(body['id'], 'fetching');
    const since = performance.now();
    expect(await connected.stop()).toBe(0);
    expect(performance.now() - since).toBeLessThan(15_000);
    connected = await GokeepProcess.start({ data: site.at('connected'), toml });
    expect(madeIn(connected.data)).toEqual([]);
  });
});

describe('where access is required, bundles', () => {
  it('are for who administers everything: to anybody else there is nothing, and a session changes nothing by the API', async () => {
    const data = site.at('guarded');
    await using guarded = await GokeepProcess.start({ data, toml: `${toml}[access]\nrequired = true\n` });
    const token = async (name: string, ...rights: string[]) =>
      (await on(data, 'token', 'create', '--name', name, ...rights)).stdout.match(/gokeep_\w+/)![0];
    const [reader, admin] = [await token('reader', '--read', '*'), await token('operator', '--admin')];
    const id = '0'.repeat(32);
    const targets = [
      '/ui/bundles',
      '/ui/bundles/make',
      `/ui/bundles/${id}`,
      `/ui/bundles/jobs/${id}`,
      '/ui/bundles/x',
    ].concat(['bundles', 'wishlist', 'bundles/jobs', `bundles/${id}/file`].map((name) => `/api/v1/${name}`));
    const texts = new Set<string>();
    for (const target of targets) {
      expect([target, (await guarded.get(target)).status]).toEqual([target, 401]);
      const refused = await guarded.get(target, { authorization: `Bearer ${reader}` });
      expect([target, refused.status]).toEqual([target, 403]);
      if (target.startsWith('/ui')) texts.add(await refused.text());
    }
    expect(texts.size).toBe(1);
    const json = { 'content-type': 'application/json' };
    const asked = { method: 'POST', body: '{"inputs":["example.test/leaf@v1.0.0"]}' };
    const to = `${guarded.url}/api/v1/bundles`;
    expect(
      (await fetch(to, { ...asked, headers: { ...json, authorization: `Bearer ${reader}` } })).status,
    ).toBe(403);
    const origin = new URL(guarded.url).origin;
    const session = await fetch(`${guarded.url}/ui/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ token: admin }),
      headers: { origin },
      redirect: 'manual',
    });
    const cookie = session.headers.get('set-cookie')!.split(';')[0]!;
    expect((await guarded.get('/ui/bundles', { cookie })).status).toBe(200);
    expect((await fetch(to, { ...asked, headers: { ...json, cookie } })).status).toBe(403);
    const made = await fetch(to, { ...asked, headers: { ...json, authorization: `Bearer ${admin}` } });
    expect(made.status).toBe(202);
    const { id: job } = (await made.json()) as Json;
    const state = async () =>
      ((await (await guarded.get(`/ui/bundles/jobs/${String(job)}/state`, { cookie })).json()) as Json)[
        'state'
      ];
    await expect.poll(state, { timeout: 20_000 }).toBe('done');
    const trail = await on(data, 'audit', '--json');
    expect(trail.stdout).toMatch(/"kind":"make","who":"token:operator"/);
    // The command's own token, which it took back.
    const tokens = await on(data, 'token', 'list');
    expect(tokens.stdout).not.toContain('command-');
  });
});

const isNumber = (name: string) => /^\d+$/.test(name);
const commandLine = (pid: string) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');

describe.skipIf(!needs(CHROMIUM))('the pages about bundles, in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  const save = async (page: Page, name: string): Promise<string> => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download', exact: true }).click(),
    ]);
    await download.saveAs(site.at(name));
    return site.at(name);
  };

  it('make one from a go.mod, and import it elsewhere, where go builds with it', async () => {
    const { page, problems } = await openPage(browser, { acceptDownloads: true });
    await page.goto(`${connected.url}/ui/bundles`);
    await page.getByRole('link', { name: 'Make a bundle', exact: true }).click();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Make it' }).click();
    expect(await page.getByRole('alert').innerText()).toContain('Say what the bundle is for');
    await page.getByRole('textbox', { name: /A go\.mod/ }).fill(GO_MOD);
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.waitForURL(/\/ui\/bundles\/jobs\//);
    await page.getByRole('heading', { name: 'The bundle is made' }).waitFor({ timeout: 20_000 });
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await page.getByText('gokeep bundle verify gokeep-').innerText()).toContain(vkey);
    const file = await save(page, 'fetched.tar');

    await page.goto(`${closed.url}/ui/bundles/import`);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByLabel('The bundle').setInputFiles(file);
    await page.getByRole('button', { name: 'Import it' }).click();
    await page.getByRole('heading', { name: 'The bundle is imported' }).waitFor({ timeout: 20_000 });
    await page.getByRole('link', { name: 'What is in it' }).click();
    expect(await page.getByRole('link', { name: 'example.test/tree@v1.1.0' }).count()).toBe(1);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.goto(`${closed.url}/ui/bundles`);
    expect(await page.getByText(vkey.split('+')[0]!).count()).toBeGreaterThan(0);
    expect(problems.filter((text) => !text.includes('422'))).toEqual([]);
    await page.context().close();

    await using client = await GoClient.create({ GOPROXY: closed.url, GOSUMDB: closed.vkey });
    await client.write('go.mod', GO_MOD);
    await client.write(
      'main.go',
      'package main\n\nimport "example.test/tree"\n\nfunc main() { println(tree.Name) }\n',
    );
    const built = await client.run('build', '-mod=mod', '-o', 'program', '.');
    expect(built, built.stderr).toMatchObject({ code: 0 });
    expect((await on(closed.data, 'audit', '--kind', 'import', '--json')).stdout).toContain(
      '"who":"anonymous"',
    );
  });

  it('do the same without JavaScript, and say of an altered bundle what is wrong with it', async () => {
    const { page, problems } = await openPage(browser, { javaScriptEnabled: false, acceptDownloads: true });
    expect((await closed.get('/example.test/wished/@v/v1.0.0.zip')).status).toBe(404);
    await expect
      .poll(
        async () => (await (await closed.get('/ui/bundles/wishes.txt')).text()).includes('wished@v1.0.0'),
        { timeout: 10_000 },
      )
      .toBe(true);
    await site.world.publish({ path: 'example.test/wished', version: 'v1.0.0' });
    await page.goto(`${closed.url}/ui/bundles/wishes`);
    expect(await page.getByText('example.test/wished@v1.0.0').count()).toBeGreaterThan(0);
    const wishes = await (await closed.get('/ui/bundles/wishes.txt')).text();

    await page.goto(`${connected.url}/ui/bundles/make`);
    await page.getByRole('textbox', { name: /A go\.mod/ }).fill(wishes);
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByRole('heading', { name: 'The bundle is made' }).waitFor({ timeout: 20_000 });
    const bytes = await readFile(await save(page, 'wished.tar'));

    bytes[bytes.lastIndexOf('PK')]! ^= 1;
    const altered = await site.file('altered.tar', bytes);
    for (const [where, button, said] of [
      ['inspect', 'Check it', 'This bundle is not to be used'],
      ['import', 'Import it', 'Nothing was imported'],
    ] as const) {
      await page.goto(`${closed.url}/ui/bundles/${where}`);
      await page.getByLabel('The bundle').setInputFiles(altered);
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('heading', { name: said }).waitFor({ timeout: 20_000 });
      expect(await page.getByText('example.test/wished/@v/v1.0.0.zip').count()).toBeGreaterThan(0);
    }
    expect((await closed.get('/example.test/wished/@v/v1.0.0.zip')).status).toBe(404);
    await page.goto(`${closed.url}/ui/bundles/inspect`);
    await page.getByLabel('The bundle').setInputFiles(site.at('wished.tar'));
    await page.getByRole('button', { name: 'Check it' }).click();
    await page.getByRole('heading', { name: 'The bundle is in order' }).waitFor({ timeout: 20_000 });
    expect(existsSync(path.join(closed.data, 'download', 'example.test', 'wished', '@v', 'v1.0.0.zip'))).toBe(
      false,
    );
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('show how far a job is without moving anything, and cancel it', async () => {
    const { page } = await openPage(browser);
    await page.goto(`${connected.url}/ui/bundles/make`);
    await page.getByRole('textbox', { name: /A go\.mod/ }).fill('example.test/slow@v1.0.0');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByRole('progressbar').waitFor();
    await expect.poll(() => page.getByRole('status').innerText(), { timeout: 20_000 }).toMatch(/^Fetching/);
    expect(await accessibilityProblems(page)).toEqual([]);
    const shift = await page.evaluate(`new Promise((done) => {
      let shift = 0;
      new PerformanceObserver((list) => { for (const each of list.getEntries()) shift += each.value; })
        .observe({ type: 'layout-shift', buffered: true });
      setTimeout(() => done(shift), 100);
    })`);
    expect(shift).toBeLessThan(0.02);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('It was cancelled, and nothing of it is left.').waitFor({ timeout: 10_000 });
    await page.context().close();
  });
});
