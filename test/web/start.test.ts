import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oneLine } from '../../src/client/setup/one-line.ts';
import { setupFiles, TARGETS } from '../../src/client/setup/targets.ts';
import { gateOf } from '../../src/http/gate.ts';
import { escapeHtml } from '../../src/web/html.ts';
import { MadeAccess } from '../access/made-access.ts';
import { MadeSite } from './made-site.ts';

const access = new MadeAccess();
const reader = access.add('<b>alice</b>', { read: ['*'] });

let open: MadeSite;
let guarded: MadeSite;

beforeAll(async () => {
  const versions = [{ path: 'example.test/m', version: 'v1.0.0' }];
  open = await MadeSite.start({ versions });
  guarded = await MadeSite.start({ versions, gate: gateOf(access.authenticator, false) });
});

afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
});

describe('the start page', () => {
  it('is plain text for whoever does not ask for HTML', async () => {
    for (const accept of ['*/*', 'text/plain', '']) {
      const { text, headers } = await open.page('/', { accept });
      expect(text).toBe('the start page\n');
      expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    }
  });

  it('shows a browser the two lines, for both shells, with the key of this server', async () => {
    const { status, text } = await open.page('/');
    expect(status).toBe(200);
    const { vkey } = open.directory.key;
    expect(text).toContain(`export GOPROXY=${open.url}\nexport GOSUMDB=&quot;${vkey}&quot;`);
    expect(text).toContain(`$env:GOPROXY = &quot;${open.url}&quot;`);
  });

  it('says whether a token is needed', async () => {
    expect((await open.page('/')).text).toContain('No token is needed.');
    expect((await guarded.page('/')).text).toContain('A token is needed.');
  });

  it('says how much there is to those who may read all of it only', async () => {
    expect((await open.page('/')).text).toContain('Records in the log');
    expect((await guarded.page('/')).text).not.toContain('Records in the log');
    expect((await guarded.page('/ui/')).text).not.toContain('Records in the log');
    const { text } = await guarded.page('/ui/', { authorization: `Bearer ${reader}` });
    expect(text).toContain('Records in the log');
  });
});

