import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { gokeep } from '../cli/program.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { answeringGoproxy } from '../world/host-goproxy.ts';

const goproxy = answeringGoproxy('air-gap-live-tools.test.ts');

const MODULE = 'golang.org/x/mod';
const PROGRAM = `package main

import (
	"runtime"

	"${MODULE}/semver"
)

func main() { println(runtime.Version(), semver.Major("v1.2.3")) }
`;

/** Two released toolchains: the first is what a client has, the second is what its go.mod asks for. */
const PAIR = ['go1.26.6', 'go1.26.7'] as const;

/** A released toolchain that is not the host's own. */
function otherToolchain(): string {
  const local = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', cwd: tmpdir() }).trim();
  const [older, newer] = PAIR;
  return local === newer ? older : newer;
}

/** Where an unmodified go runs on this machine, as `--platform` names it. */
function platform(): string {
  const env = execFileSync('go', ['env', 'GOHOSTOS', 'GOHOSTARCH'], { encoding: 'utf8', cwd: tmpdir() });
  return env.trim().split('\n').join('/');
}

/** The go command of a version that came from a proxy, in the cache of a client that has just fetched it. */
async function fetchedGo(client: GoClient, name: string): Promise<string> {
  const version = await client.run('version');
  expect(version.stdout, version.stderr).toContain(`go version ${name} `);
  const toolchain = `golang.org/toolchain@v0.0.1-${name}.${platform().replace('/', '-')}`;
  return path.join(client.modCache, toolchain, 'bin', 'go');
}

/** A client whose installed go is that one, with settings as go has them, and a program whose go.mod asks for a newer go. */
async function clientOf(go: string, proxy: string) {
  const client = await GoClient.create({ GOPROXY: proxy, GOTOOLCHAIN: 'auto', GOFLAGS: '-modcacherw' });
  const run = (...args: string[]) => client.runProgram(go, ...args);
  const local = await run('version');
  expect(local.stdout, local.stderr).toContain(`go version ${PAIR[0]} `);
  expect((await run('env', 'GOSUMDB')).stdout.trim()).toBe('sum.golang.org');
  await client.write(
    'go.mod',
    `module main.test/main\n\ngo ${PAIR[1].slice(2)}\n\nrequire ${MODULE} v0.20.0\n`,
  );
  await client.write('main.go', PROGRAM);
  return { run, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

describe.skipIf(goproxy === undefined)('a real Go toolchain in a bundle', () => {
  it('is what an unmodified go switches to, and builds with, from a site without network', {
    timeout: 600_000,
  }, async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-tools-'));
    const at = (name: string) => path.join(directory, name);
    const toolchain = otherToolchain();
    try {
      await mkdir(at('connected'));
      const connected = ['--data', at('connected')];
      // The host's own certificates too.
      const { GOPROXY: _a, GOSUMDB: _b, ...inherited } = process.env as Record<string, string>;
      const env = { ...inherited, GOKEEP_UPSTREAM: goproxy! };
      const tools = [...PAIR.flatMap((name) => ['--toolchain', name]), '--platform', platform()];
      const output = ['--output', at('tools.tar')];
      const made = await gokeep(
        ['bundle', 'create', ...connected, ...output, ...tools, `${MODULE}@v0.20.0`],
        env,
      );
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const vkey = (await gokeep(['key', 'show', ...connected])).stdout.trim();

      const toml = `offline = true\n[bundles]\ntrust = ["${vkey}"]\n`;
      const closed = at('closed');
      await mkdir(closed);
      await writeFile(at('closed.toml'), `version = 1\n${toml}`);
      const imported = await gokeep(
        ['bundle', 'import', at('tools.tar'), '--config', at('closed.toml'), '--data', closed],
        { PATH: process.env['PATH']! },
      );
      expect(imported).toMatchObject({ code: 0, stderr: '' });

      await using server = await GokeepProcess.start({ data: closed, toml });
      expect(server.vkey).not.toBe(vkey);
      const settings = { GOPROXY: server.url, GOSUMDB: server.vkey, GOFLAGS: '-mod=mod -modcacherw' };

      // Chosen by name: an older one than the host's own too.
      await using client = await GoClient.create({ ...settings, GOTOOLCHAIN: toolchain });
      const version = await client.run('version');
      expect(version.stderr).not.toContain('SECURITY');
      expect(version.stdout).toContain(`go version ${toolchain} `);
      await client.write('go.mod', `module main.test/main\n\ngo 1.21\n\nrequire ${MODULE} v0.20.0\n`);
      await client.write('main.go', PROGRAM);
      const ran = await client.run('run', '.');
      expect(ran, ran.stderr).toMatchObject({ code: 0 });
      expect(ran.stderr).toContain(`${toolchain} v1`);

      // Asked for by go.mod, which counts only above the floor: that is the host’s own version unless it is set lower.
      await using asks = await GoClient.create({ ...settings, GOTOOLCHAIN: 'go1.21+auto' });
      await asks.write('go.mod', `module main.test/main\n\ngo ${toolchain.slice(2)}\n`);
      const switched = await asks.run('version');
      expect(switched.stdout, switched.stderr).toContain(`go version ${toolchain} `);

      // By the defaults, for which the go that is installed has to be the older one.
      await using installed = await GoClient.create({ ...settings, GOTOOLCHAIN: PAIR[0] });
      const go = await fetchedGo(installed, PAIR[0]);
      await using online = await clientOf(go, server.url);
      const auto = await online.run('version');
      expect(auto.stdout, auto.stderr).toContain(`go version ${PAIR[1]} `);
      await mkdir(at('unpacked'));
      execFileSync('tar', ['-xf', at('tools.tar'), '-C', at('unpacked')]);
      await using alone = await clientOf(go, pathToFileURL(at('unpacked')).href);
      const built = await alone.run('run', '-mod=mod', '.');
      expect(built.stderr).not.toContain('SECURITY');
      expect(built, built.stderr).toMatchObject({ code: 0 });
      expect(built.stderr).toContain(`${PAIR[1]} v1`);

      await using other = await GoClient.create({ ...settings, GOTOOLCHAIN: 'go1.25.1' });
      const refused = await other.run('version');
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('go1.25.1');
    } finally {
      await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    }
  });
});
