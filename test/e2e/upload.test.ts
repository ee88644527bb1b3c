import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep } from '../cli/program.ts';
import { zipOf } from '../modzip/zip.ts';
import { moduleZipOf } from '../publish/publishing-site.ts';
import { makeKey, signBlob } from '../signing/made-signatures.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';

const KEY = makeKey('P-256');
const GITEA = '/api/packages/team/go/upload';
const OURS = '/api/v1/upload';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-upload-'));
  await writeFile(path.join(directory, 'cosign.pub'), KEY.publicKey);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const start = (more = '') =>
  GokeepProcess.start({
    toml: `private = ["corp.test"]\n[[upstream]]\nproxy = "off"\nsumdb = "off"\n${more}`,
  });

/** What `curl --upload-file` is answered. */
async function upload(server: GokeepProcess, target: string, body: Buffer, ...options: string[]) {
  const file = path.join(directory, 'module.zip');
  await writeFile(file, body);
  const quiet = ['--silent', '--show-error', '--noproxy', '*', '--write-out', '%{http_code}'];
  const args = [...quiet, ...options, '--upload-file', file, `${server.url}${target}`];
  const { stdout } = await promisify(execFile)('curl', args);
  return { status: Number(stdout.slice(-3)), text: stdout.slice(0, -3).replaceAll(/\s+/g, ' ').trim() };
}

/** Of uploads and of what was staged. */
async function leftovers({ data }: GokeepProcess): Promise<string[]> {
  const names = await Promise.all(
    ['tmp', 'publish'].map((name) => readdir(path.join(data, name)).catch(() => [])),
  );
  return names.flat();
}

describe.skipIf(!needs('curl'))(
  'curl, as Gitea has it, to an address that names no version (needs curl)',
  () => {
    let server: GokeepProcess;

    beforeAll(async () => {
      server = await start(`[[signing]]\nmatch = ["corp.test/signed"]\nkeys = ["${directory}/cosign.pub"]\n`);
    });

    afterAll(() => server[Symbol.asyncDispose]());

    it.each([
      [GITEA, 'corp.test/Team/first'],
      [OURS, 'corp.test/Team/second'],
    ])('%s publishes the version that the zip names, and go takes it', async (target, lib) => {
      const zip = moduleZipOf(lib, 'v1.0.0');
      const published = await upload(server, target, zip);
      expect(published.status).toBe(201);
      const { zip: Sum, ...said } = JSON.parse(published.text) as Record<string, unknown>;
      expect(said).toMatchObject({ path: lib, version: 'v1.0.0', added: true });
      await using client = await GoClient.create({ GOPROXY: server.url, GOSUMDB: server.vkey });
      const downloaded = await client.run('mod', 'download', '-json', `${lib}@latest`);
      expect(JSON.parse(downloaded.stdout)).toMatchObject({ Path: lib, Version: 'v1.0.0', Sum });
      expect(server.output).toContain(`"path":"${lib}","version":"v1.0.0"`);
    });

    it('is the other way to publish, not another place: it never changes there either', async () => {
      const zip = moduleZipOf('corp.test/lib', 'v1.0.0');
      const other = moduleZipOf('corp.test/lib', 'v1.0.0', { 'a.go': 'package other\n' });
      const byName = '/corp.test/lib/@v/v1.0.0.zip';
      expect((await upload(server, GITEA, zip)).status).toBe(201);
      const again = [];
      for (const target of [GITEA, OURS, byName]) again.push(await upload(server, target, zip));
      expect(again[0]).toMatchObject({ status: 200 });
      const taken = [];
      for (const target of [GITEA, OURS, byName]) taken.push(await upload(server, target, other));
      expect(taken[0]).toMatchObject({ status: 409 });
      for (const answers of [again, taken]) expect(new Set(answers.map((each) => each.text)).size).toBe(1);
      expect(await (await server.get('/corp.test/lib/@v/list')).text()).toBe('v1.0.0\n');
    });

    it('takes the time that the header says', async () => {
      const zip = moduleZipOf('corp.test/dated', 'v1.0.0');
      const header = ['--header', 'Gokeep-Info: {"Time": "2026-01-02T03:04:05Z"}'];
      expect((await upload(server, GITEA, zip, ...header)).status).toBe(201);
      expect(await (await server.get('/corp.test/dated/@v/v1.0.0.info')).json()).toMatchObject({
        Time: '2026-01-02T03:04:05Z',
      });
    });

    it('demands the signature that the rule demands', async () => {
      const zip = moduleZipOf('corp.test/signed', 'v1.0.0');
      const refused = await upload(server, GITEA, zip);
      expect(refused).toMatchObject({ status: 403 });
      expect(refused.text).toContain('corp.test/signed@v1.0.0 has to be signed');
      const bundle = Buffer.from(signBlob(zip, KEY));
      const waiting = await upload(server, '/api/v1/signatures/corp.test/signed@v1.0.0', bundle);
      expect(waiting).toMatchObject({ status: 202 });
      const other = moduleZipOf('corp.test/signed', 'v1.0.0', { 'a.go': 'package other\n' });
      expect((await upload(server, GITEA, other)).status).toBe(422);
      await upload(server, '/api/v1/signatures/corp.test/signed@v1.0.0', bundle);
      expect((await upload(server, GITEA, zip)).status).toBe(201);
    });

    it.each([
      [
        'of another path than ours',
        moduleZipOf('open.test/lib', 'v1.0.0'),
        403,
        'open.test/lib is not private',
      ],
      [
        'that is none',
        Buffer.from('not a zip at all, only text'),
        422,
        'The zip was refused: it does not end',
      ],
      [
        'of a pseudo-version',
        moduleZipOf('corp.test/x', 'v0.0.0-20240102030405-abcdef123456'),
        422,
        'pseudo',
      ],
      ['of no version', moduleZipOf('corp.test/x', 'main'), 422, '"main"'],
      ['that names a way out', moduleZipOf('../../corp.test/x', 'v1.0.0'), 422, 'is not a module path'],
      ['of two modules', twoModules(), 422, 'its name does not begin with "corp.test/one@v1.0.0/"'],
      ['whose go.mod is of another', otherGoMod(), 422, 'make the two the same'],
    ])('refuses a zip %s, and leaves nothing', async (_what, zip, status, says) => {
      for (const target of [GITEA, OURS]) {
        const answer = await upload(server, target, zip);
        expect(answer.status).toBe(status);
        expect(answer.text).toContain(says);
      }
      await expect.poll(() => leftovers(server)).toEqual([]);
    });

    it('refuses a page in a browser', async () => {
      const zip = moduleZipOf('corp.test/browser', 'v1.0.0');
      const answer = await upload(server, GITEA, zip, '--header', 'Origin: https://evil.test');
      expect(answer).toMatchObject({ status: 403 });
      expect(answer.text).toContain('You may not publish anything here');
    });
  },
);

