import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isToken } from '../../src/access/token.ts';
import { UpstreamStore } from '../../src/store/upstream-store.ts';
import { gokeep } from './program.ts';

let data: string;

beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), 'gokeep-token-'));
});

afterEach(() => rmSync(data, { recursive: true }));

const token = (...args: string[]) => gokeep(['token', ...args, '--data', data]);
const json = (stdout: string) =>
  JSON.parse(stdout) as { readonly id: string; readonly created: string; readonly expires: string | null };

describe('gokeep token', () => {
  it('create prints the token alone on stdout, once; list does not know it', async () => {
    const made = await token(
      'create',
      '--name',
      'ci',
      '--read',
      'corp.test/*,git.test',
      '--read',
      'a.test',
      '--admin',
    );
    expect(made.code).toBe(0);
    expect(isToken(made.stdout.trim())).toBe(true);
    expect(made.stderr).toContain('may read corp.test/*, git.test, a.test; may administer *');
    expect(made.stderr).toContain('the only time');
    const { stdout } = await token('list');
    expect(stdout).toMatch(
      /^[0-9a-f]{8} {2}ci {2}active, expires [0-9TZ:-]+; may read corp\.test\/\*, git\.test, a\.test; may administer \*\n$/,
    );
    expect(stdout).not.toContain('gokeep_');
    // Whoever reads it learns names of what is private.
    expect(statSync(path.join(data, 'access.db')).mode & 0o777).toBe(0o600);
  });

  it('create gives a token ninety days, or what it is told', async () => {
    const days = async (...args: string[]) => {
      const { created, expires } = json((await token('create', '--json', ...args)).stdout);
      return expires === null ? null : (Date.parse(expires) - Date.parse(created)) / 86_400_000;
    };
    expect(await days()).toBeCloseTo(90, 3);
    expect(await days('--expires', '7d')).toBeCloseTo(7, 3);
    expect(await days('--expires', '12h')).toBeCloseTo(0.5, 3);
    expect(await days('--expires', 'never')).toBeNull();
  });

  it('revoke ends one by its name or its id, once', async () => {
    const { id } = json((await token('create', '--json', '--name', 'a')).stdout);
    await token('create', '--name', 'b');
    expect(await token('revoke', id, 'b')).toMatchObject({ code: 0, stderr: '' });
    const again = await token('revoke', 'b');
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toBe('gokeep: there is no token "b" that could be revoked\n');
    expect((await token('list')).stdout.match(/ revoked /g)).toHaveLength(2);
  });

  it.each([
    [['--name', 'a b'], 'is no name'],
    [['--name', '../x'], 'is no name'],
    [['--read', 'corp.test//x'], 'is not a pattern for module paths: it has an empty element'],
    [['--read', 'corp.test/['], 'brackets'],
    [['--read', ''], 'it is empty'],
    [['--expires', '90'], 'Say days or hours'],
    [['--expires', '0d'], 'Say days or hours'],
    [['--expires', '-1d'], 'Say days or hours'],
  ])('create %j says what is wrong, and makes nothing', async (args, says) => {
    const { code, stdout, stderr } = await token('create', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
    expect((await token('list')).stdout).toBe('there are no tokens\n');
  });

  it('names a token that exists already', async () => {
    await token('create', '--name', 'ci');
    expect((await token('create', '--name', 'ci')).stderr).toContain('there is a token named ci already');
  });
});

describe('gokeep token list, of uses', () => {
  const DAY = 86_400_000;
  interface Listed {
    readonly name: string;
    readonly lastUsed: string | null;
    readonly usesNotedSince: string | null;
  }
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);

  /** What a server leaves behind that noted uses since then. */
  async function noted(since: number, uses: readonly { token: string; day: number }[] = []): Promise<void> {
    const fail = (error: Error) => {
      throw error;
    };
    const file = path.join(data, 'upstream.db');
    const store = new UpstreamStore(file, fail, fail);
    await store.keepTokenUses(uses);
    await store.close();
    const db = new Database(file);
    db.prepare(`UPDATE meta SET value = ? WHERE name = 'token_uses_since'`).run(String(since));
    db.close();
  }

  const both = async () => ({
    text: (await token('list')).stdout,
    listed: (JSON.parse((await token('list', '--json')).stdout) as Listed[])[0],
  });

  it('says the last day on which a token was used', async () => {
    const { id } = json((await token('create', '--json', '--name', 'ci')).stdout);
    await noted(0, [{ token: id, day: Date.parse('2026-11-24') / DAY }]);
    const { text, listed } = await both();
    expect(text).toContain(', last used 2026-11-24; ');
    expect(listed).toMatchObject({ name: 'ci', lastUsed: '2026-11-24' });
  });

  it('says never of what was noted since before the token was made, and else since when', async () => {
    await token('create', '--name', 'ci');
    await noted(Date.now() - 3 * DAY);
    let { text, listed } = await both();
    expect(text).toContain(', never used; ');
    expect(listed).toMatchObject({ lastUsed: null, usesNotedSince: day(Date.now()) });
    await noted(Date.now() + 3 * DAY);
    ({ text, listed } = await both());
    expect(text).toContain(`, not used since ${day(Date.now() + 3 * DAY)}; `);
    expect(listed).toMatchObject({ lastUsed: null, usesNotedSince: day(Date.now() + 3 * DAY) });
  });

  it('says nothing where no server has noted any', async () => {
    await token('create', '--name', 'ci');
    const { text, listed } = await both();
    expect(text).not.toContain('used');
    expect(listed).toMatchObject({ lastUsed: null, usesNotedSince: null });
  });

  it('lists tokens also where that cannot be read', async () => {
    await token('create', '--name', 'ci');
    writeFileSync(
      path.join(data, 'upstream.db'),
      'no database, and longer than the header of one'.repeat(99),
    );
    const { code, stdout, stderr } = await token('list');
    expect(code).toBe(0);
    expect(stdout).toContain('  ci  active');
    expect(stderr).toContain('gokeep: when tokens were last used is not known: ');
  });
});

