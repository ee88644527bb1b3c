import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GoClient, GoResult } from '../world/go-client.ts';
import { GuardedGokeep } from '../world/guarded-gokeep.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const MAIN = path.join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const LIB = 'corp.test/team/group/lib';

let world: UpstreamWorld;
let guarded: GuardedGokeep;
let reader: string;
let stranger: string;

describe.skipIf(!needs('openssl'))('with access required (needs openssl)', () => {
  beforeAll(async () => {
    world = await UpstreamWorld.start();
    await world.publish({ path: 'example.test/open', version: 'v1.0.0' });
    await world.publish(
      {
        path: LIB,
        version: 'v1.0.0',
        files: {
          'lib.go': 'package lib\n\nconst V = 1\n',
          'deep/er/pkg/pkg.go': 'package pkg\n\nconst V = 2\n',
        },
        require: {},
      },
      { inDatabase: false },
    );
    guarded = await GuardedGokeep.start(world);
    reader = await guarded.create('--name', 'reader', '--read', LIB);
    stranger = await guarded.create('--name', 'stranger', '--read', 'corp.test/elsewhere');
  });

  afterAll(async () => {
    await guarded[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** Public and private modules for one program, everything verified, GOPRIVATE and its kin unset. */
  async function fetchAll(client: GoClient): Promise<void> {
    await client.write(
      'main.go',
      `package main\n\nimport (\n\t_ "example.test/open"\n\t"${LIB}/deep/er/pkg"\n)\n\nfunc main() { println(pkg.V) }\n`,
    );
    const tidied = await client.run('mod', 'tidy');
    expect(tidied).toMatchObject({ code: 0 });
    expect((await client.run('mod', 'verify')).stdout).toContain('all modules verified');
  }

  describe('a real go builds public and private modules together', () => {
    it('with netrc', async () => {
      await using client = await guarded.client({ NETRC: await guarded.netrc(reader) });
      await fetchAll(client);
      expect(await client.run('build', '-o', 'program', '.')).toMatchObject({ code: 0, stderr: '' });
    });

    it('with GOAUTH=netrc, and the database at its address', async () => {
      await using client = await guarded.client({
        NETRC: await guarded.netrc(reader),
        GOAUTH: 'netrc',
        GOSUMDB: guarded.gokeep.gosumdbWithUrl,
      });
      await fetchAll(client);
    });

    it('with GOAUTH running `gokeep goauth` on a token file', async () => {
      const file = await guarded.file('token', `${reader}\n`);
      const GOAUTH = `${process.execPath} ${MAIN} goauth --url ${guarded.url} --token-file ${file}`;
      await using client = await guarded.client({ GOAUTH });
      await fetchAll(client);
    });

    it('with GOAUTH running `gokeep goauth` and everything in the environment', async () => {
      await using client = await guarded.client({
        GOAUTH: `${process.execPath} ${MAIN} goauth`,
        GOKEEP_URL: guarded.url,
        GOKEEP_TOKEN: reader,
      });
      await fetchAll(client);
    });

    it('with the token in GOPROXY', async () => {
      await using client = await guarded.client({
        GOPROXY: guarded.url.replace('//', `//anybody:${reader}@`),
      });
      await fetchAll(client);
    });
  });

  it('go get of a package deep inside finds its module, though its parents may not be read', async () => {
    await using client = await guarded.client({ NETRC: await guarded.netrc(reader) });
    const got = await client.run('get', `${LIB}/deep/er/pkg`);
    expect(got).toMatchObject({ code: 0 });
    expect(got.stderr).toContain(`added ${LIB} v1.0.0`);
    // It did ask for them.
    const headers = { authorization: `Bearer ${reader}` };
    expect(await status('/corp.test/team/group/@v/list', headers)).toBe(403);
    expect(await status(`/${LIB}/deep/@v/list`, headers)).toBe(404);
  });

  const status = async (target: string, headers: Record<string, string>): Promise<number> =>
    (await guarded.ask(target, { headers })).status;

  /** Asks for one module in many ways; what go says, the module's own name left out. */
  async function says(client: GoClient, module: string): Promise<string> {
    const results: GoResult[] = [];
    for (const args of [
      ['list', '-m', '-versions', module],
      ['list', '-m', `${module}@latest`],
      ['list', '-m', `${module}@main`],
      ['mod', 'download', `${module}@v1.0.0`],
      ['get', module],
      ['get', `${module}/deep`],
    ])
      results.push(await client.run(...args));
    return JSON.stringify(results).replaceAll(module, 'MODULE');
  }

  describe('a token without the right', () => {
    it('cannot tell whether a module exists', async () => {
      await using client = await guarded.client({ NETRC: await guarded.netrc(stranger) });
      const held = await says(client, LIB);
      expect(held).toContain('403 Forbidden');
      expect(held).toContain('give no right to read modules of this path');
      expect(await says(client, 'corp.test/team/group/nil')).toBe(held);
    });

    it('reads what is public, and what its pattern names', async () => {
      await using client = await guarded.client({ NETRC: await guarded.netrc(stranger) });
      expect(await client.run('mod', 'download', 'example.test/open@v1.0.0')).toMatchObject({ code: 0 });
      expect((await client.run('list', '-m', 'corp.test/elsewhere/x@v1.0.0')).stderr).toContain(
        '404 Not Found',
      );
    });
  });

  it('without credentials go prints what to do', async () => {
    await using client = await guarded.client({});
    for (const module of [LIB, 'example.test/open', 'corp.test/nil']) {
      const { code, stderr } = await client.run('list', '-m', `${module}@v1.0.0`);
      expect(code).toBe(1);
      expect(stderr).toContain('401 Unauthorized');
      const text = stderr.replaceAll(/\s+/g, ' ');
      expect(text).toContain('this needs credentials: put a token into your netrc file');
      expect(text).toContain('GOAUTH');
    }
  });

  describe('nothing behind us in GOPROXY is tried', () => {
    it.each([
      ['without credentials', () => '/nonexistent'],
      ['with a bad token', () => guarded.netrc('gokeep_bad')],
      ['without the right', () => guarded.netrc(stranger)],
    ])('%s', async (_what, netrc) => {
      let connections = 0;
      const trap = createServer((socket) => {
        connections++;
        socket.destroy();
      }).listen(0, '127.0.0.1');
      await once(trap, 'listening');
      const next = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
      const env = { NETRC: await netrc() };
      try {
        for (const module of [LIB, 'corp.test/team/group/nil']) {
          await using behind = await guarded.client({ ...env, GOPROXY: `${guarded.url},${next},direct` });
          const said = await behind.run('get', '-x', `${module}/deep/er/pkg`);
          expect(said.code).toBe(1);
          expect(said.stderr).toMatch(/40[13] (?:Unauthorized|Forbidden)/);
          expect(said.stderr).not.toMatch(/go-get=1|git ls-remote/);
        }
        expect(connections).toBe(0);
        // The trap works: what does not exist goes on to it.
        await using other = await guarded.client({
          NETRC: await guarded.netrc(reader),
          GOPROXY: `${guarded.url},${next}`,
        });
        await other.run('list', '-m', 'example.test/nil@v1.0.0');
        expect(connections).toBeGreaterThan(0);
      } finally {
        trap.close();
      }
    });
  });

  it('a token is good as soon as it is made, and within a second of its revocation no more', async () => {
    const target = `/${LIB}/@v/v1.0.0.mod`;
    const headers = {
      authorization: `Bearer ${await guarded.create('--name', 'brief', '--read', 'corp.test/*')}`,
    };
    expect(await status(target, headers)).toBe(200);
    expect(await status(target, headers)).toBe(200);
    expect(await guarded.token('revoke', 'brief')).toMatchObject({ code: 0 });
    await expect.poll(() => status(target, headers), { timeout: 1_000 }).toBe(401);
    expect(await status(target, { authorization: `Bearer ${reader}` })).toBe(200);
  });

  it('the start page tells everybody how to be let in, and holds no secret', async () => {
    const { status: code, text } = await guarded.ask('/');
    expect(code).toBe(200);
    expect(text).toContain(`machine ${guarded.host} login token password <token>`);
    expect(text).not.toContain('gokeep_');
  });

  it('what not everybody may have is kept by no shared cache, public modules too', async () => {
    const headers = { authorization: `Bearer ${reader}` };
    for (const module of [LIB, 'example.test/open']) {
      const { status: code, cacheControl } = await guarded.ask(`/${module}/@v/v1.0.0.mod`, { headers });
      expect({ code, cacheControl }).toEqual({
        code: 200,
        cacheControl: 'private, max-age=31536000, immutable',
      });
    }
  });

  it('no token was printed or logged (case 85)', () => {
    expect(guarded.gokeep.output).toContain('"user":"token:reader"');
    expect(guarded.gokeep.output).not.toContain('gokeep_');
    for (const token of [reader, stranger])
      expect(guarded.gokeep.output).not.toContain(Buffer.from(`anybody:${token}`).toString('base64'));
  });
});
