import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signNote } from '../../src/note/note.ts';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { formatTree } from '../../src/tlog/tree-note.ts';
import { gokeep } from '../cli/program.ts';
import { moduleZipOf } from '../publish/publishing-site.ts';
import { MadeSigstore } from '../signing/made-sigstore.ts';
import { attestBlob, makeKey, signBlob } from '../signing/made-signatures.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';

const KEY = makeKey('P-256');
const STRANGER = makeKey('P-256');
const CI = { issuer: 'https://gitlab.test', subject: 'https://gitlab.test/group/lib//ci.yml@refs/tags/v1' };
const KEYED = 'corp.test/keyed';
const KEYLESS = 'corp.test/keyless';
const PLAIN = 'corp.test/plain';

let directory: string;
let server: GokeepProcess;
let sigstore: MadeSigstore;

const at = (...names: string[]) => path.join(directory, ...names);
const target = (modulePath: string) => `/api/v1/signatures/${modulePath}@v1.0.0`;
const put = async (to: string, body: Buffer | string) => {
  const answer = await fetch(`${server.url}${to}`, { method: 'PUT', body });
  return { status: answer.status, text: await answer.text() };
};
const zipOf = (modulePath: string) => moduleZipOf(modulePath, 'v1.0.0');
const putZip = (modulePath: string) => put(`/${modulePath}/@v/v1.0.0.zip`, zipOf(modulePath));
const policy = (name = 'release.pub', more = '') => `
[[signing]]
match = ["${KEYED}"]
keys = ["${at(name)}"]

[[signing]]
match = ["${KEYLESS}"]
trusted_root = "${at('root.json')}"
identities = [{ issuer = "${CI.issuer}", subject_pattern = '^https://gitlab\\.test/group/lib//ci\\.yml@.*$' }]
${more}`;
const offline = 'private = ["corp.test"]\n[[upstream]]\nproxy = "off"\nsumdb = "off"\n';

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-signing-'));
  sigstore = await MadeSigstore.create();
  await writeFile(at('release.pub'), KEY.publicKey);
  await writeFile(at('stranger.pub'), STRANGER.publicKey);
  await writeFile(at('root.json'), sigstore.trustedRoot);
  await writeFile(at('policy.toml'), `version = 1\n${policy()}`);
  server = await GokeepProcess.start({ toml: `${offline}${policy()}` });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe('a server with rules of signing', () => {
  it('refuses the unsigned, takes the signature first and then the zip, and shows both', async () => {
    const refused = await putZip(KEYED);
    expect(refused).toMatchObject({
      status: 403,
      text: expect.stringContaining('has to be signed') as string,
    });
    expect(await put(target(KEYED), signBlob(Buffer.from('x'), KEY))).toMatchObject({ status: 202 });
    expect(await putZip(KEYED)).toMatchObject({
      status: 422,
      text: expect.stringContaining('other bytes') as string,
    });
    expect((await server.get(target(KEYED))).status).toBe(404);
    expect(await put(target(KEYED), signBlob(zipOf(KEYED), KEY))).toMatchObject({ status: 202 });
    expect(await putZip(KEYED)).toMatchObject({ status: 201 });

    const provenance = attestBlob(zipOf(KEYED), KEY);
    expect(await put(target(KEYED), provenance)).toMatchObject({ status: 201 });
    expect(await put(target(KEYED), provenance)).toMatchObject({ status: 200 });
    expect(await put(target(KEYED), signBlob(zipOf(KEYED), STRANGER))).toMatchObject({ status: 422 });
    const answer = await server.get(target(KEYED));
    expect(answer.headers.get('cache-control')).toMatch(/no-store|private/);
    expect(await answer.json()).toMatchObject({
      path: KEYED,
      required: true,
      signed: true,
      signatures: [
        { kind: 'signature', signer: { kind: 'key', name: 'release.pub' }, trusted: true },
        {
          kind: 'attestation',
          predicateType: 'https://slsa.dev/provenance/v1',
          bundle: JSON.parse(provenance) as unknown,
        },
      ],
    });
  });

  it('takes an identity that its trusted root vouches for, and no other', async () => {
    const other = { ...CI, subject: 'https://gitlab.test/group/other//ci.yml@refs/tags/v1' };
    await put(target(KEYLESS), await sigstore.signBlob(zipOf(KEYLESS), other));
    expect(await putZip(KEYLESS)).toMatchObject({
      status: 422,
      text: expect.stringContaining('who is not trusted') as string,
    });
    await put(target(KEYLESS), await sigstore.signBlob(zipOf(KEYLESS), CI));
    expect(await putZip(KEYLESS)).toMatchObject({ status: 201 });
  });

  it('demands nothing of what no rule is for, and takes no signature of it', async () => {
    expect(await putZip(PLAIN)).toMatchObject({ status: 201 });
    expect(await put(target(PLAIN), signBlob(zipOf(PLAIN), KEY))).toMatchObject({ status: 403 });
    expect(await (await server.get(target(PLAIN))).json()).toMatchObject({ required: false, signed: false });
  });

  it('refuses what is no bundle, too large a one, and one from a browser', async () => {
    expect(await put(target(KEYED), 'x')).toMatchObject({ status: 422 });
    expect(await put(target(KEYED), 'x'.repeat(600_000))).toMatchObject({ status: 413 });
    const headers = { origin: 'https://evil.test' };
    const answer = await fetch(`${server.url}${target(KEYED)}`, { method: 'PUT', headers, body: '{}' });
    expect(answer.status).toBe(403);
    expect((await fetch(`${server.url}${target(KEYED)}`, { method: 'PUT' })).status).toBe(400);
    expect((await fetch(`${server.url}${target(KEYED)}`, { method: 'POST', body: '{}' })).status).toBe(405);
  });

  it('keeps signatures over a restart', async () => {
    const before = await (await server.get(target(KEYED))).text();
    await using copy = await mkdtempDisposable();
    await promisify(execFile)('cp', ['-r', server.data, copy.at('data')]);
    await rm(copy.at('data', 'writer.lock'), { force: true });
    await using again = await GokeepProcess.start({ toml: `${offline}${policy()}`, data: copy.at('data') });
    expect(await (await again.get(target(KEYED))).text()).toBe(before);
  });
});

