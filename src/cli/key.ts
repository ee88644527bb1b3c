import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Command } from 'commander';
import { GokeepError } from '../errors.ts';
import { openKeyFile } from '../sumdb/key-file.ts';
import { readVerifierKey } from './local-log.ts';
import { printJson, printLines } from './output.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

function show(options: SharedOptions & { readonly json?: true }): void {
  const { name, vkey } = readVerifierKey(loadLocal(options));
  if (options.json === true) printJson({ name, vkey });
  else printLines([vkey]);
}

interface GenerateOptions {
  readonly name: string;
  readonly output: string;
  readonly json?: true;
}

function generate({ name, output, json }: GenerateOptions): void {
  const file = path.resolve(output);
  const { vkey, created } = openKeyFile(file, name, randomBytes(36), process.getuid?.());
  if (!created) throw new GokeepError('bad_config', `${file}: there is a key already; it was left as it is`);
  if (json === true) printJson({ name, vkey, file });
  else printLines([vkey]);
}

export function addKey(program: Command): void {
  const key = program.command('key').description("the log's signing key");
  withSharedOptions(key.command('show'))
    .description('print the verifier key, which clients put into GOSUMDB')
    .option('--json', 'print one JSON document')
    .action((options: SharedOptions & { json?: true }) => show(options));
  key
    .command('generate')
    .description('make a key file for sumdb.key, and print its verifier key')
    .requiredOption(
      '--name <name>',
      'name of the checksum database, such as sum.corp.example; it can never change',
    )
    .requiredOption('--output <file>', 'where to write the key; nothing is overwritten')
    .option('--json', 'print one JSON document')
    .action((options: GenerateOptions) => generate(options));
}
