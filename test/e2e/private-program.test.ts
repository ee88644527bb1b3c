import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep as program } from '../cli/program.ts';
import type { GoClient } from '../world/go-client.ts';
import { GuardedGokeep } from '../world/guarded-gokeep.ts';
import { PrivateGitHost } from '../world/private-git-host.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const PUBLIC_MODULES = 100;
const FROM_GIT = 'gitlab.corp.test/group/lib.git';
const PUBLISHED = 'corp.test/team/published';
const TOKEN = 'glpat-Secret.Token_1';

let world: UpstreamWorld;
let host: PrivateGitHost;
let guarded: GuardedGokeep;
let member: string;
let stranger: string;

describe.skipIf(!needs('openssl'))(
  'a program of public, fetched and published modules, with access required',
  () => {
    beforeAll(async () => {
      world = await UpstreamWorld.start();
      for (let n = 0; n < PUBLIC_MODULES; n++)
        await world.publish({ path: `example.test/m${n}`, version: 'v1.0.0' });
      host = await PrivateGitHost.start();
      host.logins.set('gitlab.corp.test/', `gokeep:${TOKEN}`);
      const repository = await host.repository('gitlab.corp.test/group/lib.git');
      await repository.commit(
        { 'go.mod': `module ${FROM_GIT}\n\ngo 1.21\n`, 'lib.go': 'package lib\n' },
        { tags: ['v1.0.0'] },
      );
      guarded = await GuardedGokeep.start(
        world,
        [
          '[[upstream]]\nmatch = ["gitlab.corp.test"]\nprivate = true\nproxy = "direct"',
          `[direct]\nca = "${host.caFile}"`,
          `[[git]]\nhost = "gitlab.corp.test"\nuser = "gokeep"\ntoken_file = "${await host.file('token', TOKEN)}"\n`,
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
      guarded.client({ NETRC: await guarded.netrc(token), ...env });

    async function publish(token: string) {
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
      return program(['publish', source, 'v1.0.0', ...options], { PATH: process.env['PATH'] ?? '' });
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

    it('is published to by who has the right, and by nobody else', async () => {
      const refused = await publish(stranger);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('your credentials give no right to publish modules of this path');
      expect(await publish(member)).toMatchObject({ code: 0, stderr: '' });
    });

    it('builds with an unmodified go, verified by our log, GOPRIVATE and GONOSUMDB unset', async () => {
      await using go = await client(member);
      await build(go);
      expect((await go.run('mod', 'verify')).stdout).toContain('all modules verified');
      const sums = await readFile(path.join(go.directory, 'main', 'go.sum'), 'utf8');
      for (const name of [FROM_GIT, PUBLISHED, 'example.test/m99'])
        expect(sums).toContain(`${name} v1.0.0 h1:`);
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

    it('gets the bytes that were logged when a tag is moved, and a newer client too', async () => {
      const bare = path.join(host.folder('gitlab.corp.test'), 'group', 'lib.git');
      const git = (...args: string[]) =>
        execFileSync('git', ['-C', bare, '-c', 'user.name=a', '-c', 'user.email=a@a.test', ...args], {
          encoding: 'utf8',
        }).trim();
      const tree = git('rev-parse', 'v1.0.0^{tree}');
      const moved = git('commit-tree', tree, '-m', 'another');
      git('tag', '-f', 'v1.0.0', moved);
      await using go = await client(member);
      await build(go);
    });
  },
);
