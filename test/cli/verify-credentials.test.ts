import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moduleZipOf } from '../publish/publishing-site.ts';
import { makeKey, signBlob } from '../signing/made-signatures.ts';
import { GuardedGokeep } from '../world/guarded-gokeep.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';
import { gokeep } from './program.ts';

const MODULE = 'corp.test/signed';
const KEY = makeKey('P-256');

let directory: string;
let world: UpstreamWorld;
let guarded: GuardedGokeep;
let token: string;
let tokenFile: string;
/** Speaks TLS with a certificate that is trusted, answers 404, and notes what it was sent. */
let other: Server;
const sent: (string | undefined)[] = [];

const at = (name: string) => path.join(directory, name);
const urlOf = (server: Server) => `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
const verify = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  gokeep(['verify', at('go.sum'), '--ca', guarded.caFile, '--config', at('rules.toml'), ...args], {
    NETRC: '/nonexistent',
    GOSUMDB: guarded.gokeep.vkey,
    GOPATH: directory,
    ...env,
  });

describe.skipIf(!needs('openssl'))('the credentials of gokeep verify', () => {
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'gokeep-verify-credentials-'));
    await writeFile(at('key.pub'), KEY.publicKey);
    const rule = `[[signing]]\nmatch = ["${MODULE}"]\nkeys = ["${at('key.pub')}"]\n`;
    await writeFile(at('rules.toml'), `version = 1\n${rule}`);
    world = await UpstreamWorld.start();
    guarded = await GuardedGokeep.start(world, rule);
    token = await guarded.create('--read', 'corp.test', '--publish', 'corp.test');
    tokenFile = await guarded.file('token', `${token}\n`);
    const zip = moduleZipOf(MODULE, 'v1.0.0');
    await writeFile(at('module.zip'), zip);
    const headers = { authorization: `Bearer ${token}` };
    const put = (target: string, body: Buffer | string) =>
      guarded.ask(target, { method: 'PUT', headers, body: body as string });
    await put(`/api/v1/signatures/${MODULE}@v1.0.0`, signBlob(zip, KEY));
    expect(await put(`/${MODULE}/@v/v1.0.0.zip`, zip)).toMatchObject({ status: 201 });
    const lookup = `/sumdb/${guarded.gokeep.vkey.split('+')[0]!}/lookup/${MODULE}@v1.0.0`;
    await writeFile(
      at('go.sum'),
      (await guarded.ask(lookup, { headers })).text.split('\n').slice(1, 3).join('\n'),
    );
    other = createTlsServer({ cert: guarded.ca.cert, key: guarded.ca.key }, (request, response) => {
      sent.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  });

  afterAll(async () => {
    other?.close();
    await guarded?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it('are one token for records, zips and signatures of the server that is named', async () => {
    const proven = { code: 0, stderr: '', stdout: expect.stringContaining('1 of them signed') as string };
    expect(await verify({}, '--url', guarded.url, '--token-file', tokenFile)).toMatchObject(proven);
    expect(await verify({ GOKEEP_URL: guarded.url, GOKEEP_TOKEN: token })).toMatchObject(proven);
  });

  it('come before what netrc has for it, which does without a token', async () => {
    const stale = await guarded.file('stale', `machine ${guarded.host} login a password stale\n`);
    const named = ['--url', guarded.url];
    expect(await verify({ NETRC: stale }, ...named, '--token-file', tokenFile)).toMatchObject({ code: 0 });
    expect(await verify({ NETRC: stale }, ...named)).toMatchObject({ code: 2 });
    expect(await verify({ NETRC: await guarded.netrc(token) }, ...named)).toMatchObject({ code: 0 });
  });

  it('are nothing to whoever else is asked: the database at another address', async () => {
    sent.length = 0;
    const database = `${guarded.gokeep.vkey} ${urlOf(other)}`;
    const { code } = await verify({}, '--url', guarded.url, '--token-file', tokenFile, '--sumdb', database);
    expect(code).not.toBe(0);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.filter((each) => each !== undefined)).toEqual([]);
  });

  it('are not sent to an address that only GOPROXY names, nor over plain http', async () => {
    sent.length = 0;
    const { code, stderr } = await verify({ GOPROXY: urlOf(other) }, '--token-file', tokenFile);
    expect({ code, sent }).toEqual({ code: 2, sent: [] });
    expect(stderr).toContain('Say whose token this is');
    const plain = await verify({}, '--url', 'http://go.corp.test', '--token-file', tokenFile);
    expect(plain).toMatchObject({ code: 2, stderr: expect.stringContaining('use https') as string });
  });
});
