import { createReadStream } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { GokeepError } from '../errors.ts';
import { h1OfGoMod } from '../modzip/dirhash.ts';
import { formatModuleRequest } from '../module/request-path.ts';
import type { GitSettings } from '../publish/git.ts';
import {
  inspectModule,
  type ModuleFiles,
  type ModuleRequest,
  type ModuleZip,
  moduleZip,
} from '../publish/module-zip.ts';
import { checkSameGoMod } from '../publish/same-go-mod.ts';
import { type Release, releaseSource } from '../publish/release-source.ts';
import { claimOf, formatClaim } from '../publish/version-info.ts';
import { exitFound, isoTime, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { ServerClient } from './server-client.ts';
import { bundleText, sendSignatures } from './sign.ts';
import { type TalkingOptions, withServerOptions } from './server-options.ts';

interface PublishOptions extends TalkingOptions {
  readonly from?: string;
  readonly module?: string;
  readonly dryRun?: true;
  readonly output?: string;
  readonly signature: string[];
}

/** For all of what git is asked about one version. */
const GIT_DEADLINE_MS = 300_000;

async function publish(words: readonly string[], options: PublishOptions): Promise<void> {
  const { directory, version } = argumentsOf(words);
  const from = sourceNamed(options.from);
  const git: GitSettings = { searchPath: process.env['PATH'] ?? '', deadline: GIT_DEADLINE_MS };
  const scratch = await mkdtemp(path.join(tmpdir(), 'gokeep-publish-'));
  try {
    const release = await releaseSource({ directory, version, path: options.module, from, git, scratch });
    const request = { path: release.path, version, source: release.source, scratch };
    options.signature.forEach(bundleText);
    if (options.dryRun === true) await dryRun(request, release, options);
    else await upload(request, release, options);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function dryRun(request: ModuleRequest, release: Release, options: PublishOptions): Promise<void> {
  const found = await inspectModule(request);
  const made = found.problem === undefined ? await madeZip(request) : undefined;
  if (made !== undefined && options.output !== undefined) await copyFile(made.file, options.output);
  if (options.json === true) printJson(describe(request, release, made ?? found, { published: false }));
  else {
    printLines([
      ...found.files.map(({ path: name, size }) => `${String(size).padStart(10)}  ${name}`),
      ...found.omitted.map(({ path: name, reason }) => `left out: ${name}: ${reason}`),
      ...found.invalid.map(({ path: name, reason }) => `not allowed: ${name}: ${reason}`),
      made === undefined
        ? (found.problem?.message ?? '')
        : `${request.path}@${request.version}: ${found.files.length} files, ${made.size} bytes, ${made.h1}`,
      'dry run: nothing was published',
    ]);
  }
  if (made === undefined) exitFound();
}

async function upload(request: ModuleRequest, release: Release, options: PublishOptions): Promise<void> {
  using progress = new Progress();
  // Before the work of packing, since it is what most often is not as it should be.
  await using server = await ServerClient.open(options, process.env);
  progress.show(() => 'packing');
  const made = await madeZip(request);
  if (options.output !== undefined) await copyFile(made.file, options.output);
  await sendSignatures(server, request.path, request.version, options.signature);
  const headers: Record<string, string> = {
    'content-type': 'application/zip',
    'content-length': String(made.size),
  };
  const subdirectory = release.source.kind === 'git' ? release.source.subdirectory : '';
  if (made.commit !== undefined)
    headers['gokeep-info'] = formatClaim(claimOf(made.commit, release.ref, subdirectory));
  const target = formatModuleRequest({ kind: 'zip', path: request.path, version: request.version });
  const body = Readable.from(
    counted(made.file, (bytes) => progress.show(() => `sending: ${Math.floor(bytes / 2 ** 20)} MiB`)),
    { objectMode: false },
  );
  const { status, text } = await server.send('PUT', target, { headers, body });
  progress.clear();
  const { zip } = JSON.parse(text) as { zip?: unknown };
  if (zip !== made.h1)
    throw new GokeepError(
      'mismatch',
      `SECURITY: ${server.url} has recorded ${String(zip)} for ${request.path}@${request.version}, and ${made.h1} was sent.`,
    );
  const added = status === 201;
  if (options.json === true)
    printJson(describe(request, release, made, { published: true, added, url: server.url }));
  else {
    const what = added ? 'published' : 'had been published before, with the same bytes';
    printLines([`${request.path}@${request.version} ${what}`, `${made.files.length} files, ${made.h1}`]);
  }
}

async function madeZip(request: ModuleRequest): Promise<ModuleZip> {
  const made = await moduleZip(request, path.join(request.scratch, 'module.zip'));
  await checkSameGoMod(made, request.path, request.version);
  return made;
}

function describe(
  request: ModuleRequest,
  release: Release,
  made: ModuleFiles | ModuleZip,
  outcome: { readonly published: boolean; readonly added?: boolean; readonly url?: string },
) {
  const { files, omitted, invalid, commit, goMod, problem } = made;
  const packed = 'h1' in made ? { size: made.size, h1: made.h1 } : { size: null, h1: null };
  return {
    path: request.path,
    version: request.version,
    from: release.ref ?? 'directory',
    commit: commit?.hash ?? null,
    time: commit === undefined ? null : isoTime(commit.time.getTime()),
    ...packed,
    goModH1: goMod === undefined ? null : h1OfGoMod(goMod),
    files,
    omitted,
    invalid,
    problem: problem?.message ?? null,
    ...outcome,
  };
}

async function* counted(file: string, sent: (bytes: number) => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    yield chunk as Buffer;
    sent((bytes += (chunk as Buffer).length));
  }
}

function argumentsOf(words: readonly string[]): { directory: string; version: string } {
  const [first = '', second, ...more] = words;
  if (more.length > 0)
    throw new GokeepError('bad_request', 'Give a directory and a version: gokeep publish [DIR] v1.2.3.');
  const { directory, version } =
    second === undefined ? { directory: '.', version: first } : { directory: first, version: second };
  if (!/^v[0-9]/.test(version))
    throw new GokeepError('bad_version', `${JSON.stringify(version)} is no version such as v1.2.3.`);
  return { directory, version };
}

function sourceNamed(from: string | undefined): 'tag' | 'directory' | undefined {
  if (from === undefined || from === 'tag' || from === 'directory') return from;
  throw new GokeepError('bad_request', `--from ${from}: is neither tag nor directory`);
}

export function addPublish(program: Command): void {
  withServerOptions(program.command('publish'))
    .description('pack a version of your own module as go would, and publish it')
    .usage('[options] [DIR] VERSION')
    .argument('<words...>', "the module's directory (default: here), and the version")
    .option('--from <source>', 'tag: what the git tag holds; directory: the files as they lie there')
    .option('--module <path>', 'the module path, where there is no go.mod')
    .option('--dry-run', 'print what would be published, and send nothing')
    .option('--output <file>', 'write the zip there too, with --dry-run to be signed before it is published')
    .option(
      '--signature <file>',
      'bundle that cosign wrote when it signed the zip; may be given again',
      (file: string, before: string[]) => [...before, file],
      [],
    )
    .action((words: string[], options: PublishOptions) => publish(words, options));
}
