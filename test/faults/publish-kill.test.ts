import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { h1OfGoMod } from '../../src/modzip/dirhash.ts';
import { verifyModuleZip } from '../../src/modzip/verify.ts';
import { memorySource } from '../modzip/zip.ts';
import { CORP, moduleZipOf, PublishingSite } from '../publish/publishing-site.ts';
import { needs } from '../world/programs.ts';
import { memoryDirectory } from './memory-directory.ts';

const PUBLISHER = path.join(import.meta.dirname, 'publisher.ts');
const VERSIONS = ['v1.0.0'];

/**
 * Calls that change something on disk, and the fewest that one thread of one run makes. The kill comes on entering the
 * call; SQLite writes by pwrite64 and syncs by fdatasync or fsync.
 */
const BOUNDARIES: readonly [call: string, fewest: number][] = [
  ['pwrite64', 6],
  ['fsync', 8],
  ['fdatasync', 1],
  ['mkdir', 4],
  ['rename', 4],
  ['rmdir', 1],
];

interface Run {
  readonly ended: number | string;
  readonly said: string[];
}

function run(directory: string, versions: readonly string[], wrapper: readonly string[]): Promise<Run> {
  const [command, ...args] = [...wrapper, process.execPath, PUBLISHER, directory, ...versions];
  const child = spawn(command!, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    // One thread for files: strace counts each thread's own calls.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ ended: code ?? signal ?? -1, said: output.split('\n').filter(Boolean) }),
    );
  });
}

/** After the next start: each version whole, logged and listed, or not there at all; and nothing waits. */
async function expectAllOrNothing(directory: string, acknowledged: readonly string[]): Promise<void> {
  const site = await PublishingSite.open({}, directory);
  try {
    await site.publishing.recover();
    const { store, log } = site;
    const there = VERSIONS.filter((version) => log.find(CORP, version) !== undefined);
    expect(there).toEqual(expect.arrayContaining([...acknowledged]));
    expect(site.hosted(CORP).sort()).toEqual(there);
    expect((await store.listText(CORP)).split('\n').filter(Boolean)).toEqual(there);
    for (const version of VERSIONS) {
      const [zip, mod, info] = await Promise.all(
        (['zip', 'mod', 'info'] as const).map((kind) => store.read(kind, CORP, version)),
      );
      if (!there.includes(version)) {
        expect([zip, mod, info]).toEqual([undefined, undefined, undefined]);
        continue;
      }
      const record = log.find(CORP, version)!;
      expect((await verifyModuleZip(memorySource(zip!), CORP, version)).h1).toBe(record.zip);
      expect(h1OfGoMod(mod!)).toBe(record.mod);
      expect(JSON.parse(info!.toString())).toMatchObject({ Version: version });
      expect(log.signatures.of(CORP, version).map(({ id }) => id)).toEqual([version]);
    }
    expect(await site.leftovers()).toEqual([]);
    // Whoever was cut off sends it again.
    for (const version of VERSIONS) await site.publish(CORP, version, moduleZipOf(CORP, version));
    expect(site.hosted(CORP).sort()).toEqual(VERSIONS);
    expect(site.incidents).toEqual([]);
  } finally {
    await site.close();
  }
}

/** True when the process was killed, false when it made fewer calls than that. */
async function killAt(call: string, nth: number): Promise<boolean> {
  const directory = await memoryDirectory();
  try {
    const strace = `strace -f -qqq -o /dev/null -e trace=${call} -e inject=${call}:signal=KILL:when=${nth}`;
    const { ended, said } = await run(directory, VERSIONS, strace.split(' '));
    await expectAllOrNothing(directory, said);
    if (ended !== 0) return true;
    expect(said).toEqual(VERSIONS);
    return false;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe.skipIf(!needs('strace'))('killed (-9) while it publishes, by strace', () => {
  it.concurrent.each(BOUNDARIES)(
    'has each version whole, logged, signed and listed or not at all, and all that were acknowledged, at every %s',
    async (call, fewest) => {
      let nth = 1;
      while (await killAt(call, nth)) nth++;
      expect(nth).toBeGreaterThan(fewest);
    },
    240_000,
  );
});
