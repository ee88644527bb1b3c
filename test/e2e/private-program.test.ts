import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep as program } from '../cli/program.ts';
import { makeKey, signBlob } from '../signing/made-signatures.ts';
import type { Repository } from '../world/git-host.ts';
import type { GoClient } from '../world/go-client.ts';
import { GuardedGokeep } from '../world/guarded-gokeep.ts';
import { PrivateGitHost } from '../world/private-git-host.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const PUBLIC_MODULES = 100;
const FROM_GIT = 'gitlab.corp.test/group/lib.git';
const PUBLISHED = 'corp.test/team/published';
const KEY = makeKey('P-256');
const TOKEN = 'glpat-Secret.Token_1';

let world: UpstreamWorld;
let host: PrivateGitHost;
let repository: Repository;
let first: string;
let guarded: GuardedGokeep;
let member: string;
let stranger: string;
let rules: string;
/** go.sum of the program. */
let sums: string;

describe.skipIf(!needs('openssl'))(
  'a program of public, fetched and published modules, with access required',
  () => {
    beforeAll(async () => {
      world = await UpstreamWorld.start();
      for (let n = 0; n < PUBLIC_MODULES; n++)
        await world.publish({ path: `example.test/m${n}`, version: 'v1.0.0' });
      host = await PrivateGitHost.start();
      host.logins.set('gitlab.corp.test/', `gokeep:${TOKEN}`);
      repository = await host.repository('gitlab.corp.test/group/lib.git');
      first = await repository.commit(
        { 'go.mod': `module ${FROM_GIT}\n\ngo 1.21\n`, 'lib.go': 'package lib\n' },
        { tags: ['v1.0.0'] },
      );
      const pub = await host.file('release.pub', KEY.publicKey);
      rules = `[[signing]]\nmatch = ["${PUBLISHED}"]\nkeys = ["${pub}"]\n`;
      guarded = await GuardedGokeep.start(
        world,
        [
          '[[upstream]]\nmatch = ["gitlab.corp.test"]\nprivate = true\nproxy = "direct"',
          `[direct]\nca = "${host.caFile}"`,
          `[[git]]\nhost = "gitlab.corp.test"\nuser = "gokeep"\ntoken_file = "${await host.file('token', TOKEN)}"\n`,
          rules,
          '[monitor]\nevery = "1s"',
        ].join('\n'),
        { HTTPS_PROXY: host.proxy },
      );
      member = await guarded.create('--read', 'corp.test,gitlab.corp.test', '--publish', 'corp.test/team');
      stranger = await guarded.create('--read', 'corp.test/elsewhere');
    }, 60_000);

    afterAll(async () => {
      await guarded?.[Symbol.asyncDispose]();
      await host?.[Symbol.asyncDispose]();
      await world?.[Symbol.asyncDispose]();
    });

    const client = async (token: string, env: Readonly<Record<string, string>> = {}) =>
      guarded.client({
        NETRC: await guarded.netrc(token),
        // What is compiled once is not compiled again; modules are fetched and verified anew.
        GOCACHE: path.join(guarded.directory, 'go-build'),
        ...env,
      });

    async function publish(token: string, ...more: string[]) {
      const source = path.join(guarded.directory, 'source');
      await mkdir(source, { recursive: true });
      await writeFile(path.join(source, 'go.mod'), `module ${PUBLISHED}\n\ngo 1.21\n`);
      await writeFile(path.join(source, 'published.go'), 'package published\n');
      const file = await guarded.file(`token-${token.slice(-6)}`, `${token}\n`);
      const options = [
        '--from',
        'directory',
        '--url',
        guarded.url,
        '--token-file',
        file,
        '--ca',
        guarded.caFile,
      ];
      return program(['publish', source, 'v1.0.0', ...options, ...more], { PATH: process.env['PATH'] ?? '' });
    }

    async function build(go: GoClient): Promise<void> {
      const modules = Array.from({ length: PUBLIC_MODULES }, (_, n) => `example.test/m${n}`);
      const all = [...modules, FROM_GIT, PUBLISHED];
      const requires = all.map((name) => `\t${name} v1.0.0\n`).join('');
      await go.write('go.mod', `module main.test/main\n\ngo 1.21\n\nrequire (\n${requires})\n`);
      const imports = all.map((name) => `\t_ "${name}"\n`).join('');
      await go.write('main.go', `package main\n\nimport (\n${imports})\n\nfunc main() {}\n`);
      const built = await go.run('build', '-mod=mod', '-o', 'program', '.');
      expect(built.stderr).not.toContain('SECURITY');
      expect(built, built.stderr).toMatchObject({ code: 0 });
    }

    const get = (target: string) => guarded.ask(target, { headers: { authorization: `Bearer ${member}` } });

    async function verify(toml: string) {
      const options = ['--url', guarded.url, '--token-file', await guarded.file('reader', member)];
      const config = await guarded.file('rules.toml', `version = 1\n${toml}`);
      return program(
        [
          'verify',
          sums,
          '--config',
          config,
          '--ca',
          guarded.caFile,
          '--sumdb',
          guarded.gokeep.vkey,
          ...options,
        ],
        { NETRC: '/nonexistent', GOPATH: guarded.directory },
      );
    }

    it('is published to by who has the right, with a signature that the rule wants, and not otherwise', async () => {
      const refused = await publish(stranger);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('your credentials give no right to publish modules of this path');
      const unsigned = await publish(member);
      expect(unsigned.code).toBe(2);
      expect(unsigned.stderr).toContain('has to be signed');
      const zip = path.join(guarded.directory, 'module.zip');
      expect(await publish(member, '--dry-run', '--output', zip)).toMatchObject({ code: 0 });
      const bytes = await readFile(zip);
      const strangers = await guarded.file('strangers.json', signBlob(bytes, makeKey('P-256')));
      expect(await publish(member, '--signature', strangers)).toMatchObject({ code: 2 });
      expect(await get(`/${PUBLISHED}/@v/list`)).toMatchObject({ status: 404 });
      const bundle = await guarded.file('bundle.json', signBlob(bytes, KEY));
      expect(await publish(member, '--signature', bundle)).toMatchObject({ code: 0, stderr: '' });
    });

    it('builds with an unmodified go, verified by our log, GOPRIVATE and GONOSUMDB unset', async () => {
      await using go = await client(member);
      await build(go);
      expect((await go.run('mod', 'verify')).stdout).toContain('all modules verified');
      const text = await readFile(path.join(go.directory, 'main', 'go.sum'), 'utf8');
      for (const name of [FROM_GIT, PUBLISHED, 'example.test/m99'])
        expect(text).toContain(`${name} v1.0.0 h1:`);
      sums = await guarded.file('go.sum', text);
    });

    it('is proven line by line, signatures too, by rules that it cannot meet only where nobody signed', async () => {
      const proven = await verify(rules);
      expect({ code: proven.code, stderr: proven.stderr }).toEqual({ code: 0, stderr: '' });
      expect(proven.stdout).toContain(`of ${PUBLIC_MODULES + 2} versions`);
      expect(proven.stdout).toContain('all proven, 1 of them signed as demanded');
      const unmet = await verify(rules.replace(`"${PUBLISHED}"`, `"${PUBLISHED}", "${FROM_GIT}"`));
      expect(unmet.code).toBe(1);
      expect(unmet.stdout).toContain(`${FROM_GIT}@v1.0.0 is not signed by anybody whom the rules trust`);
      expect(unmet.stdout).toContain(': 1 problem\n');
    });

    it('is refused to a token without the right, which cannot tell what exists, and direct is not tried', async () => {
      const tried: string[] = [];
      const elsewhere = createServer((socket) =>
        socket.once('data', (data) => tried.push(String(data))).resume(),
      );
      elsewhere.listen(0, '127.0.0.1');
      await once(elsewhere, 'listening');
      const proxy = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
      try {
        await using go = await client(stranger, {
          GOPROXY: `${guarded.url},direct`,
          HTTPS_PROXY: proxy,
          NO_PROXY: '127.0.0.1',
        });
        const answers = [];
        for (const name of [
          PUBLISHED,
          'corp.test/team/nothing',
          FROM_GIT,
          'gitlab.corp.test/group/nothing.git',
        ]) {
          const got = await go.run('mod', 'download', `${name}@v1.0.0`);
          expect(got.code).not.toBe(0);
          answers.push(got.stderr.replaceAll(name, 'MODULE').replaceAll(/m\/[^@]*@/g, ''));
        }
        expect(answers[1]).toBe(answers[0]);
        expect(answers[3]).toBe(answers[2]);
        expect(answers[0]).toContain('403 Forbidden');
        expect(tried).toEqual([]);
      } finally {
        elsewhere.close();
      }
    });

    it('hears of a tag that was moved, and builds of the bytes that were logged', async () => {
      const moved = await repository.commit({ 'lib.go': 'package lib\n\n// moved\n' }, { tags: ['v1.0.0'] });
      await expect
        .poll(async () => (await get('/metrics')).text, { timeout: 20_000, interval: 200 })
        .toContain('gokeep_incidents_total{kind="tag"} 1\n');
      const why = await guarded.beside('why', `${FROM_GIT}@v1.0.0`);
      expect(why.code).toBe(1);
      expect(why.stdout).toContain(`names ${moved} now; it named ${first} when it was recorded`);
      await using go = await client(member);
      await build(go);
    });

    it('is refused what the tag names now, also where nothing else is left', async () => {
      const held = path.join(guarded.gokeep.data, 'download', FROM_GIT, '@v', 'v1.0.0.zip');
      await rm(held);
      // The clone, which still has the tag as it was.
      await rm(path.join(guarded.gokeep.data, 'direct'), { recursive: true });
      // Small answers are held in memory.
      await guarded.restart();
      for (const env of [{}, { GOSUMDB: 'off' }]) {
        await using go = await client(member, env);
        const got = await go.run('mod', 'download', `${FROM_GIT}@v1.0.0`);
        expect(got.code).not.toBe(0);
        expect(got.stderr).toContain(`SECURITY: ${FROM_GIT}@v1.0.0 does not match its record`);
      }
      await expect(readFile(held)).rejects.toThrow('ENOENT');
      expect((await verify(rules)).code).toBe(0);
      expect((await guarded.beside('why', `${FROM_GIT}@v1.0.0`)).stdout).toContain(
        'direct gave a zip with h1:',
      );
    });
  },
);
