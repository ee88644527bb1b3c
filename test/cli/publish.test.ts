import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gokeep } from './program.ts';

const LIB = 'corp.test/lib';

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly authorization: string | undefined;
  readonly bytes: number;
}

let directory: string;
let module: string;
let server: Server;
let url: string;
let seen: Seen[];
/** What the server answers to each method; GET is the question whether it is a gokeep. */
let answer: Partial<Record<string, { status: number; text: string }>>;

async function bytesOf(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  return bytes;
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-cli-publish-'));
  module = path.join(directory, 'lib');
  server = createServer((request, response) => {
    void bytesOf(request).then((bytes) => {
      const { method = '', url: target = '', headers } = request;
      seen.push({ method, target, authorization: headers.authorization, bytes });
      const { status, text } = answer[method] ?? { status: 404, text: 'no' };
      response.writeHead(status).end(text);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.close();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  seen = [];
  answer = { GET: { status: 200, text: '{"program":"gokeep"}' }, DELETE: { status: 200, text: '{}' } };
  await rm(module, { recursive: true, force: true });
  await mkdir(path.join(module, 'vendor', 'x'), { recursive: true });
  await writeFile(path.join(module, 'go.mod'), `module ${LIB}\n\ngo 1.21\n`);
  await writeFile(path.join(module, 'a.go'), 'package a\n');
  await writeFile(path.join(module, 'vendor', 'x', 'x.go'), 'package x\n');
});

const PATH = process.env['PATH'] ?? '';
const env = (more: Record<string, string> = {}) => ({
  PATH,
  HOME: directory,
  GOPROXY: `${url},direct`,
  ...more,
});
const publish = (args: readonly string[], more: Record<string, string> = {}) =>
  gokeep(['publish', module, 'v1.0.0', '--from', 'directory', ...args], env(more));

/** The h1 of the module as it lies there. */
const H1 = async () => (JSON.parse((await publish(['--dry-run', '--json'])).stdout) as { h1: string }).h1;

describe('a dry run', () => {
  it('shows what goes in, what stays out and why, the size and the hash, and sends nothing', async () => {
    const { code, stdout } = await publish(['--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +10 {2}a\.go\n +\d+ {2}go\.mod\nleft out: vendor/);
    expect(stdout).toMatch(/corp\.test\/lib@v1\.0\.0: 2 files, \d+ bytes, h1:\S{44}\n/);
    expect(seen).toEqual([]);
  });

  it('is one JSON document with --json', async () => {
    const { stdout } = await publish(['--dry-run', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      path: LIB,
      version: 'v1.0.0',
      from: 'directory',
      published: false,
      files: [{ path: 'a.go', size: 10 }, { path: 'go.mod' }],
    });
  });

  it('exits 1 and names each file that no module may have', async () => {
    await writeFile(path.join(module, 'aux.go'), 'package a\n');
    const { code, stdout } = await publish(['--dry-run']);
    expect(code).toBe(1);
    expect(stdout).toContain('not allowed: aux.go: ');
    expect(stdout).toContain('cannot be published');
  });
});

describe('publish', () => {
  it('sends the zip to the first address in GOPROXY, after that has said that it is a gokeep', async () => {
    answer['PUT'] = { status: 201, text: JSON.stringify({ zip: await H1() }) };
    expect(await publish([])).toMatchObject({ code: 0, stderr: '' });
    expect(seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /api/v1/server',
      `PUT /${LIB}/@v/v1.0.0.zip`,
    ]);
    expect(seen[1]!.bytes).toBeGreaterThan(100);
  });

  it('tells nobody else the name of a module', async () => {
    answer['GET'] = { status: 404, text: 'not found' };
    const { code, stderr } = await publish([]);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is no gokeep') as string,
    });
    expect(seen.map(({ target }) => target)).toEqual(['/api/v1/server']);
  });

  it('says what the server said, in one line', async () => {
    answer['PUT'] = { status: 409, text: `${LIB}@v1.0.0 is on record\nwith other bytes` };
    const { code, stderr } = await publish([]);
    expect({ code, first: stderr.split('\n')[0] }).toEqual({
      code: 2,
      first: `gokeep: ${LIB}@v1.0.0 is on record with other bytes`,
    });
  });

  it('does not believe a server that recorded another hash', async () => {
    answer['PUT'] = { status: 201, text: '{"zip":"h1:other"}' };
    expect(await publish([])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('SECURITY') as string,
    });
  });

  it('asks which files are meant where there is no git', async () => {
    const { code, stderr } = await gokeep(['publish', module, 'v1.0.0'], env());
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--from directory') as string,
    });
  });

  it.each([
    [['publish', '1.0.0'], 'no version'],
    [['publish', 'a', 'b', 'v1.0.0'], 'a directory and a version'],
    [['publish', 'v1.0.0', '--from', 'head'], 'neither tag nor directory'],
    [['yank', 'corp.test/lib', '--reason', 'x'], 'which version'],
    [['yank', 'corp.test/lib@v1.0.0'], '--reason'],
  ])('%j is not understood, and says why', async (args, why) => {
    const { code, stderr } = await gokeep(args, env());
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(why) as string });
    expect(seen).toEqual([]);
  });
});

