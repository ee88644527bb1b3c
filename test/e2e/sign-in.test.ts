import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityProblems, CHROMIUM, launch, openPage } from '../world/browser.ts';
import { freePort } from '../world/free-port.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { LiveProvider } from '../world/openid-provider.ts';
import { needs } from '../world/programs.ts';

let directory: string;
let provider: LiveProvider;
let gokeep: GokeepProcess;
let browser: Browser;

describe.skipIf(!needs(CHROMIUM))('signing in at an OpenID Connect provider', () => {
  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'gokeep-sign-in-'));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    provider = await LiveProvider.start(`${url}/ui/sign-in/callback`, {
      ada: ['staff', 'platform'],
      bob: ['staff'],
      eve: [],
    });
    const secret = path.join(directory, 'secret');
    writeFileSync(secret, `${provider.secret}\n`);
    const rule = (groups: string, rights: string) =>
      `[[access.oidc]]\nissuer = "${provider.url}"\naudience = "gokeep"\nclaims = { groups = ["${groups}"] }\n${rights}\n`;
    gokeep = await GokeepProcess.start({
      port,
      toml: `url = "${url}"
[upstream]
proxy = "off"
sumdb = "off"
[access]
required = true
[access.sign_in]
name = "Corp <login>"
issuer = "${provider.url}"
client_id = "gokeep"
client_secret_file = "${secret}"
scopes = ["profile", "groups"]
${rule('platform', 'admin = ["*"]')}${rule('staff', 'read = ["*"]')}`,
    });
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await gokeep?.[Symbol.asyncDispose]();
    await provider?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const click = async (page: Page, next: string) => {
    await page.goto(`${gokeep.url}/ui/sign-in?next=${encodeURIComponent(next)}`);
    await page.getByRole('link', { name: 'Sign in with Corp <login>' }).click();
  };
  const begin = async (page: Page, next = '/ui/admin/tokens') => {
    await click(page, next);
    await page.waitForURL(`${provider.url}/interaction/**`);
  };
  /** At the provider's own forms: who one is, and that it is all right. */
  const sayWho = async (page: Page, login: string) => {
    await page.locator('input[name=login]').fill(login);
    await page.locator('input[name=password]').fill('any');
    await page.locator('button[type=submit]').click();
    await page.locator('form[action*=interaction] button[type=submit]:has-text("Continue")').click();
  };
  /** The address that the provider sends the browser back to, which is kept from going there. */
  const caught = async (page: Page, login: string): Promise<URL> => {
    await begin(page);
    const { promise, resolve } = Promise.withResolvers<string>();
    await page.route(`${provider.url}/interaction/**`, async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      const answer = await route.fetch({ maxRedirects: 0 });
      const resumed = await page.context().request.get(answer.headers()['location']!, { maxRedirects: 0 });
      const to = resumed.headers()['location']!;
      if (!to.startsWith(gokeep.url)) return route.fulfill({ status: 303, headers: { location: to } });
      resolve(to);
      return route.abort();
    });
    await sayWho(page, login);
    const back = new URL(await promise);
    await page.unrouteAll();
    return back;
  };
  /** A browser that knows of no host but those of the test. */
  const opened = async (o: Parameters<typeof openPage>[1] = {}) => {
    const made = await openPage(browser, o);
    await made.page.route(/^https:/, (route) => route.abort());
    return made;
  };
  const sentence = (page: Page) => page.locator('main p:not(.code)').first().innerText();

  it('lets in whose groups have rights, to the page that was asked for, and out again', async () => {
    const { page, problems } = await opened();
    await page.goto(`${gokeep.url}/ui/sign-in`);
    expect(await accessibilityProblems(page)).toEqual([]);
    await begin(page, '/ui/admin/audit?kind=rights');
    await sayWho(page, 'ada');
    await page.waitForURL('**/ui/admin/audit?kind=rights');
    // Those of the provider's own pages.
    problems.length = 0;
    expect(await page.locator('.who .name').innerText()).toBe('ada <b>Example</b>');
    expect(await page.locator('.who .name').getAttribute('title')).toBe('oidc:ada');
    const cookies = await page.context().cookies(`${gokeep.url}/ui/sign-in/callback`);
    expect(cookies.find(({ name }) => name === 'gokeep_session')).toMatchObject({
      httpOnly: true,
      sameSite: 'Strict',
      path: '/ui',
    });
    expect(cookies.find(({ name }) => name === 'gokeep_signing_in')).toMatchObject({
      httpOnly: true,
      sameSite: 'Lax',
      path: '/ui/sign-in',
    });
    await page.goto(`${gokeep.url}/ui/admin/tokens`);
    await page.getByLabel('Name', { exact: true }).fill('of-ada');
    await page.keyboard.press('Enter');
    await page.waitForSelector('h1.made');
    await page.goto(`${gokeep.url}/ui/admin/audit?kind=token`);
    expect(await page.locator('tbody').innerText()).toContain('oidc:ada');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${gokeep.url}/ui/`);
    expect((await page.goto(`${gokeep.url}/ui/admin/tokens`))?.status()).toBe(401);
    expect(problems.filter((text) => !text.includes('401'))).toEqual([]);
    await page.context().close();
  }, 20_000);

  it('gives each the rights of his groups and no others, without JavaScript too', async () => {
    const { page } = await opened({ javaScriptEnabled: false });
    await begin(page, '/ui/log');
    await sayWho(page, 'bob');
    await page.waitForURL('**/ui/log');
    expect(await page.getByRole('link', { name: 'Admin' }).count()).toBe(0);
    expect((await page.goto(`${gokeep.url}/ui/log/records`))?.status()).toBe(200);
    expect((await page.goto(`${gokeep.url}/ui/admin/tokens`))?.status()).toBe(403);
    await page.context().close();
  }, 20_000);

  it('turns away whom no rule fits, in a sentence, and signs him in nowhere', async () => {
    const { page } = await opened();
    await begin(page);
    await sayWho(page, 'eve');
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    expect(await sentence(page)).toBe(
      'Corp <login> knows you, and nothing here is for you; ask the operator of this gokeep for rights.',
    );
    expect(await accessibilityProblems(page)).toEqual([]);
    const cookies = await page.context().cookies(`${gokeep.url}/ui/`);
    expect(cookies.some(({ name }) => name === 'gokeep_session')).toBe(false);
    await page.context().close();
  }, 20_000);

  it('takes a code once, from the browser that began, and together with its state alone', async () => {
    const { page } = await opened();
    const back = await caught(page, 'ada');
    const other = await opened();
    // Somebody else's browser, whom the first would sign in as himself.
    expect((await other.page.goto(back.href))?.status()).toBe(400);
    expect(await sentence(other.page)).toContain('was not begun in this browser');
    await begin(other.page);
    expect((await other.page.goto(back.href))?.status()).toBe(403);
    expect(await sentence(other.page)).toContain('did not answer this sign-in but another');
    await other.page.context().close();

    for (const [parameter, value] of [
      ['state', 'x'.repeat(43)],
      ['iss', 'https://evil.test'],
      ['code', 'forged'],
    ] as const) {
      const changed = new URL(back);
      changed.searchParams.set(parameter, value);
      expect([parameter, (await page.goto(changed.href))?.status()]).toEqual([parameter, 403]);
    }
    const without = new URL(back);
    without.searchParams.delete('iss');
    expect((await page.goto(without.href))?.status()).toBe(403);
    expect(await page.context().cookies(`${gokeep.url}/ui/`)).not.toContainEqual(
      expect.objectContaining({ name: 'gokeep_session' }),
    );

    const denied = `${gokeep.url}/ui/sign-in/callback?error=access_denied&error_description=%3Cscript%3E&state=${back.searchParams.get('state')}&iss=${encodeURIComponent(provider.url)}`;
    expect((await page.goto(denied))?.status()).toBe(403);
    expect(await sentence(page)).toBe('Corp <login> did not let you in, or you broke off.');

    await page.goto(back.href);
    await page.waitForURL('**/ui/admin/tokens');
    const replayed = await page.goto(back.href);
    expect(replayed?.status()).toBe(400);
    await page.context().close();
    expect(gokeep.output).not.toContain(back.searchParams.get('code')!);
    expect(gokeep.output).not.toContain(provider.secret);
  }, 20_000);

  it('goes on to no page of anybody else', async () => {
    const { page } = await opened();
    await begin(page, '/ui/log');
    await sayWho(page, 'bob');
    await page.waitForURL('**/ui/log');
    for (const next of [
      'https://evil.test/',
      '//evil.test/',
      '/ui//evil.test',
      '/\\evil.test',
      'javascript:alert(1)',
      '/ui/\r\nx: y',
    ]) {
      // The provider knows him by now, and asks nothing.
      await click(page, next);
      await page.waitForURL(/\/ui\/$|evil/);
      expect([next, page.url()]).toEqual([next, `${gokeep.url}/ui/`]);
    }
    await page.context().close();
  }, 20_000);

  it('says so where the provider does not answer, and asks for a token instead', async () => {
    const { page } = await opened();
    const back = await caught(page, 'ada');
    provider.broken = 500;
    expect((await page.goto(back.href))?.status()).toBe(503);
    expect(await sentence(page)).toBe(
      'Nobody can be signed in by Corp <login> now; try again, or sign in with a token.',
    );
    provider.broken = undefined;
    await page.context().close();
  }, 20_000);
});
