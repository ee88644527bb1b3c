import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { Agent, type Dispatcher } from 'undici';
import { fileChunks, partsOf } from '../airgap/archive.ts';
import { BadBundle } from '../airgap/import.ts';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { isDataDirectoryLocked } from '../store/process-lock.ts';
import { shownCounts } from './bundle-counts.ts';
import { openImportSite } from './import-site.ts';
import { localActor } from './local-trail.ts';
import { exitFound, printJson, printLines } from './output.ts';
import { type OwnCredentials, ownCredentials } from './own-credentials.ts';
import { Progress } from './progress.ts';
import { listeningUrl } from './server-listen.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface ImportedNow {
  readonly id: string;
  readonly added: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly zips: number;
  readonly mods: number;
  readonly signatures: number;
}

interface ImportOptions extends SharedOptions {
  readonly json?: true;
}

async function importBundles(files: string[], options: ImportOptions): Promise<void> {
  const config = loadLocal(options);
  for (const file of files) checkFile(file);
  const done: (ImportedNow & { file: string })[] = [];
  try {
    await eachInto(config, files, (file, imported) => {
      done.push({ file, ...imported });
      if (options.json === true) return;
      const what = imported.added
        ? `imported: ${shownCounts(imported)}`
        : 'had been imported before; nothing was done';
      printLines([`bundle ${imported.id} ${what}`]);
    });
  } catch (error) {
    if (!(error instanceof BadBundle)) throw error;
    if (options.json === true) printJson({ imported: done, problems: error.problems });
    else printLines([...error.problems, 'nothing of this bundle was imported']);
    return exitFound();
  }
  if (options.json === true) printJson({ imported: done, problems: [] });
}

/** By the server that uses the data directory, or where none does, in this process. */
async function eachInto(
  config: Config,
  files: readonly string[],
  tell: (file: string, imported: ImportedNow) => void,
): Promise<void> {
  using progress = new Progress();
  const show = (what: string, count: number) => progress.show(() => `${what}: ${count} files`);
  if (isDataDirectoryLocked(config.data)) {
    using credentials = ownCredentials(config);
    for (const file of files) {
      const imported = await upload(config, credentials, file, (bytes) =>
        progress.show(() => `sending: ${Math.floor(bytes / 2 ** 20)} MiB`),
      );
      progress.clear();
      tell(file, imported);
    }
    return;
  }
  await using site = await openImportSite(config);
  for (const file of files) {
    const { id, added, facts } = await site.bundles.run(fileChunks(path.resolve(file)), {
      onProgress: show,
      by: localActor(),
    });
    progress.clear();
    tell(file, { id, added, ...facts });
  }
}

async function upload(
  config: Config,
  { headers }: OwnCredentials,
  file: string,
  sent: (bytes: number) => void,
): Promise<ImportedNow> {
  const url = listeningUrl(config);
  // The bundle carries its own proof; a certificate for another name does not matter on the way to ourselves.
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { rejectUnauthorized: false },
  });
  const counted = (async function* () {
    let bytes = 0;
    for await (const chunk of fileChunks(path.resolve(file))) {
      // The request holds several at a time.
      yield Buffer.from(chunk);
      sent((bytes += chunk.length));
    }
  })();
  const answer = await agent
    .request({
      origin: url,
      path: '/api/v1/bundles',
      method: 'PUT',
      headers: { ...headers, accept: 'application/json' },
      body: Readable.from(counted, { objectMode: false }),
    })
    .catch((error: unknown) => {
      if (error instanceof GokeepError) throw error;
      throw new GokeepError(
        'upstream_unreachable',
        `the gokeep server at ${url}, which uses this data directory, broke off; see its log and import the bundle again`,
        { cause: error },
      );
    });
  try {
    if (answer.statusCode < 300) return (await answer.body.json()) as ImportedNow;
    throw await refusal(answer);
  } finally {
    await agent.destroy();
  }
}

/** What this process would have thrown had it imported the bundle itself. */
async function refusal({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<GokeepError> {
  const said = await body.text();
  const isJson = headers['content-type'] === 'application/json';
  const { error, problems } = isJson
    ? (JSON.parse(said) as { error: string; problems: string[] })
    : { error: said.replaceAll(/\s+/g, ' ').trim(), problems: [] };
  if (problems.length > 0) return new BadBundle(problems);
  return new GokeepError(statusCode === 422 ? 'bad_bundle' : 'upstream_failed', error);
}

function checkFile(file: string): void {
  for (const part of partsOf(path.resolve(file))) {
    if (!existsSync(part) || !statSync(part).isFile())
      throw new GokeepError(
        'bad_request',
        `${file}: is no file; give the bundle, or the first part (.001) of a split one`,
      );
  }
}

export function addImport(bundle: Command): void {
  withSharedOptions(bundle.command('import'))
    .description('check a bundle and take it in, all of it or nothing (beside a running server too)')
    .argument('<file...>', 'bundles in their order; of a split one the first part')
    .option('--json', 'print one JSON document')
    .action((files: string[], options: ImportOptions) => importBundles(files, options));
}