describe('the commands', () => {
  it.skipIf(!needs('git'))('publish what was signed from its dry run, and show it', async () => {
    const module = at('module');
    const run = (...args: string[]) => gokeep([...args, '--url', server.url], { PATH: process.env['PATH'] });
    await promisify(execFile)('mkdir', [module]);
    await writeFile(path.join(module, 'go.mod'), `module ${KEYED}/cli\n\ngo 1.21\n`);
    await writeFile(path.join(module, 'a.go'), 'package cli\n');
    const from = [module, 'v1.0.0', '--from', 'directory'];
    const unsigned = await run('publish', ...from);
    expect(unsigned).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has to be signed') as string,
    });
    expect(await run('publish', ...from, '--dry-run', '--output', at('module.zip'))).toMatchObject({
      code: 0,
    });
    await writeFile(at('b.json'), signBlob(await readFile(at('module.zip')), KEY));
    await writeFile(at('a.json'), attestBlob(await readFile(at('module.zip')), KEY));
    expect(await run('publish', ...from, '--signature', at('b.json'))).toMatchObject({ code: 0, stderr: '' });
    const version = `${KEYED}/cli@v1.0.0`;
    expect(await run('sign', 'attach', version, at('a.json'), at('b.json'))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /has an attestation \(https:.*\n.*had before a signature by key release.pub/,
      ) as string,
    });
    expect(await run('sign', 'show', version)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${version} is signed; a signature is demanded`) as string,
    });
  });
});

describe('gokeep verify', () => {
  const lines = async (...modules: string[]) =>
    (
      await Promise.all(
        modules.map(
          async (each) =>
            await (await server.get(`/sumdb/${server.vkey.split('+')[0]!}/lookup/${each}@v1.0.0`)).text(),
        ),
      )
    ).flatMap((text) => text.split('\n').slice(1, 3));
  const verify = async (text: string, ...args: string[]) => {
    await writeFile(at('go.sum'), text);
    const env = { GOPROXY: server.url, GOSUMDB: server.vkey };
    return gokeep(['verify', at('go.sum'), '--config', at('policy.toml'), ...args], env);
  };

  it('proves every line, and every signature that is demanded, and exits 0', async () => {
    const sums = (await lines(KEYED, KEYLESS, PLAIN)).join('\n');
    const { code, stdout, stderr } = await verify(sums);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('6 lines of 3 versions');
    expect(stdout).toContain('all proven, 2 of them signed as demanded');
  });

  it('exits 1 with a list of what is not so', async () => {
    const [zip, mod, ...others] = await lines(KEYED, PLAIN);
    const sums = [
      zip!.replace(/h1:....../, 'h1:AAAAAA'),
      mod!,
      ...others,
      `corp.test/none v1.0.0 ${zip!.split(' ')[2]!}`,
    ].join('\n');
    const { code, stdout } = await verify(sums, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      lines: 5,
      versions: 3,
      problems: 2,
      findings: [
        { path: KEYED, problem: expect.stringMatching(/^SECURITY: .*go\.sum says h1:AAAAAA/) as string },
        { path: 'corp.test/none', version: 'v1.0.0' },
      ],
    });
  });

  it('believes its own rules and not the server: a signature by somebody else is none', async () => {
    await writeFile(
      at('strict.toml'),
      `version = 1\n${policy('stranger.pub', `\n[[signing]]\nmatch = ["${PLAIN}"]\nkeys = ["${at('stranger.pub')}"]\n`)}`,
    );
    const { code, stdout } = await verify(
      (await lines(KEYED, PLAIN)).join('\n'),
      '--config',
      at('strict.toml'),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /keyed@v1\.0\.0 is not signed by anybody whom the rules trust: .*none of those trusted/,
    );
    expect(stdout).toMatch(/plain@v1\.0\.0 is not signed by anybody whom the rules trust\n/);
  });

  it('demands no signature of a version of which only the go.mod was read', async () => {
    const [, mod] = await lines(PLAIN);
    expect(await verify(mod!, '--config', at('strict.toml'))).toMatchObject({ code: 0 });
  });

  it('exits 1 where another log, or nobody, vouches for the records', async () => {
    const sums = (await lines(PLAIN)).join('\n');
    const other = makeOtherKey(server.vkey);
    expect(await verify(sums, '--sumdb', other)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('cannot be verified') as string,
    });
  });

  it('exits 1 where the server tells of a record that is not in its log', async () => {
    const sums = (await lines(PLAIN)).join('\n').replaceAll(/h1:....../g, 'h1:BBBBBB');
    await using liar = await Liar.before(server.url, (body, url) =>
      url.includes('/lookup/') ? Buffer.from(body.toString().replaceAll(/h1:....../g, 'h1:BBBBBB')) : body,
    );
    const { code, stdout } = await verify(sums, '--url', liar.url);
    expect(code).toBe(1);
    expect(stdout).toContain('not in its log');
  });

  it('exits 1 where the zip is not the one that was proven, though somebody trusted has signed it', async () => {
    const other = moduleZipOf(KEYED, 'v1.0.0', { 'b.go': 'package a\n' });
    const bundle = JSON.parse(signBlob(other, KEY)) as unknown;
    await using liar = await Liar.before(server.url, (body, url) => {
      if (url.endsWith('.zip')) return other;
      return url.startsWith('/api/v1/signatures/')
        ? Buffer.from(JSON.stringify({ signatures: [{ bundle }] }))
        : body;
    });
    const { code, stdout } = await verify((await lines(KEYED)).join('\n'), '--url', liar.url);
    expect(code).toBe(1);
    expect(stdout).toContain(`SECURITY: ${KEYED}@v1.0.0: the zip that was served has`);
  });

  it('exits 1 where go has seen another history of the log, and goes on from the one it has seen', async () => {
    const sums = (await lines(PLAIN)).join('\n');
    const name = server.vkey.split('+')[0]!;
    const gopath = at('gopath');
    const remember = async (note: Buffer | string) => {
      await mkdir(path.join(gopath, 'pkg', 'sumdb', name), { recursive: true });
      await writeFile(path.join(gopath, 'pkg', 'sumdb', name, 'latest'), note);
      await writeFile(at('go.sum'), sums);
      return gokeep(['verify', at('go.sum')], { GOPROXY: server.url, GOSUMDB: server.vkey, GOPATH: gopath });
    };
    expect(await remember(await (await server.get(`/sumdb/${name}/latest`)).text())).toMatchObject({
      code: 0,
    });
    expect(await remember('')).toMatchObject({ code: 0 });
    const signer = parseSigner((await readFile(path.join(server.data, 'sumdb.key'), 'utf8')).split('\n')[0]!);
    const fork = signNote(formatTree({ size: 1, root: Buffer.alloc(32, 1) }), [signer]);
    const { code, stdout } = await remember(fork);
    expect(code).toBe(1);
    expect(stdout).toContain('two histories');
  });

  it('exits 2 where nothing can be said: no file, no database, no server', async () => {
    expect(await verify('not a go.sum')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('line 1') as string,
    });
    expect(await verify('', '--sumdb', 'off')).toMatchObject({ code: 2 });
    expect(await gokeep(['verify', at('none')])).toMatchObject({ code: 2 });
    const sums = (await lines(PLAIN)).join('\n');
    expect(await verify(sums, '--url', 'http://127.0.0.1:1')).toMatchObject({ code: 2 });
  });
});

/** A key of the same name that the server does not have. */
function makeOtherKey(vkey: string): string {
  return generateKey(vkey.split('+')[0]!, Buffer.alloc(32, 9)).vkey;
}

async function mkdtempDisposable() {
  const made = await mkdtemp(path.join(tmpdir(), 'gokeep-copy-'));
  return {
    at: (...names: string[]) => path.join(made, ...names),
    [Symbol.asyncDispose]: () => rm(made, { recursive: true, force: true }),
  };
}

/** Stands before a server and changes what it answers. */
class Liar implements AsyncDisposable {
  readonly #server: Server;

  private constructor(listening: Server) {
    this.#server = listening;
  }

  static async before(url: string, change: (body: Buffer, url: string) => Buffer): Promise<Liar> {
    const listening = createServer((request, response) => {
      void (async () => {
        const answer = await fetch(`${url}${request.url!}`);
        const body = Buffer.from(await answer.arrayBuffer());
        response.writeHead(answer.status).end(change(body, request.url!));
      })();
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    return new Liar(listening);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
