import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { MadeAccess } from '../access/made-access.ts';
import { makeTestCa } from '../upstream/test-ca.ts';
import type { MadeVersion } from '../web/made-catalogue.ts';
import { BUNDLE } from '../web/made-desk.ts';
import { layeredGraph } from '../web/made-graph.ts';
import { MadeSite, NOW, recordOf } from '../web/made-site.ts';
import { busyStatus } from '../web/made-status.ts';
import { KNOWN } from '../web/made-vulnerabilities.ts';
import { accessibilityProblems, CHROMIUM, launch, openPage } from '../world/browser.ts';
import { PageQuality } from '../world/page-quality.ts';
import { needs } from '../world/programs.ts';

const P = 'example.test/team/toml';
const README = `# Toml <script>alert(1)</script>

[![badge](https://badge.test/b.svg)](https://docs.test) ![logo](logo.svg) ![](https://evil.test/track.gif)

### Skipped a level

\`\`\`go
${'a very long line '.repeat(30)}
\`\`\`

| a | b |
|--:|:-:|
| 1 | 2 |

<style>body { display: none }</style> <img src="https://evil.test/x" onerror="alert(1)">

[click](javascript:alert(1)) \u202e hidden ${'long'.repeat(200)}
`;

const versions: MadeVersion[] = [
  ...['v1.0.0', 'v1.1.0', 'v1.2.0'].map((version) => ({
    path: P,
    version,
    time: NOW - 9e9,
    synopsis: 'Package toml reads and writes TOML.',
    readme: 'README.md',
    licence: 'MIT',
    packages: [
      { importPath: `${P}/internal/a-rather-long-name-of-a-package`, name: 'lex', synopsis: 'Package lex.' },
    ],
    requires: [{ path: `example.test/${'long-'.repeat(12)}path`, version: 'v1.0.0', indirect: true }],
    files: {
      'go.mod': `// Deprecated: use another.\nmodule ${P}\n\nretract v1.1.0 // loses data\n`,
      'README.md': README,
      'a.go': `package toml\n\n// ${version} ${'x'.repeat(300)}\n`,
      'doc/d.go': `// Package doc has [T], https://example.test/ and a list:\n//   - one\n//   - two\n//\n// # Heading\n//\n//\tcode ${'x '.repeat(200)}\npackage doc\n\n// Deprecated: use T.\nconst A, ${'B'.repeat(80)} = 1, 2\n\n// T is one.\n//\n// # Below\ntype T struct {\n\t// F is a field.\n\tF int // ${'y'.repeat(200)}\n\tg int\n}\n\nfunc (T) ${'Method'.repeat(30)}(a int) error { return nil }\n`,
    },
  })),
  ...Array.from({ length: 60 }, (_, n) => ({
    path: `github.com/organisation/module-${n}`,
    version: 'v1.0.0',
    synopsis: 'Package module does one thing.',
    requires: [{ path: P, version: 'v1.0.0', indirect: false }],
  })),
  ...layeredGraph(),
  { path: 'private.test/team/billing', version: 'v0.1.0', time: NOW, files: { 'go.mod': 'module x\n' } },
];