describe.skipIf(!needs('curl'))('with access required (needs curl)', () => {
  let server: GokeepProcess;
  let publisher: string;
  let reader: string;

  beforeAll(async () => {
    server = await start('[access]\nrequired = true\n');
    const create = async (...options: string[]) =>
      (await gokeep(['token', 'create', ...options, '--data', server.data])).stdout.trim();
    publisher = await create('--name', 'publisher', '--publish', 'corp.test/lib');
    reader = await create('--name', 'reader', '--read', '*', '--admin');
  });

  afterAll(() => server[Symbol.asyncDispose]());

  it.each([GITEA, OURS])(
    '%s takes from each what he may publish, and says the same of the rest',
    async (target) => {
      const lib = `corp.test/lib/${target === GITEA ? 'a' : 'b'}`;
      const mine = moduleZipOf(lib, 'v1.0.0');
      const as = (token: string) => ['--user', `you:${token}`];
      expect((await upload(server, target, mine)).status).toBe(401);
      expect((await upload(server, target, mine, ...as('gokeep_wrong'))).status).toBe(401);
      const withoutRight = await upload(server, target, mine, ...as(reader));
      expect(withoutRight.status).toBe(403);
      for (const other of ['corp.test/other', 'open.test/lib', 'corp.test/library'])
        expect(await upload(server, target, moduleZipOf(other, 'v1.0.0'), ...as(publisher))).toEqual(
          withoutRight,
        );
      const byName = await upload(server, '/corp.test/other/@v/v1.0.0.zip', mine, ...as(publisher));
      expect(byName).toEqual(withoutRight);
      await expect.poll(() => leftovers(server)).toEqual([]);
      expect(await upload(server, target, mine, ...as(publisher))).toMatchObject({ status: 201 });
      expect(await upload(server, target, mine, ...as(reader))).toEqual(withoutRight);
    },
  );
});

/** The first name is not all that there is. */
function twoModules(): Buffer {
  return zipOf([
    { name: 'corp.test/one@v1.0.0/go.mod', content: Buffer.from('module corp.test/one\n') },
    { name: 'corp.test/two@v1.0.0/a.go', content: Buffer.from('package a\n') },
  ]);
}

function otherGoMod(): Buffer {
  return moduleZipOf('corp.test/x', 'v1.0.0', { 'go.mod': 'module corp.test/y\n' });
}