describe('the page that sets up clients', () => {
  it('lists every target once, and shows each with its texts and its undo', async () => {
    const { text } = await open.page('/ui/setup');
    const listed = [...text.matchAll(/<a href="\/ui\/setup\/([\w-]+)#picked"/g)].map(([, name]) => name!);
    expect(listed.toSorted()).toEqual(TARGETS.map(({ name }) => name).toSorted());
    for (const target of TARGETS) {
      const { status, text: page } = await open.page(`/ui/setup/${target.name}`);
      expect([target.name, status]).toEqual([target.name, 200]);
      expect(page.length).toBeLessThan(50_000);
      const settings = { url: open.url, vkey: open.directory.key.vkey, credentials: false };
      for (const file of setupFiles(target, settings)) expect(page).toContain(escapeHtml(file.text));
      expect(page).toContain(escapeHtml(target.undo(settings)));
    }
    expect((await open.page('/ui/setup/none')).status).toBe(404);
  });

  it('shows first what the system of the browser is likely to want', async () => {
    const AGENTS = [
      ['Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 'powershell'],
      ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', 'zsh'],
      ['Mozilla/5.0 (X11; Linux x86_64)', 'bash'],
      ['', 'bash'],
    ] as const;
    for (const [agent, name] of AGENTS) {
      const { text } = await open.page('/ui/setup', { 'user-agent': agent });
      expect(text).toContain(`<a href="/ui/setup/${name}#picked" aria-current="page">`);
    }
  });

  it('says what to put into netrc where a token is needed, and quotes an address that shells would read', async () => {
    const { host } = new URL(guarded.url);
    expect((await guarded.page('/ui/setup')).text).toContain(
      `machine ${host} login token password &lt;token&gt;`,
    );
    const line = oneLine({ url: 'http://[::1]:8787', vkey: open.directory.key.vkey, credentials: false });
    expect(line.set).toContain(' -w "GOPROXY=http://[::1]:8787" GOSUMDB=');
  });

  it('is not there, and the start page has the two lines only, for an address that no script can hold', async () => {
    await using odd = await MadeSite.start({ url: 'https://go.corp.example/%20' });
    expect((await odd.page('/ui/setup')).text).toContain('the address for clients is no plain');
    const { status, text } = await odd.page('/');
    expect(status).toBe(200);
    expect(text).not.toContain('go env -w');
  });
});

describe('every page', () => {
  it('lets only files of this server run, load and frame it', async () => {
    const { headers } = await open.page('/');
    const policy = headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is sent again only where it has changed', async () => {
    const { headers } = await open.page('/ui/');
    const etag = headers.get('etag')!;
    const again = await open.page('/ui/', { 'if-none-match': `W/${etag}` });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await open.page('/ui/', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('names files by their content, which are then kept for ever, and no others', async () => {
    const { text } = await open.page('/');
    const files = [...text.matchAll(/"(\/ui\/assets\/[^"]+)"/g)].map(([, url]) => url!);
    expect(new Set(files).size).toBe(3);
    for (const url of files) {
      const { status, headers } = await open.page(url);
      expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
    }
    for (const url of [
      '/ui/assets/page.000000000000.css',
      '/ui/assets/page.css',
      '/ui/assets/..%2f..%2fpackage.json',
    ])
      expect((await open.page(url)).status).toBe(404);
  });

  it('compresses its files for whoever takes that, and describes each page by its title', async () => {
    const { text } = await open.page('/ui/log');
    expect(text).toContain('<meta name="description" content="Log: on a Go module');
    const url = /"(\/ui\/assets\/page[^"]+css)"/.exec(text)![1]!;
    const sizes = new Map<string, number>();
    for (const [accepted, zipped] of [
      ['gzip, deflate', true],
      ['br;q=1, GZIP;q=0.5', true],
      ['gzip;q=0', false],
      ['gzip;q=0.000', false],
      ['identity', false],
    ] as const) {
      const { headers, text: css } = await open.page(url, { 'accept-encoding': accepted });
      expect([accepted, headers.get('content-encoding')]).toEqual([accepted, zipped ? 'gzip' : null]);
      expect(headers.get('vary')).toBe('Accept-Encoding');
      expect(css).toContain('/* Log and changes */');
      sizes.set(String(zipped), Number(headers.get('content-length')));
    }
    expect(sizes.get('true')! * 3).toBeLessThan(sizes.get('false')!);
  });

  it('answers HEAD without a body, and refuses other methods', async () => {
    const head = await open.server.get('/ui/', { accept: 'text/html' }, 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await open.server.get('/ui/', {}, 'POST')).status).toBe(405);
    expect((await open.page('/ui/nothing-here')).status).toBe(404);
  });
});

describe('signing in', () => {
  const post = (target: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${guarded.url}${target}`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { origin: guarded.url, ...headers },
      redirect: 'manual',
    });
  const cookieOf = (answer: Response) => answer.headers.get('set-cookie')!.split(';')[0]!;

  it('takes a good token and gives a cookie that does not hold it', async () => {
    const answer = await post('/ui/sign-in', { token: ` ${reader} `, next: '/ui/modules?after=a' });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/ui/modules?after=a');
    const cookie = answer.headers.get('set-cookie')!;
    expect(cookie).toMatch(/^gokeep_session=[\w-]{43}; Path=\/ui; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(reader.slice(7));
    const { text } = await guarded.page('/ui/', { cookie: cookieOf(answer) });
    expect(text).toContain('Records in the log');
    expect(text).toContain('&lt;b&gt;alice&lt;/b&gt;');
  });

  it('refuses a bad one, and shows nothing of it', async () => {
    for (const token of ['hunter2', '', `${reader.slice(0, -1)}x`, '<script>']) {
      const answer = await post('/ui/sign-in', { token });
      expect(answer.status).toBe(422);
      expect(answer.headers.get('set-cookie')).toBeNull();
      const text = await answer.text();
      expect(text).toContain('role="alert"');
      if (token !== '') expect(text).not.toContain(token);
    }
  });

  it('refuses forms of other sites', async () => {
    const foreign = [
      { origin: 'https://evil.test' },
      { origin: 'null' },
      { origin: guarded.url, 'sec-fetch-site': 'cross-site' },
      { origin: guarded.url, 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) {
      const answer = await post('/ui/sign-in', { token: reader }, headers);
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null]);
    }
    const mute = await fetch(`${guarded.url}/ui/sign-out`, { method: 'POST', redirect: 'manual' });
    expect(mute.status).toBe(403);
  });

  it('leads back to pages of this server only', async () => {
    for (const next of [
      'https://evil.test/',
      '//evil.test',
      '/ui//evil.test',
      '/ui/\\evil',
      '/setup',
      '/ui/\r\nX: y',
    ]) {
      const answer = await post('/ui/sign-in', { token: reader, next });
      expect(answer.headers.get('location')).toBe('/ui/');
    }
  });

  it('ends with signing out, and with the token', async () => {
    const first = cookieOf(await post('/ui/sign-in', { token: reader }));
    const out = await post('/ui/sign-out', {}, { cookie: first });
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
    expect((await guarded.page('/ui/', { cookie: first })).text).not.toContain('Records in the log');

    const token = access.add('bob', { read: ['*'] });
    const second = cookieOf(await post('/ui/sign-in', { token }));
    expect((await guarded.page('/ui/', { cookie: second })).text).toContain('Records in the log');
    access.revoke('bob');
    access.tokens.look();
    expect((await guarded.page('/ui/', { cookie: second })).text).not.toContain('Records in the log');
  });

  it('marks the cookie for TLS where clients come by it', async () => {
    await using site = await MadeSite.start({
      gate: gateOf(access.authenticator, false),
      url: 'https://go.corp.test',
    });
    const answer = await fetch(`${site.url}/ui/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ token: reader }),
      headers: { origin: 'https://go.corp.test' },
      redirect: 'manual',
    });
    expect(answer.headers.get('set-cookie')).toMatch(/; Secure$/);
  });

  it('warns where the token could be overheard', async () => {
    let url = '';
    const parts = { settings: () => ({ url, vkey: 'key' }) };
    await using site = await MadeSite.start({ gate: gateOf(access.authenticator, false), parts });
    for (const [address, warns] of [
      ['http://go.corp.test:8787', true],
      ['https://go.corp.test', false],
      ['http://[::1]:8787', false],
    ] as const) {
      url = address;
      const { text } = await site.page('/ui/sign-in');
      expect([url, text.includes('not encrypted')]).toEqual([url, warns]);
    }
  });
});
