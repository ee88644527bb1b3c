import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { BenchServer } from './bench-server.ts';

const run = promisify(execFile);

/** A real program with a large module graph; its go.mod becomes that of the benchmark's main module. */
const PROGRAM = 'github.com/goreleaser/goreleaser/v2@v2.4.8';
const GOKEEP = path.join(import.meta.dirname, '..', '..', 'bin', 'gokeep.js');
const KEPT = path.join(import.meta.dirname, 'corpus');
const ROOT = path.join(KEPT, 'graph-with-bundle');

/** Files of a real module graph, held by a gokeep that has never been asked for anything else. */
export interface Corpus {
  /** A data directory of gokeep: module files, our log and what the upstream database said. Not to be written. */
  readonly data: string;
  /** The module files in the layout that `GOPROXY=file://` reads. */
  readonly download: string;
  /** go.mod of a main module that requires the whole graph. */
  readonly goMod: string;
  /** Request targets of what is held, without `list`. */
  readonly targets: Readonly<Record<'info' | 'mod' | 'zip', readonly string[]>>;
  readonly modules: readonly { readonly path: string; readonly version: string }[];
  readonly zipBytes: number;
}

/** Runs `go` with caches below `directory` and nothing of the host's own Go settings but what `env` says. */
export async function go(
  directory: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { stdout } = await run('go', args, {
    cwd: directory,
    maxBuffer: 64 * 2 ** 20,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      GOPATH: path.join(directory, 'gopath'),
      GOMODCACHE: path.join(directory, 'mod'),
      GOENV: 'off',
      GOFLAGS: '-modcacherw',
      GOTOOLCHAIN: 'local',
      NO_PROXY: '127.0.0.1',
      ...env,
    },
  });
  return stdout;
}

/** The corpus, fetched through the host's GOPROXY when it is not there yet. */
export async function openCorpus(): Promise<Corpus> {
  if (!existsSync(path.join(ROOT, 'go.mod'))) await fetchCorpus();
  const data = path.join(ROOT, 'data');
  const download = path.join(data, 'download');
  const targets = { info: [] as string[], mod: [] as string[], zip: [] as string[] };
  let zipBytes = 0;
  for (const name of (await readdir(download, { recursive: true })).sort()) {
    const kind = path.extname(name).slice(1);
    if (kind !== 'info' && kind !== 'mod' && kind !== 'zip') continue;
    targets[kind].push(`/${name}`);
    if (kind === 'zip') zipBytes += (await stat(path.join(download, name))).size;
  }
  const goMod = await readFile(path.join(ROOT, 'go.mod'), 'utf8');
  const modules = [...goMod.matchAll(/^\s+(\S+) (v[0-9]\S*)/gm)].map((match) => ({
    path: match[1] ?? '',
    version: match[2] ?? '',
  }));
  return { data, download, goMod, targets, modules, zipBytes };
}

/**
 * A data directory with everything of the corpus, that may be written: module files are hard links, since they are
 * never changed in place.
 */
export async function copyOfData(corpus: Corpus, directory: string): Promise<string> {
  const data = path.join(directory, 'data');
  await mkdir(data, { recursive: true });
  for (const name of await readdir(corpus.data)) {
    await run('cp', [name === 'download' ? '-al' : '-a', path.join(corpus.data, name), data]);
  }
  return data;
}

/** The client's side of a fetch: an empty main module that requires the graph. */
export async function writeMain(directory: string, goMod: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, 'go.mod'), goMod);
  await rm(path.join(directory, 'go.sum'), { force: true });
}

async function fetchCorpus(): Promise<void> {
  const making = path.join(KEPT, 'making');
  await rm(making, { recursive: true, force: true });
  await mkdir(path.join(making, 'main'), { recursive: true });
  console.error('fetching the corpus through the host’s GOPROXY (once; some minutes)…');
  {
    await using gokeep = await BenchServer.start({ data: path.join(making, 'data') });
    const main = path.join(making, 'main');
    const env = { GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey };
    const json = await go(main, ['mod', 'download', '-json', PROGRAM], env);
    const { GoMod } = JSON.parse(json) as { GoMod: string };
    const text = (await readFile(GoMod, 'utf8')).replace(/^module .*$/m, 'module bench.test/main');
    await writeMain(main, text);
    await go(main, ['mod', 'download'], env);
    // The same once more against the upstream database, so that its answers are held too.
    await rm(path.join(main, 'mod'), { recursive: true });
    await rm(path.join(main, 'go.sum'), { force: true });
    await go(main, ['mod', 'download'], { GOPROXY: gokeep.url, GOSUMDB: 'sum.golang.org' });
    await cp(path.join(main, 'go.mod'), path.join(making, 'go.mod'));
    await rm(main, { recursive: true, force: true });
  }
  // A bundle needs go.mod files that no build reads, and what the upstream database says of them.
  await writeMain(path.join(making, 'main'), await readFile(path.join(making, 'go.mod'), 'utf8'));
  const bundle = ['--output', path.join(making, 'bundle.tar'), path.join(making, 'main')];
  await run(process.execPath, [GOKEEP, 'bundle', 'create', '--data', path.join(making, 'data'), ...bundle]);
  await rm(path.join(making, 'bundle.tar'));
  await rm(path.join(making, 'main'), { recursive: true });
  await rename(making, ROOT);
}
