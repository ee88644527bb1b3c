import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep } from '../cli/program.ts';
import { moduleZipOf } from '../publish/publishing-site.ts';
import { MadeSigstore } from '../signing/made-sigstore.ts';
import { attestBlob, makeKey, signBlob } from '../signing/made-signatures.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';

const KEY = makeKey('P-256');
const CI = { issuer: 'https://gitlab.test', subject: 'https://gitlab.test/group/lib//ci.yml@refs/tags/v1' };
const KEYED = 'corp.test/keyed';
const KEYLESS = 'corp.test/keyless';
const PLAIN = 'corp.test/plain';
const NOTHING_OUTSIDE = 'private = ["corp.test"]\n[[upstream]]\nproxy = "off"\nsumdb = "off"\n';

let directory: string;
let home: GokeepProcess;
let rules: string;

const at = (...names: string[]) => path.join(directory, ...names);
const target = (modulePath: string) => `/api/v1/signatures/${modulePath}@v1.0.0`;
const zipOf = (modulePath: string) => moduleZipOf(modulePath, 'v1.0.0');

/** A rule for a path, by the key of the release. */
const demanded = (modulePath: string) =>
  `[[signing]]\nmatch = ["${modulePath}"]\nkeys = ["${at('release.pub')}"]\n`;

async function put(to: string, body: Buffer | string): Promise<number> {
  return (await fetch(`${home.url}${to}`, { method: 'PUT', body })).status;
}

/** What a server says of a version's signatures, without what it found out itself and when. */
async function shown(server: GokeepProcess, modulePath: string) {
  const answer = (await (await server.get(target(modulePath))).json()) as {
    signed: boolean;
    signatures: { id: string; verifiedAt?: string }[];
  };
  const signatures = answer.signatures.map((each) => ({ ...each, verifiedAt: undefined }));
  return { ...answer, signatures: signatures.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

async function create(name: string, ...args: string[]) {
  const config = at('home.toml');
  await writeFile(config, `version = 1\n${NOTHING_OUTSIDE}${rules}`);
  return gokeep(['bundle', 'create', '--config', config, '--data', home.data, '--output', at(name), ...args]);
}

/** A closed side of either kind, on its own data. */
async function closed(kind: 'replica' | 'offline', signing: string) {
  const name = `${kind}-${Math.random().toString(36).slice(2)}`;
  const upstream = '[[upstream]]\nsumdb = "off"\n';
  const mine = kind === 'replica' ? '' : 'private = ["corp.test"]\n';
  const toml = `${kind} = true\n${mine}[bundles]\ntrust = ["${home.vkey}"]\n${upstream}${signing}`;
  await writeFile(at(`${name}.toml`), `version = 1\n${toml}`);
  const common = ['--config', at(`${name}.toml`), '--data', at(name)];
  return {
    data: at(name),
    run: (...args: string[]) => gokeep([...args, ...common]),
    serve: () => GokeepProcess.start({ toml, data: at(name) }),
  };
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-signed-bundles-'));
  const sigstore = await MadeSigstore.create();
  await writeFile(at('release.pub'), KEY.publicKey);
  await writeFile(at('root.json'), sigstore.trustedRoot);
  rules = `${demanded(KEYED)}
[[signing]]
match = ["${KEYLESS}"]
trusted_root = "${at('root.json')}"
identities = [{ issuer = "${CI.issuer}", subject = "${CI.subject}" }]
`;
  home = await GokeepProcess.start({ toml: `${NOTHING_OUTSIDE}${rules}` });
  await put(target(KEYED), signBlob(zipOf(KEYED), KEY));
  await put(target(KEYLESS), await sigstore.signBlob(zipOf(KEYLESS), CI));
  for (const modulePath of [KEYED, KEYLESS, PLAIN])
    expect(await put(`/${modulePath}/@v/v1.0.0.zip`, zipOf(modulePath))).toBe(201);
  expect(await create('first.tar', '--all')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(' files and 2 signatures') as string,
  });
  expect(await put(target(KEYED), attestBlob(zipOf(KEYED), KEY))).toBe(201);
  expect(await create('second.tar', '--since', at('first.tar'), '--all')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('0 zips, 0 go.mod files and 1 signatures') as string,
  });
});

