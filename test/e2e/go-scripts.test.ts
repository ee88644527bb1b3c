import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GokeepProcess } from '../world/gokeep-process.ts';
import {
  type Front,
  goCommandSources,
  type ScriptOutcome,
  ScriptProgram,
  type TestProxy,
} from './go-scripts/script-program.ts';

/** Key of the database that the go command's test proxy serves (cmd/go proxy_test.go testSumDBVerifierKey). */
const TEST_DATABASE = 'localhost.localdev/sumdb+00000c67+AcTrnkbUA+TU4heY3hkjiSES/DSQniBqIeQ/YppAUtK6';

/** By name of a script or target: why gokeep differs there, and is right to. */
type Reasons = Readonly<Record<string, string>>;

async function load<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(path.join(import.meta.dirname, 'go-scripts', name), 'utf8')) as T;
}

// The scripts of Go 1.26 that ask something of the test proxy, found by giving each an address of its own, without those
// that need the internet. The slow ones compile much.
const scripts = await load<{ quick: string[]; slow: string[] }>('scripts.json');
const expected = await load<{
  scripts: { proxied: Reasons; own: Reasons; computed: Reasons };
  files: Reasons;
}>('expected-differences.json');
const slow = process.env['GOKEEP_TEST_SLOW'] === '1';
const selection = slow ? [...scripts.quick, ...scripts.slow] : scripts.quick;
// Scripts, expected differences and the patched test are those of one Go release.
const isKnownGo = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).startsWith('go1.26');
const sources = isKnownGo ? await goCommandSources() : undefined;
const skipped = sources === undefined && process.env['GOKEEP_TEST_ALL'] !== '1';

describe.skipIf(skipped)(
  'the go command’s own script tests (GOROOT/src/cmd/go of Go 1.26), gokeep in between',
  () => {
    const cleanup = new AsyncDisposableStack();
    let program: ScriptProgram;
    let proxy: TestProxy;

    beforeAll(async () => {
      if (sources === undefined) throw new Error('this Go is not 1.26, or comes without GOROOT/src/cmd/go');
      program = cleanup.use(await ScriptProgram.build(sources));
      proxy = cleanup.use(await program.startProxy());
    }, 600_000);

    afterAll(() => cleanup.disposeAsync());

    const startGokeep = (sumdb: string) =>
      GokeepProcess.start({
        toml: `[upstream]\nproxy = "${proxy.url}"\nsumdb = "${sumdb}"\n[sumdb]\nname = "localhost.localdev/gokeep"\n`,
      });

    /** Scripts that fail through gokeep and pass without it. One that fails without it too says nothing about it. */
    async function differences(front: Front): Promise<ScriptOutcome[]> {
      const names = await program.present(selection);
      const failed = (await program.run(names, front)).filter(({ result }) => result === 'FAIL');
      if (failed.length === 0) return [];
      const alone = await program.run(failed.map(({ name }) => name));
      const passing = new Set(alone.filter(({ result }) => result === 'PASS').map(({ name }) => name));
      return failed.filter(({ name }) => passing.has(name));
    }

    async function expectOnly(reasons: Reasons, found: readonly ScriptOutcome[]): Promise<void> {
      const surprising = found.filter(({ name }) => reasons[name] === undefined);
      const logs = surprising.map(({ name, log }) => `${name}:\n${log.split('\n').slice(-40).join('\n')}`);
      const known = await program.present(Object.keys(reasons));
      expect(found.map(({ name }) => name).toSorted(), logs.join('\n\n')).toEqual(known.toSorted());
    }

    const ways = [
      {
        title: 'their checksum database proxied',
        sumdb: TEST_DATABASE,
        own: false,
        reasons: expected.scripts.proxied,
      },
      {
        title: 'gokeep’s own checksum database in use',
        sumdb: TEST_DATABASE,
        own: true,
        reasons: expected.scripts.own,
      },
      {
        title: 'gokeep’s own checksum database in use, every record computed here',
        sumdb: 'off',
        own: true,
        reasons: expected.scripts.computed,
        slow: true,
      },
    ];
    for (const { title, sumdb, own, reasons } of ways.filter((way) => slow || way.slow !== true)) {
      it(`see what they see without it, ${title}`, { timeout: 900_000 }, async () => {
        await using gokeep = await startGokeep(sumdb);
        const front = { gokeepUrl: gokeep.url, upstreamUrl: proxy.url };
        await expectOnly(reasons, await differences(own ? { ...front, gosumdb: gokeep.vkey } : front));
      });
    }

    it('get each file of each module byte for byte, from upstream, then from the store', {
      timeout: 300_000,
    }, async () => {
      await using gokeep = await startGokeep(TEST_DATABASE);
      const answer = async (base: string, target: string) => {
        const response = await fetch(base + target);
        return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
      };
      const targets = await program.moduleTargets();
      for (const from of ['upstream', 'store']) {
        const differing = new Set<string>();
        for (const target of targets) {
          const [alone, through] = await Promise.all([answer(proxy.url, target), answer(gokeep.url, target)]);
          if (alone.status !== through.status || !alone.body.equals(through.body)) differing.add(target);
        }
        expect([...differing].toSorted(), from).toEqual(Object.keys(expected.files).toSorted());
      }
    });
  },
);
