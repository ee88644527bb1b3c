import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import type { GokeepError } from '../../src/errors.ts';
import type { SmallRequest } from '../../src/upstream/answer-checks.ts';
import { DirectSource } from '../../src/upstream/direct.ts';
import type { DirectSettings } from '../../src/upstream/go-command.ts';
import { Places } from '../../src/upstream/places.ts';

const REPO = 'github.com/owner/repo';
const PATH = process.env['PATH'] ?? '';

let base: string;
let server: Server;
let hang: () => void;

/** Repositories over git's dumb HTTP protocol; `/hang/` never answers, `/locked/` wants a password. */
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'gokeep-direct-'));
  await makeRepositories();
  server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname));
    if (path.startsWith('/hang/')) {
      hang();
      return;
    }
    if (path.startsWith('/locked/')) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return;
    }
    readFile(join(base, 'srv', path)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await writeFile(join(base, 'gitconfig'), `[url "${origin}"]\n\tinsteadOf = https://github.com/\n`);
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(base, { recursive: true, force: true });
});

async function makeRepositories(): Promise<void> {
  const work = join(base, 'work');
  await mkdir(work);
  const git = (...args: string[]): void => {
    execFileSync('git', args, {
      cwd: work,
      env: {
        PATH,
        HOME: base,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'a',
        GIT_AUTHOR_EMAIL: 'a@example.com',
        GIT_COMMITTER_NAME: 'a',
        GIT_COMMITTER_EMAIL: 'a@example.com',
        GIT_AUTHOR_DATE: '2024-01-02T03:04:05Z',
        GIT_COMMITTER_DATE: '2024-01-02T03:04:05Z',
      },
    });
  };
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(join(work, name, '..'), { recursive: true });
    await writeFile(join(work, name), text);
  };
  git('init', '-q', '-b', 'main', '.');
  await write('go.mod', `module ${REPO}\n\ngo 1.21\n`);
  await write('a.go', 'package repo\n');
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  git('tag', 'v1.0.0');
  await write('go.mod', `module ${REPO}\n\ngo 1.21\n\nretract v1.1.0\n`);
  await write('sub/go.mod', `module ${REPO}/sub\n`);
  await write('sub/b.go', 'package sub\n');
  await write('untagged/go.mod', `module ${REPO}/untagged\n`);
  await write('future/go.mod', `module ${REPO}/future\n\ngo 1.99\n`);
  git('add', '.');
  git('commit', '-q', '-m', 'two');
  for (const tag of ['v1.1.0', 'v1.2.0-rc.1', 'v2.0.0', 'sub/v0.1.0', 'future/v0.1.0']) git('tag', tag);
  git('branch', 'dev');
  git('clone', '-q', '--bare', work, join(base, 'srv/owner/repo'));
  execFileSync('git', ['update-server-info'], { cwd: join(base, 'srv/owner/repo') });
}

let instances = 0;
function source(more: Partial<DirectSettings> = {}): DirectSource & { readonly directory: string } {
  instances += 1;
  const directory = join(base, `direct-${instances}`);
  const direct = new DirectSource({
    directory,
    path: PATH,
    deadline: 60_000,
    places: new Places(2),
    maxFile: 2 ** 30,
    diskReserve: 0,
    protocols: ['https', 'http'],
    credentials: { hosts: [], gitConfigFile: join(base, 'gitconfig') },
    ...more,
  });
  return Object.assign(direct, { directory });
}

async function failure(direct: DirectSource, request: SmallRequest): Promise<GokeepError> {
  return await direct.fetch(request, undefined).then(
    (body) => expect.fail(`succeeded with ${String(body)}`),
    (error: GokeepError) => error,
  );
}

