import path from 'node:path';
import type { Facts } from '../facts/facts.ts';
import { headFile } from '../facts/remembered-head.ts';
import type { Machine } from '../machine.ts';
import type { ModuleVersion } from './database.ts';
import type { DownloadProbe } from './probed.ts';

const MOST_SAID = 2_000;

/**
 * Has the real `go` download a module with this machine's settings, into caches that are gone afterwards. It is given the
 * tree head that go remembers here, so that it proves by itself that the server continues it.
 */
export async function probeDownload(
  machine: Machine,
  facts: Facts,
  { path: modulePath, version }: ModuleVersion,
  deadline: number,
): Promise<DownloadProbe> {
  const module = `${modulePath}@${version}`;
  const scratch = await machine.scratch();
  const { directory } = scratch;
  const below = (name: string) => path.join(directory, name);
  try {
    const { head, sumdb } = facts;
    // What go would refuse it is not given: it is told of by itself, and the rest is to be tried.
    if (sumdb.kind === 'database' && head.kind === 'head') {
      const state = machine.read(head.file);
      const copy = headFile(below('gopath'), sumdb.name);
      if (state.kind === 'file' && copy !== undefined) machine.write(copy, Buffer.from(state.text));
    }
    machine.write(below('main/empty'), new Uint8Array());
    const startedAt = performance.now();
    const ran = await machine.run('go', ['mod', 'download', '-json', module], {
      cwd: below('main'),
      deadline,
      env: {
        ...machine.env,
        GOPATH: below('gopath'),
        GOMODCACHE: below('mod'),
        GOCACHE: below('build'),
        GOTMPDIR: directory,
        GOFLAGS: '-modcacherw',
        GOWORK: 'off',
        // Which toolchain a go.mod wants is looked at by itself.
        GOTOOLCHAIN: 'local',
      },
    });
    if (ran.code === 0) return { kind: 'downloaded', module, ms: performance.now() - startedAt };
    const said = errorIn(ran.stdout) ?? ran.stderr;
    return { kind: 'failed', module, said: said.trim().slice(0, MOST_SAID), timedOut: ran.timedOut };
  } finally {
    await scratch.remove();
  }
}

function errorIn(stdout: string): string | undefined {
  try {
    return (JSON.parse(stdout) as { Error?: string }).Error;
  } catch {
    return undefined;
  }
}
