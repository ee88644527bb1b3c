import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { checkedSettings, type SetupSettings } from '../client/setup/settings.ts';
import type { SetupFile } from '../client/setup/target.ts';
import { setupFiles, TARGETS, targetNamed, undoFiles } from '../client/setup/targets.ts';
import { GokeepError } from '../errors.ts';
import { fileText } from './file-text.ts';
import { readVerifierKey } from './local-log.ts';
import { printLines } from './output.ts';
import { listeningUrl } from './server-listen.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface SetupOptions extends SharedOptions {
  readonly for: string;
  readonly url?: string;
  readonly sumdb?: string;
  readonly anonymous?: true;
  readonly ca?: string;
  readonly output?: string;
  readonly undo?: true;
}

/** On a client both are given; beside the server the configuration and the key say them. */
function settingsFrom(options: SetupOptions): SetupSettings {
  const ca = fileText(options.ca, '--ca');
  if (options.url !== undefined && options.sumdb !== undefined)
    return checkedSettings({
      url: options.url,
      vkey: options.sumdb,
      credentials: options.anonymous !== true && options.url.startsWith('https:'),
      ca,
    });
  const config = loadLocal(options);
  return checkedSettings({
    url: options.url ?? config.url ?? listeningUrl(config),
    vkey: options.sumdb ?? readVerifierKey(config).vkey,
    credentials: options.anonymous !== true && config.access.required,
    ca,
  });
}

function write(directory: string, file: SetupFile): string {
  const name = path.join(directory, ...file.name.split('/'));
  mkdirSync(path.dirname(name), { recursive: true });
  // Somebody's own Dockerfile may well stand there.
  if (differs(name, file.text))
    throw new GokeepError(
      'bad_config',
      `${name} is there already, with other content: nothing was overwritten.`,
    );
  writeFileSync(name, file.text);
  return name;
}

function differs(name: string, text: string): boolean {
  try {
    return readFileSync(name, 'utf8') !== text;
  } catch {
    return false;
  }
}

function setup(options: SetupOptions): void {
  const target = targetNamed(options.for);
  const settings = settingsFrom(options);
  const files = options.undo === true ? undoFiles(target, settings) : setupFiles(target, settings);
  if (files === undefined) {
    printLines([target.undo(settings)]);
    return;
  }
  const { output } = options;
  const [only] = files;
  if (output !== undefined) {
    printLines(files.map((file) => `${file.sha256}  ${write(output, file)}`));
    console.error(`Undo: ${target.undo(settings)}`);
  } else if (files.length === 1 && only !== undefined) process.stdout.write(only.text);
  else
    throw new GokeepError(
      'bad_request',
      `The setup for ${target.name} has ${files.length} files: say where to, with --output DIRECTORY.`,
    );
}

export function addSetup(program: Command): void {
  withSharedOptions(program.command('setup'))
    .description('print or write what sets up a client, or takes it back')
    .requiredOption('--for <target>', `one of ${TARGETS.map(({ name }) => name).join(', ')}`)
    .option('--url <url>', 'address that clients use (default: that of the configuration)')
    .option('--sumdb <vkey>', 'verifier key of the checksum database (default: that of the data directory)')
    .option('--anonymous', 'clients need no token (default: as access.required says)')
    .option('--ca <file>', 'PEM file of a private certificate authority that clients have to trust')
    .option('--output <directory>', 'write the files there; nothing that differs is overwritten')
    .option('--undo', 'what takes it back')
    .action((options: SetupOptions) => setup(options));
}