describe('gokeep goauth', () => {
  const URL_ = 'https://go.corp.test/base';
  const goauth = (env: Record<string, string>, ...args: string[]) => gokeep(['goauth', ...args], env);
  const answer = (url: string, secret: string) => `${url}\n\nAuthorization: Bearer ${secret}\n\n`;

  it('answers in the form that go wants, from a file or the environment', async () => {
    const file = path.join(data, 'token');
    writeFileSync(file, 'gokeep_abc\n');
    expect(await goauth({}, '--url', URL_, '--token-file', file)).toEqual({
      code: 0,
      stdout: answer(URL_, 'gokeep_abc'),
      stderr: '',
    });
    const env = { GOKEEP_URL: URL_, GOKEEP_TOKEN_FILE: file };
    expect((await goauth(env)).stdout).toBe(answer(URL_, 'gokeep_abc'));
    expect((await goauth({ GOKEEP_URL: `${URL_},https://b.test`, GOKEEP_TOKEN: 'a.b.c' })).stdout).toBe(
      answer(`${URL_}\nhttps://b.test`, 'a.b.c'),
    );
  });

  it.each([
    ['https://go.corp.test/base', true],
    ['https://go.corp.test/base/example.test/m/@v/list', true],
    ['https://go.corp.test/baseless', false],
    ['https://go.corp.test/', false],
    ['https://go.corp.test:8443/base', false],
    ['http://go.corp.test/base', false],
    ['https://evil.test/base', false],
    ['https://go.corp.test@evil.test/base', false],
    ['no URL', false],
  ])('asked about %s, gives the token: %s', async (asked, gives) => {
    const { code, stdout } = await goauth({ GOKEEP_TOKEN: 'secret' }, '--url', URL_, asked);
    expect({ code, stdout }).toEqual({ code: 0, stdout: gives ? answer(URL_, 'secret') : '' });
  });

  it.each([
    [{}, [], 'say whose token this is'],
    [{ GOKEEP_URL: 'http://go.corp.test' }, [], 'is no https URL'],
    [{ GOKEEP_URL: URL_ }, [], 'there is no token'],
    [{ GOKEEP_URL: URL_ }, ['--token-file', '/nonexistent'], 'cannot be read'],
    [{ GOKEEP_URL: URL_, GOKEEP_TOKEN: 'a\nX-Evil: 1' }, [], 'is none'],
  ])('%j %j: fails without asking anybody', async (env, args, says) => {
    const { code, stdout, stderr } = await goauth(env, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
    expect(stderr).not.toContain('X-Evil');
  });
});
