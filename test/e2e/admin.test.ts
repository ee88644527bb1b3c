import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isToken } from '../../src/access/token.ts';
import { TrailReader, TrailWriter } from '../../src/store/trail-table.ts';
import { gokeep } from '../cli/program.ts';
import { accessibilityProblems, CHROMIUM, launch, openPage } from '../world/browser.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';

const UPSTREAM = '[upstream]\nproxy = "off"\nsumdb = "off"\n';
const GUARDED = `${UPSTREAM}[access]\nrequired = true\n`;
const PAGES = ['/ui/admin/tokens', '/ui/admin/audit', '/ui/admin/audit/1'];
const API = ['/api/v1/tokens', '/api/v1/audit', '/api/v1/audit/1'];
const XSS = '<img src=x onerror=alert(1)>';

let open: GokeepProcess;
let guarded: GokeepProcess;
let operator: string;
let reader: string;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const token = async (...args: string[]) =>
  (await gokeep(['token', 'create', '--data', guarded.data, ...args])).stdout.trim();

/** The status and text of a request with exactly these headers, to whatever host they name. */
function send(to: GokeepProcess, method: string, target: string, headers: Record<string, string>, body = '') {
  return new Promise<{ status: number; text: string; headers: Record<string, unknown> }>(
    (resolve, reject) => {
      const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const sent = request(`${to.url}${target}`, { method, headers: { ...headers, ...length } }, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }));
      });
      sent.on('error', reject);
      sent.end(body);
    },
  );
}

/** Entries of the trail, whichever process wrote them. */
function trail(): { kind: string; who: string; from?: string; facts?: Record<string, unknown> }[] {
  using trail = new TrailReader(path.join(guarded.data, 'audit.db'));
  return [...trail.entries()].map(({ text }) => JSON.parse(text) as never);
}

beforeAll(async () => {
  [open, guarded] = await Promise.all([
    GokeepProcess.start({ toml: UPSTREAM }),
    GokeepProcess.start({ toml: GUARDED }),
  ]);
  operator = await token('--name', 'operator', '--admin');
  reader = await token('--name', 'reader', '--read', '*', '--publish', '*', '--admin', 'corp.test');
});

afterAll(async () => {
  await Promise.all([open, guarded].map((each) => each[Symbol.asyncDispose]()));
});

