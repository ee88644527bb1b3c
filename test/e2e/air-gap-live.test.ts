import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep } from '../cli/program.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { answeringGoproxy } from '../world/host-goproxy.ts';
import { downloadAndBuild, loadGraph, LIVE_GO_MOD, LIVE_PROGRAM } from '../world/live-program.ts';
import { NetworkNamespace } from '../world/network-namespace.ts';
import { needs } from '../world/programs.ts';

const PUBLIC = 'sum.golang.org';
const MODULES = 335;
const NEW = `require (
	rsc.io/quote v1.5.2
	rsc.io/sampler v1.3.0 // indirect
)
`;

/** Of a signed tree head: its second line. */
const treeSize = (head: string) => Number(head.split('\n')[1]);

const canClose = needs('ip') && NetworkNamespace.available();
const upstream = canClose ? answeringGoproxy('air-gap-live.test.ts') : undefined;
if (upstream === undefined) {
  const why = canClose ? 'no proxy of this host’s GOPROXY answers' : 'network namespaces need ip and root';
  process.stderr.write(`air-gap-live.test.ts: ${why}; its tests are skipped\n`);
}

describe.skipIf(upstream === undefined)(
  'a real program of 300 modules, carried to where no network is',
  () => {
    let directory: string;
    let closed: NetworkNamespace;
    let first: string;
    let second: string;
    let vkey: string;

    const at = (...names: string[]) => path.join(directory, ...names);

    /** On the connected side, with this host's own network. */
    const connected = (...args: string[]) =>
      gokeep([...args, '--data', at('connected')], { ...process.env, GOKEEP_UPSTREAM: upstream! });

    /** On the closed side; there is a go command, which is asked where modules come from as anywhere. */
    const inside = (...args: string[]) => gokeep(args, { PATH: process.env['PATH']! }, closed.wrapper);

    /** An unmodified go on the closed side that has never seen a module. Compiling is not what is tested. */
    const newClient = (env: Record<string, string>) =>
      GoClient.create({ GOCACHE: at('go-build'), ...env }, closed.wrapper);

    const serve = (name: string, toml: string) =>
      GokeepProcess.start({ data: at(name), toml, wrapper: closed.wrapper });

    beforeAll(async () => {
      directory = await mkdtemp(path.join(tmpdir(), 'gokeep-airgap-live-'));
      closed = new NetworkNamespace();
      const goMod = await readFile(LIVE_GO_MOD, 'utf8');
      for (const [name, text] of [
        ['one', goMod],
        ['two', `${goMod}\n${NEW}`],
      ] as const) {
        await mkdir(at(name));
        await writeFile(at(name, 'go.mod'), text);
      }
      first = at('first.tar');
      second = at('second.tar');
      const made = await connected('bundle', 'create', '--output', first, at('one'));
      expect(made, made.stdout).toMatchObject({ code: 0, stderr: '' });
      expect(made.stdout).toContain(`${MODULES} zips`);
      const more = await connected('bundle', 'create', '--output', second, '--since', first, at('two'));
      expect(more, more.stdout).toMatchObject({ code: 0, stderr: '' });
      vkey = (await connected('key', 'show')).stdout.trim();
    }, 300_000);

    afterAll(async () => {
      closed[Symbol.dispose]();
      await rm(directory, { recursive: true, force: true });
    });

    it('closes a side that has no network at all', async () => {
      expect(closed.interfaces).toEqual(['lo']);
      await using client = await newClient({ GOPROXY: upstream!, GOSUMDB: PUBLIC });
      expect((await client.run('mod', 'download', 'rsc.io/quote@v1.5.2')).code).not.toBe(0);
    });

    it('is verified on either side, by the public keys only', { timeout: 120_000 }, async () => {
      const args = ['bundle', 'verify', first, '--key', vkey, '--for', at('one'), '--data', at('none')];
      for (const found of [await gokeep(args), await inside(...args)]) {
        expect(found).toMatchObject({ code: 0, stderr: '' });
        expect(found.stdout).toContain('all in order');
        expect(found.stdout).toContain(`${PUBLIC}: by its own key`);
      }
    });

    it('unpacks to a directory that go builds from, by the public database', {
      timeout: 240_000,
    }, async () => {
      await mkdir(at('unpacked'));
      execFileSync('tar', ['-xf', first, '-C', at('unpacked')]);
      // GOSUMDB is go's own default.
      await using client = await newClient({ GOPROXY: `file://${at('unpacked')}` });
      expect((await client.run('env', 'GOSUMDB')).stdout.trim()).toBe(PUBLIC);
      expect(await downloadAndBuild(client)).toBe(MODULES);
    });

    it('builds from a keyless replica, and takes what is new for a client that remembers its head', {
      timeout: 480_000,
    }, async () => {
      const toml = `replica = true\n[bundles]\ntrust = ["${vkey}"]\n`;
      await imports('replica', toml, first);
      await using server = await serve('replica', toml);
      expect(server.vkey).toBe(vkey);
      await using client = await newClient({ GOPROXY: server.url, GOSUMDB: vkey });
      expect(await downloadAndBuild(client)).toBe(MODULES);
      {
        await using other = await newClient({ GOPROXY: server.url, GOSUMDB: PUBLIC });
        expect(await loadGraph(other)).toBeGreaterThanOrEqual(MODULES);
      }

      const [whole, more] = [await stat(first), await stat(second)];
      expect(more.size).toBeLessThan(whole.size / 10);
      await imports('replica', `listen = "${new URL(server.url).host}"\n${toml}`, second);
      const head = path.join(client.directory, 'gopath/pkg/sumdb', vkey.split('+')[0]!, 'latest');
      const before = treeSize(await readFile(head, 'utf8'));
      expect((await client.run('clean', '-modcache')).code).toBe(0);
      await rm(path.join(client.directory, 'main/go.sum'));
      await client.write('go.mod', await readFile(at('two/go.mod'), 'utf8'));
      await client.write('main.go', LIVE_PROGRAM.replace('import (', 'import (\n\t_ "rsc.io/quote"'));
      const built = await client.run('build', '-mod=mod', '-o', 'program', '.');
      expect(built.stderr).not.toContain('SECURITY');
      expect(built, built.stderr).toMatchObject({ code: 0 });
      expect(treeSize(await readFile(head, 'utf8'))).toBeGreaterThan(before);
    });

    it('builds from a site with a log of its own', { timeout: 240_000 }, async () => {
      const toml = `offline = true\n[bundles]\ntrust = ["${vkey}"]\n`;
      await imports('site', toml, first);
      await using server = await serve('site', toml);
      expect(server.vkey).not.toBe(vkey);
      await using client = await newClient({ GOPROXY: server.url, GOSUMDB: server.vkey });
      expect(await downloadAndBuild(client)).toBe(MODULES);
    });

    async function imports(name: string, toml: string, bundle: string): Promise<void> {
      const config = at(`${name}.toml`);
      await writeFile(config, `version = 1\n${toml}`);
      const done = await inside('bundle', 'import', bundle, '--config', config, '--data', at(name));
      expect(done, done.stdout).toMatchObject({ code: 0, stderr: '' });
      expect(done.stdout).toContain('imported: ');
    }
  },
);