const PAGES = [
  '/',
  '/ui/',
  '/ui/search?q=module',
  '/ui/search?q=nothing-fits',
  '/ui/modules',
  '/ui/setup',
  '/ui/setup/github-actions',
  '/ui/setup/gpo',
  `/ui/mod/${P}`,
  `/ui/mod/${P}@v1.1.0?tab=versions`,
  `/ui/mod/${P}?tab=packages`,
  `/ui/mod/${P}?tab=dependencies`,
  `/ui/mod/${P}?tab=graph`,
  '/ui/mod/graph.test/root?tab=graph',
  '/ui/mod/graph.test/wild?tab=graph',
  `/ui/mod/${P}@v1.0.0?tab=vulnerabilities`,
  '/ui/mod/private.test/team/billing?tab=vulnerabilities',
  `/ui/mod/${P}?tab=files`,
  `/ui/mod/${P}?tab=record`,
  `/ui/src/${P}@v1.2.0/a.go`,
  `/ui/doc/${P}@v1.2.0/doc`,
  `/ui/doc/${P}@v1.2.0/doc?tab=index`,
  `/ui/diff/${P}/v1.1.0...v1.2.0`,
  '/ui/status',
  '/ui/status?range=year',
  '/ui/log',
  '/ui/log/records?from=10',
  '/ui/admin/tokens',
  '/ui/admin/audit',
  '/ui/admin/audit/3',
  '/ui/bundles',
  `/ui/bundles/${BUNDLE}`,
  '/ui/bundles/make',
  '/ui/bundles/import',
  '/ui/bundles/inspect',
  '/ui/bundles/wishes',
];

/** What depends on colours and widths. */
const LOOKS = ['color-contrast', 'scrollable-region-focusable', 'target-size'];

/** What the keyboard has to get to: what can be clicked or scrolled, and is not folded away. */
const REACHED = 'a[href], button, input, summary, pre[tabindex], .scroll:not(details:not([open]) .scroll)';

const access = new MadeAccess();
const token = access.add('alice', { read: ['*'] });