describe('credentials', () => {
  const unyank = (args: readonly string[], more: Record<string, string> = {}) =>
    gokeep(['unyank', `${LIB}@v1.0.0`, ...args], env({ GOKEEP_URL: url, ...more }));
  const sent = () => new Set(seen.flatMap(({ authorization }) => authorization ?? []));

  afterEach(() => rm(path.join(directory, 'token'), { force: true }));

  it('are a token from a file or the environment, as Bearer', async () => {
    const file = path.join(directory, 'token');
    await writeFile(file, 'of-the-file\n');
    await chmod(file, 0o600);
    expect(await unyank(['--token-file', file], { GOKEEP_TOKEN: 'x' })).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(sent()).toEqual(new Set(['Bearer of-the-file']));
    seen = [];
    await unyank([], { GOKEEP_TOKEN: 'of-the-environment' });
    expect(sent()).toEqual(new Set(['Bearer of-the-environment']));
    seen = [];
    await unyank([], { GOKEEP_TOKEN_FILE: file });
    expect(sent()).toEqual(new Set(['Bearer of-the-file']));
  });

  it('or a name and password in the address, as Basic, which nobody is shown', async () => {
    answer['DELETE'] = { status: 500, text: '' };
    const { stderr } = await unyank(['--url', url.replace('//', '//me:s%3Acret@')]);
    expect(sent()).toEqual(new Set([`Basic ${Buffer.from('me:s:cret').toString('base64')}`]));
    expect(stderr).toContain(`${url} answered 500`);
    expect(stderr).not.toContain('cret');
  });

  it('are not sent before the address has said that it is a gokeep, nor to one that only GOPROXY names', async () => {
    await unyank([], { GOKEEP_TOKEN: 'secret' });
    expect(seen[0]?.authorization).toBeUndefined();
    seen = [];
    const { code, stderr } = await unyank([], { GOKEEP_TOKEN: 'secret', GOKEEP_URL: '' });
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Say whose token') as string,
    });
    expect(seen).toEqual([]);
  });

  it('go over plain http to this machine only', async () => {
    const { code, stderr } = await unyank(['--url', 'http://go.corp.test'], { GOKEEP_TOKEN: 'x' });
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('use https') as string,
    });
    expect(seen).toEqual([]);
  });

  it('that are no token are not sent', async () => {
    expect(await unyank([], { GOKEEP_TOKEN: 'a\nb' })).toMatchObject({ code: 2 });
    expect(await unyank(['--token-file', path.join(directory, 'token')])).toMatchObject({ code: 2 });
    expect(seen).toEqual([]);
  });

  it('are asked for where the server wants them', async () => {
    answer['GET'] = { status: 401, text: '' };
    expect(await unyank([])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--token-file') as string,
    });
  });
});