describe('a repository', () => {
  const direct = (() => {
    let shared: (DirectSource & { readonly directory: string }) | undefined;
    return () => (shared ??= source());
  })();
  const text = async (request: SmallRequest): Promise<string> =>
    String(await direct().fetch(request, undefined));

  test('lists its versions, pre-releases and retracted ones included', async () => {
    expect(await text({ kind: 'list', path: REPO })).toBe('v1.0.0\nv1.1.0\nv1.2.0-rc.1\n');
  });

  test('lists the versions of a module in a subdirectory', async () => {
    expect(await text({ kind: 'list', path: `${REPO}/sub` })).toBe('v0.1.0\n');
  });

  test('has an empty list for a module without tags', async () => {
    expect(await text({ kind: 'list', path: `${REPO}/untagged` })).toBe('');
  });

  test('gives .info as go keeps it', async () => {
    const info = await text({ kind: 'info', path: REPO, version: 'v1.0.0' });
    expect(JSON.parse(info)).toMatchObject({
      Version: 'v1.0.0',
      Time: '2024-01-02T03:04:05Z',
      Origin: { VCS: 'git', URL: `https://${REPO}`, Ref: 'refs/tags/v1.0.0' },
    });
    const kept = join(direct().directory, 'mod/cache/download', REPO, '@v/v1.0.0.info');
    expect(info).toBe(readFileSync(kept, 'utf8'));
  });

  test('resolves a branch and @latest', async () => {
    expect(JSON.parse(await text({ kind: 'info', path: REPO, version: 'dev' }))).toMatchObject({
      Version: expect.stringMatching(/^v1\.(?:1\.1-0|2\.0-rc\.1(?:\.0)?)|v2/) as string,
    });
    expect(JSON.parse(await text({ kind: 'latest', path: `${REPO}/sub` }))).toMatchObject({
      Version: 'v0.1.0',
    });
    const untagged = JSON.parse(await text({ kind: 'latest', path: `${REPO}/untagged` })) as {
      Version: string;
    };
    expect(untagged.Version).toMatch(/^v0\.0\.0-20240102030405-[0-9a-f]{12}$/);
    const again = await text({ kind: 'info', path: `${REPO}/untagged`, version: untagged.Version });
    expect(JSON.parse(again)).toMatchObject({ Version: untagged.Version });
  });

  test('gives .mod, also when it needs a Go newer than ours', async () => {
    expect(await text({ kind: 'mod', path: REPO, version: 'v1.0.0' })).toBe(`module ${REPO}\n\ngo 1.21\n`);
    expect(await text({ kind: 'mod', path: `${REPO}/future`, version: 'v0.1.0' })).toContain('go 1.99');
  });

  test('gives a zip, and go’s own copies of it go away', async () => {
    const name = join(base, 'x.zip');
    await using file = await open(name, 'w');
    const bytes = await direct().fetchZip(`${REPO}/sub`, 'v0.1.0', file, undefined);
    const zip = await readFile(name);
    expect(zip.length).toBe(bytes);
    expect(zip.includes(`${REPO}/sub@v0.1.0/b.go`)).toBe(true);
    const left = await readdir(join(direct().directory, 'mod'), { recursive: true });
    expect(left.filter((entry) => entry.endsWith('.zip') || entry.endsWith('b.go'))).toEqual([]);
  });

  const failures: [string, SmallRequest, string][] = [
    ['a tag that is missing', { kind: 'info', path: REPO, version: 'v1.0.9' }, 'not_found'],
    ['a branch that is missing', { kind: 'info', path: REPO, version: 'nowhere' }, 'not_found'],
    ['a directory that is no module', { kind: 'list', path: `${REPO}/none` }, 'not_found'],
    ['a major version that is missing', { kind: 'latest', path: `${REPO}/v3` }, 'not_found'],
    [
      'a tag whose go.mod names another major version',
      { kind: 'mod', path: `${REPO}/v2`, version: 'v2.0.0' },
      'not_found',
    ],
    [
      'a pseudo-version of no commit',
      { kind: 'info', path: REPO, version: 'v0.0.0-20240102030405-abcdefabcdef' },
      'not_found',
    ],
    ['a repository that is missing', { kind: 'list', path: 'github.com/owner/none' }, 'upstream_refused'],
    [
      'a version of a repository that is missing',
      { kind: 'info', path: 'github.com/owner/none', version: 'v1.0.0' },
      'upstream_refused',
    ],
    [
      'a repository that wants a password',
      { kind: 'list', path: 'github.com/locked/repo' },
      'upstream_refused',
    ],
    ['a host that is an address', { kind: 'list', path: '127.0.0.1/repo' }, 'refused'],
    ['a version that is an option', { kind: 'info', path: REPO, version: '-x' }, 'bad_version'],
    ['a version with a slash', { kind: 'info', path: REPO, version: 'a/b' }, 'bad_version'],
  ];
  test.each(failures)('%s: $2', async (_name, request, code) => {
    const error = await failure(direct(), request);
    if (code !== 'bad_version') expect(error.message).toContain(request.path);
    expect(error.message).not.toContain(direct().directory);
    expect(error.message).not.toMatch(/\p{Cc}/u);
    expect(error).toMatchObject({ code });
  });

  test('a pseudo-version is only what go itself makes of the commit: its time, its base, 12 digits of its hash', async () => {
    const { Version: right } = JSON.parse(await text({ kind: 'latest', path: `${REPO}/untagged` })) as {
      Version: string;
    };
    const hash = right.slice(-12);
    expect(right).toBe(`v0.0.0-20240102030405-${hash}`);
    const wrong: readonly (readonly [version: string, why: RegExp])[] = [
      [`v0.0.0-20240102030406-${hash}`, /does not match version-control timestamp/],
      [
        `v0.0.0-20240102030405-${hash.replaceAll(/./g, (digit) => (digit === '0' ? '1' : '0'))}`,
        /unknown revision/,
      ],
      [`v0.0.0-20240102030405-${hash.slice(0, 11)}`, /revision is shorter than canonical/],
      [`v0.3.1-0.20240102030405-${hash}`, /preceding tag \(v0\.3\.0\) not found/],
      [`v1.0.0-20240102030405-${hash}`, /major version without preceding tag must be v0/],
    ];
    for (const [version, why] of wrong) {
      for (const kind of ['info', 'mod'] as const) {
        const error = await failure(direct(), { kind, path: `${REPO}/untagged`, version });
        expect(error).toMatchObject({ code: 'not_found', message: expect.stringMatching(why) as string });
      }
    }
    const name = join(base, 'pseudo.zip');
    await using file = await open(name, 'w');
    const zip = direct().fetchZip(`${REPO}/untagged`, wrong[0]![0], file, undefined);
    await expect(zip).rejects.toMatchObject({ code: 'not_found' });
    expect((await readFile(name)).length).toBe(0);
  });

  test('a zip that needs a newer Go says so', async () => {
    await using file = await open(join(base, 'y.zip'), 'w');
    await expect(direct().fetchZip(`${REPO}/future`, 'v0.1.0', file, undefined)).rejects.toMatchObject({
      code: 'no_go',
      message: expect.stringContaining('newer Go') as string,
    });
  });
});