describe('administration', () => {
  it('is for who may administer everything: others get the one 403, without credentials 401', async () => {
    const refusals = new Set<string>();
    for (const target of [...PAGES, ...API]) {
      expect([target, (await send(guarded, 'GET', target, {})).status]).toEqual([target, 401]);
      const { status, text } = await send(guarded, 'GET', target, bearer(reader));
      expect([target, status]).toEqual([target, 403]);
      refusals.add(/[Yy]our credentials give no right[^<"]*/.exec(text)![0].toLowerCase());
      expect([target, (await send(guarded, 'GET', target, bearer(operator))).status]).toEqual([target, 200]);
    }
    expect([...refusals]).toHaveLength(1);
    const changes = [
      ['POST', '/api/v1/tokens'],
      ['DELETE', '/api/v1/tokens/operator'],
    ] as const;
    for (const [method, target] of changes) {
      expect((await send(guarded, method, target, {})).status).toBe(401);
      expect((await send(guarded, method, target, bearer(reader))).status).toBe(403);
    }
  });

  it('is in the navigation of who administers, and of nobody else', async () => {
    const link = 'href="/ui/admin/tokens"';
    expect((await send(guarded, 'GET', '/ui/log', bearer(operator))).text).toContain(link);
    expect((await send(guarded, 'GET', '/ui/log', bearer(reader))).text).not.toContain(link);
    expect((await send(guarded, 'GET', '/ui/log', {})).text).not.toContain(link);
  });

  it('makes tokens over the API: good at once, shown once, recorded before with who made them', async () => {
    const json = { ...bearer(operator), 'content-type': 'application/json' };
    const wanted = { name: 'made/by-api', read: ['corp.test/*'], expires: '12h' };
    const { status, text, headers } = await send(
      guarded,
      'POST',
      '/api/v1/tokens',
      json,
      JSON.stringify(wanted),
    );
    expect([status, headers['cache-control']]).toEqual([201, 'no-store']);
    const made = JSON.parse(text) as { token: string; id: string };
    expect(isToken(made.token)).toBe(true);
    expect((await send(guarded, 'GET', '/corp.test/x/@v/list', bearer(made.token))).status).not.toBe(401);
    expect(trail().findLast(({ kind }) => kind === 'token')).toMatchObject({
      kind: 'token',
      who: 'token:operator',
      from: '127.0.0.1',
      facts: { token: 'created', name: 'made/by-api', read: ['corp.test/*'] },
    });
    const list = await send(guarded, 'GET', '/api/v1/tokens?limit=200', bearer(operator));
    expect(list.text).toContain('made/by-api');
    expect(list.text).not.toContain(made.token);
    const gone = await send(
      guarded,
      'DELETE',
      `/api/v1/tokens/${encodeURIComponent('made/by-api')}`,
      bearer(operator),
    );
    expect(JSON.parse(gone.text)).toEqual({ id: made.id, name: 'made/by-api', state: 'revoked' });
    expect((await send(guarded, 'GET', '/corp.test/x/@v/list', bearer(made.token))).status).toBe(401);
    expect(
      trail()
        .filter(({ kind }) => kind === 'token')
        .at(-1),
    ).toMatchObject({
      who: 'token:operator',
      facts: { token: 'revoked', name: 'made/by-api' },
    });
    expect((await send(guarded, 'DELETE', '/api/v1/tokens/made%2Fby-api', bearer(operator))).status).toBe(
      404,
    );
  });

  it('refuses what cannot be a token, as the command does, and makes none', async () => {
    const before = trail().filter(({ kind }) => kind === 'token').length;
    const json = { ...bearer(operator), 'content-type': 'application/json' };
    for (const [body, says] of [
      [{ name: 'a b' }, 'is no name'],
      [{ name: 'a\r\nSet-Cookie: x' }, 'is no name'],
      [{ name: XSS }, 'is no name'],
      [{ name: 'ok', read: ['corp.test//x'] }, 'is not a pattern'],
      [{ name: 'ok', read: 'corp.test' }, 'is a list'],
      [{ name: 'ok', expires: '90' }, 'expires is'],
      [{ name: 'ok', roles: [] }, 'is nothing that a token has'],
      [{ name: 'operator' }, 'there is a token named operator already'],
      [[], 'send a JSON object'],
    ] as const) {
      const { status, text } = await send(guarded, 'POST', '/api/v1/tokens', json, JSON.stringify(body));
      expect([body, status]).toEqual([body, 400]);
      expect((JSON.parse(text) as { detail: string }).detail).toContain(says);
    }
    expect(trail().filter(({ kind }) => kind === 'token')).toHaveLength(before);
  });

  it('takes no change that a browser may have been talked into', async () => {
    const before = trail().filter(({ kind }) => kind === 'token').length;
    const wanted = JSON.stringify({ name: 'evil', admin: ['*'] });
    const form = { ...bearer(operator), 'content-type': 'application/x-www-form-urlencoded' };
    const cases: [string, string, Record<string, string>, string][] = [
      ['POST', '/api/v1/tokens', { ...form }, wanted],
      ['POST', '/api/v1/tokens', { ...form, 'content-type': 'text/plain' }, wanted],
      [
        'POST',
        '/api/v1/tokens',
        { ...form, 'content-type': 'application/json', origin: 'https://evil.test' },
        wanted,
      ],
      [
        'POST',
        '/api/v1/tokens',
        { ...form, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
        wanted,
      ],
      ['DELETE', '/api/v1/tokens/reader', { ...bearer(operator), origin: guarded.url }, ''],
      ['POST', '/ui/admin/tokens', form, 'name=evil&expires=90d&admin=*'],
      ['POST', '/ui/admin/tokens', { ...form, origin: 'https://evil.test' }, 'name=evil&expires=90d&admin=*'],
      ['POST', '/ui/admin/tokens', { ...form, origin: 'null' }, 'name=evil&expires=90d&admin=*'],
      [
        'POST',
        '/ui/admin/tokens',
        { ...form, origin: guarded.url, 'sec-fetch-site': 'cross-site' },
        'name=evil&expires=90d',
      ],
      ['POST', '/ui/admin/tokens/revoke', { ...form, origin: 'https://evil.test' }, 'id=x'],
    ];
    for (const [method, target, headers, body] of cases) {
      const { status } = await send(guarded, method, target, headers, body);
      expect([method, target, headers, status >= 400 && status < 404]).toEqual([
        method,
        target,
        headers,
        true,
      ]);
    }
    expect(trail().filter(({ kind }) => kind === 'token')).toHaveLength(before);
  });

  it('answers a question of the API again only where something has changed, and page by page', async () => {
    const first = JSON.parse((await send(guarded, 'GET', '/api/v1/audit?limit=1', bearer(operator))).text);
    expect(first).toMatchObject({ entries: [{ n: first.last }], next: first.last });
    const second = JSON.parse(
      (await send(guarded, 'GET', `/api/v1/audit?limit=1&after=${first.next}`, bearer(operator))).text,
    );
    expect(second.entries[0].n).toBe(first.last - 1);
    const answer = await send(guarded, 'GET', '/api/v1/tokens', bearer(operator));
    const again = { ...bearer(operator), 'if-none-match': String(answer.headers['etag']) };
    expect((await send(guarded, 'GET', '/api/v1/tokens', again)).status).toBe(304);
    expect((await send(guarded, 'GET', '/api/v1/audit?kind=none', bearer(operator))).status).toBe(400);
    const filtered = JSON.parse(
      (await send(guarded, 'GET', '/api/v1/audit?kind=token&who=token:operator', bearer(operator))).text,
    );
    expect(filtered.entries.every(({ entry }: { entry: { kind: string } }) => entry.kind === 'token')).toBe(
      true,
    );
    expect(filtered.entries.length).toBeGreaterThan(0);
  });

  it('escapes what others have had written into the trail', async () => {
    const script = '"><script>alert(1)</script>';
    {
      using writer = new TrailWriter(path.join(guarded.data, 'audit.db'));
      const facts = { [XSS]: script, list: [script], deep: { [script]: XSS } };
      writer.append(
        [{ kind: 'sign', who: `oidc:${XSS}`, from: script, path: XSS, version: script, facts }],
        0,
      );
    }
    const { last } = JSON.parse((await send(guarded, 'GET', '/api/v1/audit', bearer(operator))).text);
    for (const target of [
      '/ui/admin/audit?kind=sign',
      `/ui/admin/audit/${last}`,
      `/ui/admin/audit?who=${encodeURIComponent(script)}&kind=${encodeURIComponent(script)}&module=${encodeURIComponent(script)}`,
    ]) {
      const { text } = await send(guarded, 'GET', target, bearer(operator));
      expect(text).toContain('&lt;script&gt;');
      expect(text).not.toMatch(/<script>|<img src=x/);
    }
  });
});

describe('a server that asks nobody who they are', () => {
  const here = () => new URL(open.url).port;

  it('shows tokens and trail on its own machine, under its own names alone', async () => {
    const own = await send(open, 'GET', '/ui/admin/tokens', { host: `localhost:${here()}` });
    expect(own.status).toBe(200);
    expect(own.text).toContain('No token is needed here.');
    expect(own.text).not.toContain('<form method="post" action="/ui/admin');
    for (const headers of [
      { host: `evil.test:${here()}` },
      { host: `127.0.0.1:${here()}`, 'x-forwarded-for': '192.0.2.1' },
    ])
      for (const target of [...PAGES, ...API])
        expect([headers, target, (await send(open, 'GET', target, headers)).status]).toEqual([
          headers,
          target,
          403,
        ]);
  });

  it('makes no token for whoever reaches it, which would be good once it asks', async () => {
    const json = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'later', admin: ['*'] });
    expect((await send(open, 'POST', '/api/v1/tokens', json, body)).status).toBe(403);
    expect((await send(open, 'DELETE', '/api/v1/tokens/x', {})).status).toBe(403);
    for (const host of [`127.0.0.1:${here()}`, `evil.test:${here()}`]) {
      const form = { host, origin: `http://${host}`, 'content-type': 'application/x-www-form-urlencoded' };
      expect(
        (await send(open, 'POST', '/ui/admin/tokens', form, 'name=later&admin=*&expires=90d')).status,
      ).toBe(403);
    }
    const { stdout } = await gokeep(['token', 'list', '--data', open.data]);
    expect(stdout).toBe('there are no tokens\n');
  });
});

describe.skipIf(!needs(CHROMIUM))('the pages of administrators, in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(async () => browser.close());

  const signedIn = async (o: { javaScriptEnabled?: boolean } = {}) => {
    const opened = await openPage(browser, o);
    await opened.page.goto(`${guarded.url}/ui/sign-in?next=${encodeURIComponent('/ui/admin/tokens')}`);
    await opened.page.getByLabel('Token').fill(operator);
    await opened.page.keyboard.press('Enter');
    await opened.page.waitForURL('**/ui/admin/tokens');
    return opened;
  };
  const looksRight = async (page: Page) => {
    for (const width of [1280, 360])
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        expect([page.url(), width, colorScheme, await accessibilityProblems(page)]).toEqual([
          page.url(),
          width,
          colorScheme,
          [],
        ]);
        const sideways = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        expect([page.url(), width, await page.evaluate(sideways)]).toEqual([page.url(), width, 0]);
      }
  };

  it('make, show once and revoke a token without JavaScript, and it is in no address and no log', async () => {
    const { page, problems } = await signedIn({ javaScriptEnabled: false });
    await page.getByLabel('Name', { exact: true }).fill('bob');
    await page.getByLabel('May read').fill('corp.test/*, git.test');
    await page.getByLabel('Valid').selectOption('never');
    await page.getByRole('button', { name: 'Make the token' }).click();
    const made = await page.locator('pre').first().innerText();
    expect(isToken(made)).toBe(true);
    const { host } = new URL(guarded.url);
    expect(await page.locator('pre').nth(1).innerText()).toBe(`machine ${host} login token password ${made}`);
    expect((await send(guarded, 'GET', '/corp.test/x/@v/list', bearer(made))).status).not.toBe(401);
    expect(page.url()).not.toContain(made);
    await page.getByRole('link', { name: 'All tokens' }).click();
    expect(await page.content()).not.toContain(made);
    const revoke = page.getByRole('link', { name: 'Revoke bob' });
    await revoke.click();
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Revoke bob?');
    await page.getByRole('link', { name: 'Keep it' }).click();
    expect((await send(guarded, 'GET', '/corp.test/x/@v/list', bearer(made))).status).not.toBe(401);
    await revoke.click();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.waitForURL('**/ui/admin/tokens');
    expect((await send(guarded, 'GET', '/corp.test/x/@v/list', bearer(made))).status).toBe(401);
    expect(JSON.stringify(trail())).not.toContain(made);
    expect(guarded.output).not.toContain(made);
    for (const file of ['access.db', 'access.db-wal', 'audit.db', 'audit.db-wal'])
      expect([file, readFileSync(path.join(guarded.data, file)).includes(made)]).toEqual([file, false]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('say what is wrong with what was filled in, and keep it', async () => {
    const { page } = await signedIn();
    await page.getByLabel('Name', { exact: true }).fill('carol');
    await page.getByLabel('May read').fill('corp.test//x');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toContain('is not a pattern for module paths');
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('carol');
    await looksRight(page);
    await page.context().close();
  });

  it('show the trail, and where the log has recorded it, and are right in every light and width', async () => {
    await guarded.stop();
    guarded = await GokeepProcess.start({ toml: GUARDED, data: guarded.data });
    const { page, problems } = await signedIn();
    await looksRight(page);
    await page.getByRole('link', { name: 'Audit trail' }).click();
    expect(await page.locator('.covered').innerText()).toMatch(
      /^The log recorded the chain up to entry \d+, /,
    );
    await looksRight(page);
    await page.getByLabel('What', { exact: true }).selectOption('token');
    await page.getByLabel('Who', { exact: true }).fill('token:operator');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.locator('tbody th a').last().click();
    expect(await page.locator('.fits').innerText()).toBe('✓ Its hash fits it and the entry before.');
    await looksRight(page);
    expect(problems).toEqual([]);
    // The operator may not read every module, and the log's records are of all.
    const record = page.getByRole('link', { name: /\/audit@v0\.0\.\d+$/ });
    expect((await page.goto(guarded.url + (await record.getAttribute('href'))!))?.status()).toBe(403);
    await page.context().close();
  });
});