afterAll(async () => {
  await home?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe('signatures in bundles', () => {
  it.each(['replica', 'offline'] as const)(
    'are on a closed side (%s) what they are at home, and so are those that came later',
    async (kind) => {
      const site = await closed(kind, rules);
      for (const bundle of ['first.tar', 'second.tar'])
        expect(await site.run('bundle', 'import', at(bundle))).toMatchObject({ code: 0, stderr: '' });
      expect(await site.run('bundle', 'import', at('first.tar'))).toMatchObject({
        stdout: expect.stringContaining('nothing was done') as string,
      });
      expect(await site.run('fsck')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(', 3 signatures: all in order') as string,
      });
      await using server = await site.serve();
      for (const modulePath of [KEYED, KEYLESS]) {
        const here = await shown(server, modulePath);
        expect(here).toEqual(await shown(home, modulePath));
        expect(here.signed).toBe(true);
      }
      const show = await gokeep(['sign', 'show', `${KEYED}@v1.0.0`, '--url', server.url]);
      expect(show.stdout).toMatch(
        /is signed; a signature is demanded\n.*\n.*attestation|attestation.*\n.*signature/s,
      );
      const { zip } = (await (await server.get(target(KEYED))).json()) as { zip: string };
      await writeFile(at('go.sum'), `${KEYED} v1.0.0 ${zip}\n`);
      await writeFile(at('policy.toml'), `version = 1\n${rules}`);
      const verified = await gokeep(
        ['verify', at('go.sum'), '--config', at('policy.toml'), '--url', server.url],
        { GOSUMDB: server.gosumdbWithUrl, GOPROXY: server.url, PATH: process.env['PATH']! },
      );
      expect(verified).toMatchObject({ code: 0, stderr: '' });
    },
  );

  it.each(['replica', 'offline'] as const)(
    'are demanded by the rules of the closed side (%s), which takes nothing without',
    async (kind) => {
      const site = await closed(kind, `${rules}${demanded(PLAIN)}`);
      const refused = await site.run('bundle', 'import', at('first.tar'));
      expect(refused.code).toBe(1);
      expect(refused.stdout.split('\n')).toEqual([
        expect.stringMatching(/^corp\.test\/plain@v1\.0\.0 has to be signed here, and the bundle has no/),
        'nothing of this bundle was imported',
        '',
      ]);
      await using server = await site.serve();
      const answer = await server.get(`/${KEYED}/@v/v1.0.0.mod`);
      expect(answer.status).toBe(404);
      expect((await server.get(target(KEYED))).status).toBe(404);
      // The same over the network.
      const body = await readFile(at('first.tar'));
      const put = await fetch(`${server.url}/api/v1/bundles`, { method: 'PUT', body });
      expect(put.status).toBe(422);
      expect(await put.text()).toMatch(/plain@v1\.0\.0 has to be signed here/);
    },
  );

  it('are kept where nobody is trusted, and shown as of nobody who is known', async () => {
    const site = await closed('replica', '');
    expect(await site.run('bundle', 'import', at('first.tar'))).toMatchObject({ code: 0, stderr: '' });
    await using server = await site.serve();
    const here = await shown(server, KEYED);
    expect(here).toMatchObject({ required: false, signed: false });
    expect(here.signatures).toMatchObject([
      { kind: 'signature', signer: { kind: 'unknown' }, trusted: false },
    ]);
    const show = await gokeep(['sign', 'show', `${KEYED}@v1.0.0`, '--url', server.url]);
    expect(show.stdout).toMatch(
      /is not signed; no signature is demanded\na signature that was imported and that nobody/,
    );
  });

  it('are verified before they are carried, with the rules of the site that a bundle is for', async () => {
    const verify = async (signing: string) => {
      await writeFile(at('verify.toml'), `version = 1\n${signing}`);
      return gokeep(['bundle', 'verify', at('first.tar'), '--key', home.vkey, '--config', at('verify.toml')]);
    };
    expect(await verify('')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('2 signatures: 0 of them are by somebody') as string,
    });
    expect(await verify(rules)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('2 signatures: 2 of them are by somebody') as string,
    });
    expect(await verify(`${rules}${demanded(PLAIN)}`)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/plain@v1\.0\.0 has to be signed/) as string,
    });
  });

  it('that were damaged since are found by fsck', async () => {
    const copy = at('damaged');
    await cp(home.data, copy, { recursive: true });
    await rm(path.join(copy, 'writer.lock'), { force: true });
    const db = new Database(path.join(copy, 'gokeep.db'));
    db.exec(`UPDATE signatures SET bundle = replace(bundle, 'v0.3', 'v0.2') WHERE path = '${KEYLESS}'`);
    db.close();
    await writeFile(at('fsck.toml'), `version = 1\n${NOTHING_OUTSIDE}${rules}`);
    const { code, stdout } = await gokeep(['fsck', '--config', at('fsck.toml'), '--data', copy]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^signature [0-9a-f]{16} of corp\.test\/keyless@v1\.0\.0 is damaged: /m);
    expect(stdout).toContain(', 3 signatures: 1 problem\n');
  });
});