test('a host that cannot be reached, here through an egress proxy that is not there, is no absence', async () => {
  const direct = source({ httpsProxy: 'http://127.0.0.1:1' });
  const error = await failure(direct, { kind: 'list', path: 'git.example.com/repo' });
  expect(error).toMatchObject({ code: 'upstream_unreachable' });
});

test('a transport that is not allowed is not used', async () => {
  const error = await failure(source({ protocols: ['https', 'ssh'] }), { kind: 'list', path: REPO });
  expect(error).toMatchObject({
    code: 'upstream_failed',
    message: expect.stringContaining('not allowed') as string,
  });
});

test('a repository that hangs ends at the deadline, with every process of the group', async () => {
  const asked = new Promise<void>((resolve) => {
    hang = resolve;
  });
  const direct = source({ deadline: 3000 });
  const fetch = failure(direct, { kind: 'list', path: 'github.com/hang/repo' });
  await asked;
  expect(processesIn(direct.directory)).not.toBe(0);
  expect(await fetch).toMatchObject({ code: 'upstream_timeout' });
  await vi.waitUntil(() => processesIn(direct.directory) === 0, 10_000);
});

test('a module proxy that a go-import page names and that never answers ends at the deadline, like one that is ourselves', async () => {
  const asked: string[] = [];
  // go reaches both hosts through its egress proxy, so that neither has to be found by name.
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === 'http://vanity.test/mod?go-get=1') {
      response.end('<meta name="go-import" content="vanity.test/mod mod http://proxy.vanity.test/go">');
    }
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  try {
    const direct = source({
      deadline: 3000,
      insecure: 'vanity.test,*.vanity.test',
      httpProxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      httpsProxy: 'http://127.0.0.1:1',
    });
    const fetch = failure(direct, { kind: 'list', path: 'vanity.test/mod' });
    await vi.waitUntil(() => asked.length === 2, 3000);
    expect(asked).toEqual([
      'http://vanity.test/mod?go-get=1',
      'http://proxy.vanity.test/go/vanity.test/mod/@v/list',
    ]);
    expect(processesIn(direct.directory)).not.toBe(0);
    expect(await fetch).toMatchObject({
      code: 'upstream_timeout',
      message: expect.stringContaining('vanity.test/mod') as string,
    });
    await vi.waitUntil(() => processesIn(direct.directory) === 0, 10_000);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});