describe.skipIf(!needs(CHROMIUM))('the pages in Chromium', () => {
  let browser: Browser;
  let open: MadeSite;
  let guarded: MadeSite;
  let liar: MadeSite;
  let lying = (truth: string) => truth;

  beforeAll(async () => {
    const records = Array.from({ length: 600 }, (_, n) => recordOf(`example.test/r${n}`, 'v1.0.0'));
    const yanks = { [P]: [{ version: 'v1.1.0', yankedAt: NOW, reason: 'panics' }] };
    [browser, open, guarded, liar] = await Promise.all([
      launch(),
      MadeSite.start({
        versions,
        records,
        yanks,
        parts: {
          status: busyStatus(),
          vulnerabilities: { of: async (path) => (path === P ? KNOWN : { kind: 'none' }) },
        },
      }),
      MadeSite.start({ versions, gate: gateOf(access.authenticator, false) }),
      MadeSite.start({ versions, records, lie: (truth) => lying(truth) }),
    ]);
    open.noteIncident(P, 'v1.1.0', 'h1:other');
  });

  afterAll(async () => {
    await browser.close();
    await open[Symbol.asyncDispose]();
    await guarded[Symbol.asyncDispose]();
    await liar[Symbol.asyncDispose]();
  });

  const sideways = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  it('have nothing that axe, the policy or the console complains of, light, dark and 360 pixels wide, move nothing, transfer under 50 kB uncached, and fetch from nowhere else', async () => {
    const { page, problems, foreign } = await openPage(browser);
    const quality = await PageQuality.watch(page);
    for (const target of PAGES) {
      quality.begin();
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.emulateMedia({ colorScheme: 'light' });
      const answer = await page.goto(open.url + target);
      expect([target, answer?.status()]).toEqual([target, 200]);
      expect((await answer!.body()).length).toBeLessThan(50_000);
      if ((await page.locator('.proof').count()) > 0) await page.waitForSelector('.proof[data-state=good]');
      expect([target, await quality.shift()]).toEqual([target, 0]);
      expect([target, quality.bytes < 50_000]).toEqual([target, true]);
      expect([target, await quality.problems()]).toEqual([target, []]);
      expect([target, await accessibilityProblems(page)]).toEqual([target, []]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect([target, 'dark', await accessibilityProblems(page, LOOKS)]).toEqual([target, 'dark', []]);
      await page.setViewportSize({ width: 360, height: 740 });
      expect([target, 'narrow', await accessibilityProblems(page, LOOKS)]).toEqual([target, 'narrow', []]);
      expect([target, await sideways(page)]).toEqual([target, 0]);
    }
    expect(problems).toEqual([]);
    expect(foreign).toEqual([]);
    await page.context().close();
  }, 120_000);

  it('are complete without JavaScript', async () => {
    const { page, problems } = await openPage(browser, { javaScriptEnabled: false });
    for (const target of PAGES) {
      const answer = await page.goto(open.url + target);
      expect([target, answer?.status()]).toEqual([target, 200]);
      expect(await page.locator('h1').count()).toBe(1);
    }
    await page.goto(`${open.url}/`);
    await page.getByRole('searchbox').fill('toml');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: P }).click();
    await page.getByRole('link', { name: 'Record', exact: true }).click();
    expect(await page.locator('.proof .state').innerText()).toBe(
      'Not checked by your browser: that needs JavaScript.',
    );
    expect(await page.getByText('go mod download').count()).toBe(1);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('move nothing on a narrow screen either, once buttons and the proof are there', async () => {
    const { page } = await openPage(browser, { viewport: { width: 360, height: 740 } });
    const quality = await PageQuality.watch(page);
    for (const target of ['/', '/ui/setup/gpo', `/ui/mod/${P}?tab=record`, `/ui/mod/${P}`]) {
      await page.goto(open.url + target, { waitUntil: 'load' });
      if ((await page.locator('.proof').count()) > 0) await page.waitForSelector('.proof[data-state=good]');
      expect([target, await quality.shift()]).toEqual([target, 0]);
    }
    await page.context().close();
  });

  it('can be used by keyboard: everything that can be clicked is reached, and is seen to be', async () => {
    const { page } = await openPage(browser);
    for (const target of ['/', `/ui/mod/${P}`, `/ui/src/${P}@v1.2.0/a.go`, '/ui/log']) {
      await page.goto(open.url + target);
      const wanted = await page.evaluate(`document.querySelectorAll('${REACHED}').length`);
      const reached = new Set<unknown>();
      for (let press = 0; press < 200; press++) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(`(() => {
          const all = [...document.querySelectorAll('${REACHED}')];
          const style = getComputedStyle(document.activeElement);
          return { index: all.indexOf(document.activeElement), outlined: style.outlineStyle !== 'none' };
        })()`);
        const { index, outlined } = at as { index: number; outlined: boolean };
        if (index < 0 || reached.has(index)) break;
        expect([target, index, outlined]).toEqual([target, index, true]);
        reached.add(index);
      }
      expect([target, reached.size]).toEqual([target, wanted]);
    }
    await page.goto(`${open.url}/ui/modules`);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.context().close();
  });

  describe('the proof', () => {
    const proof = async (site: MadeSite, page: Page, target = `/ui/mod/${P}@v1.2.0?tab=record`) => {
      await page.goto(site.url + target);
      await page.waitForSelector('.proof[data-state=good], .proof[data-state=bad]');
      const box = page.locator('.proof');
      return {
        state: await box.locator('.state').innerText(),
        steps: await box.locator('li').allInnerTexts(),
      };
    };

    it('is checked by the browser, up to the signed root', async () => {
      const { page } = await openPage(browser);
      const { state, steps } = await proof(open, page);
      expect(state).toBe('✓ Your browser has checked the proof.');
      const { root, size } = open.log.publishedHead()!;
      expect(steps[2]).toBe(
        `Root of the tree of ${size} records, computed from these: ${root.toString('base64')}`,
      );
      expect(steps[4]).toContain('signed by the key of this log');
      await page.context().close();
    });

    const flipped = (text: string, at: number) =>
      `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
    const LIES = [
      [
        'another hash for the zip',
        (truth: string) => flipped(truth, truth.indexOf(' h1:') + 8),
        'another record',
      ],
      [
        'the record of another module',
        (truth: string) => truth.replaceAll(P, 'example.test/evil'),
        'another record',
      ],
      ['another number', (truth: string) => truth.replace(/^\d+/, '5'), 'this record is not in the log'],
      [
        'a number beyond the tree',
        (truth: string) => truth.replace(/^\d+/, '999999'),
        'beyond the tree head',
      ],
      [
        'another root',
        (truth: string) => flipped(truth, truth.indexOf('\n', truth.indexOf('tree\n') + 5) + 3),
        'this record is not in the log',
      ],
      [
        'a smaller tree',
        (truth: string) => truth.replace(/tree\n\d+/, 'tree\n300'),
        'this record is not in the log',
      ],
      ['a forged signature', (truth: string) => flipped(truth, truth.length - 20), 'not signed by the key'],
      ['no signature', (truth: string) => truth.slice(0, truth.lastIndexOf('—')), 'not signed by the key'],
      ['no record at all', () => '<html>sign in to the hotel</html>', 'no record with a tree head'],
    ] as const;

    it('fails whatever else the log answers with', async () => {
      const { page } = await openPage(browser);
      const protocol = await page.context().newCDPSession(page);
      await protocol.send('Network.enable');
      await protocol.send('Network.setCacheDisabled', { cacheDisabled: true });
      for (const [what, lie, said] of LIES) {
        lying = lie;
        liar.server.prepared.clear();
        const { state } = await proof(liar, page);
        expect([what, state]).toEqual([
          what,
          expect.stringMatching(/^✗ The proof (?:fails|could not be checked)/),
        ]);
        expect([what, state]).toEqual([what, expect.stringContaining(said)]);
      }
      await page.context().close();
    });

    it('says so where the browser cannot check signatures', async () => {
      const { page } = await openPage(browser);
      await page.addInitScript("SubtleCrypto.prototype.importKey = () => Promise.reject(new Error('none'))");
      const { state, steps } = await proof(open, page);
      expect(state).toBe('✓ Your browser has checked the proof, but not the signature.');
      expect(steps[4]).toContain('cannot check Ed25519');
      await page.context().close();
    });
  });

  it('let in who signs in, by hand and by keyboard, and out again', async () => {
    const { page, problems } = await openPage(browser);
    const target = '/ui/mod/private.test/team/billing?tab=record';
    const refused = await page.goto(guarded.url + target);
    expect(refused?.status()).toBe(401);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByLabel('Token').fill('gokeep_wrong');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[role=alert]');
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${guarded.url}${target}`);
    await page.waitForSelector('.proof[data-state=good]');
    const [cookie] = await page.context().cookies(`${guarded.url}/ui/`);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/ui' });
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await sideways(page)).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${guarded.url}/ui/`);
    expect((await page.goto(guarded.url + target))?.status()).toBe(401);
    expect(problems.filter((text) => !/status of 4(?:01|22)/.test(text))).toEqual([]);
    await page.context().close();
  });

  it('let in over TLS, with a cookie that goes over nothing else', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-tls-'));
    const made = makeTestCa();
    const cert = path.join(directory, 'cert.pem');
    const key = path.join(directory, 'key.pem');
    writeFileSync(cert, made.cert);
    writeFileSync(key, made.key);
    await using site = await MadeSite.start({
      versions,
      gate: gateOf(access.authenticator, false),
      tls: { cert, key },
    });
    const { page, problems } = await openPage(browser, { ignoreHTTPSErrors: true });
    await page.goto(`${site.url}/ui/sign-in?next=${encodeURIComponent(`/ui/mod/${P}?tab=record`)}`);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.proof[data-state=good]');
    const [cookie] = await page.context().cookies(`${site.url}/ui/`);
    expect(cookie).toMatchObject({ secure: true, httpOnly: true });
    expect(problems).toEqual([]);
    await page.context().close();
    rmSync(directory, { recursive: true });
  });

  it('copy the lines for the reader who asks for it', async () => {
    const { page } = await openPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(`${open.url}/`);
    await page.getByRole('button', { name: 'Copy: bash, zsh' }).click();
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      `export GOPROXY=${open.url}\nexport GOSUMDB="${open.directory.key.vkey}"`,
    );
    await page.context().close();
  });
});
