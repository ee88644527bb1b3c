import path from 'node:path';
import type { WantedVersion } from '../airgap/create.ts';
import { collectWanted } from '../airgap/want/collect.ts';
import { readInputs } from '../airgap/want/read-inputs.ts';
import type { ModuleAnswers, WantedSet } from '../airgap/want/wanted.ts';
import type { Config } from '../config/load.ts';
import { ModuleStore } from '../store/module-store.ts';
import { storedModules } from '../store/stored-modules.ts';
import type { CreateOptions } from './bundle-create-options.ts';
import { openUpstreamReader } from './local-log.ts';
import type { Progress } from './progress.ts';

const AT_ONCE = 16;

export interface AllWanted {
  readonly versions: readonly WantedVersion[];
  readonly queries: WantedSet['queries'];
  readonly skipped: WantedSet['skipped'];
}

/** What the inputs and the options ask for together, each version once. */
export async function everythingWanted(
  args: string[],
  options: CreateOptions,
  config: Config,
  answers: ModuleAnswers,
  progress: Progress,
): Promise<AllWanted> {
  const set = await collectWanted(await namedInputs(args, options), answers, {
    tests: options.tests === true,
    concurrency: AT_ONCE,
    signal: new AbortController().signal,
    progress: (done) =>
      progress.steps('reading the module graph', done, 0, () => `reading the module graph: ${done} answers`),
  });
  const versions = new Map<string, WantedVersion>();
  const want = (one: WantedVersion) => {
    const key = `${one.path}@${one.version}`;
    const before = versions.get(key);
    versions.set(key, { ...one, ...before, zip: one.zip || before?.zip === true });
  };
  set.wanted.forEach(want);
  if (options.all === true) {
    for await (const stored of storedModules(new ModuleStore(config.data).root)) {
      if (stored.path === undefined) continue;
      for (const { kind, version } of stored.files)
        if (kind !== 'info') want({ path: stored.path, version, zip: kind === 'zip' });
    }
  }
  if (options.servedSince !== undefined) {
    using served = openUpstreamReader(config);
    for (const { path: modulePath, version, kind } of served.servedSince(options.servedSince))
      want({ path: modulePath, version, zip: kind === 'zip' });
  }
  for (const name of options.toolchain.flatMap((each) => (each === 'auto' ? set.goVersions : [each])))
    for (const platform of options.platform.length > 0 ? options.platform : [hostPlatform()])
      want({
        path: 'golang.org/toolchain',
        version: `v0.0.1-${name}.${platform.replace('/', '-')}`,
        zip: true,
      });
  return { versions: [...versions.values()], queries: set.queries, skipped: set.skipped };
}

/** What somebody gave a server to read lies in the job's directory, and names nothing beside it. */
function namedInputs(args: readonly string[], { job }: CreateOptions) {
  if (job === undefined) return readInputs(args, process.cwd());
  return readInputs(args, path.join(job, 'in'), { alone: true });
}

function hostPlatform(): string {
  const systems: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
  const processors: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return `${systems[process.platform] ?? process.platform}/${processors[process.arch] ?? process.arch}`;
}