test('a caller that gives up ends the command, and one that waits never starts it', async () => {
  const asked = new Promise<void>((resolve) => {
    hang = resolve;
  });
  const direct = source({ places: new Places(1) });
  const stop = new AbortController();
  const fetches = [1, 2].map((n) =>
    direct.fetch({ kind: 'list', path: `github.com/hang/repo${n}` }, stop.signal),
  );
  await asked;
  stop.abort();
  for (const end of await Promise.allSettled(fetches))
    expect(end).toMatchObject({ reason: { code: 'busy' } });
  await vi.waitUntil(() => processesIn(direct.directory) === 0, 10_000);
});

/** Processes whose environment names a directory: ours, whoever their parent is by now. */
function processesIn(directory: string): number {
  const out = execFileSync('sh', [
    '-c',
    'grep -lasF -- "$1" /proc/[0-9]*/environ || true',
    'sh',
    `HOME=${directory}/`,
  ]);
  return out
    .toString()
    .split('\n')
    .filter((line) => line !== '').length;
}

test('without go, or without git, no_go says what to install', async () => {
  const bin = join(base, 'bin');
  await mkdir(bin);
  expect(await failure(source({ path: bin }), { kind: 'list', path: REPO })).toMatchObject({
    code: 'no_go',
    message: expect.stringContaining('Install Go and git') as string,
  });
  const go = execFileSync('sh', ['-c', 'command -v go']).toString().trim();
  expect(await failure(source({ path: bin, go }), { kind: 'list', path: REPO })).toMatchObject({
    code: 'no_go',
  });
});

test('go sees our variables and nothing of our environment', async () => {
  const bin = join(base, 'bin-env');
  await mkdir(bin);
  await writeFile(join(bin, 'go'), '#!/bin/sh\n/usr/bin/env > "$HOME/env"\nexit 1\n');
  await chmod(join(bin, 'go'), 0o755);
  process.env['GOKEEP_TEST_SECRET'] = 'secret';
  const direct = source({
    path: `${bin}:/usr/bin:/bin`,
    credentials: { hosts: [], netrcFile: '/etc/netrc' },
    httpsProxy: 'http://p:1',
  });
  await failure(direct, { kind: 'list', path: REPO });
  const env = readFileSync(join(direct.directory, 'home/env'), 'utf8');
  expect(env).not.toContain('secret');
  for (const line of [
    'GOFLAGS=-modcacherw',
    'GOENV=off',
    'GOPROXY=direct',
    'GOTOOLCHAIN=local',
    'GOVCS=*:git',
    'GIT_TERMINAL_PROMPT=0',
    'GIT_ALLOW_PROTOCOL=https:http',
    'GIT_CONFIG_KEY_0=core.hooksPath',
    'NETRC=/etc/netrc',
    'https_proxy=http://p:1',
    `GOMODCACHE=${direct.directory}/mod`,
  ]) {
    expect(env.split('\n')).toContain(line);
  }
  expect(env).toMatch(/GIT_SSH_COMMAND=ssh -F '/);
});
