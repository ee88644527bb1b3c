import { type Command, InvalidArgumentError } from 'commander';
import { bytes as parseBytes } from '../config/units.ts';
import { dayOption } from './day-option.ts';
import { type JobOptions, withJobOption } from './job-mode.ts';
import { type SharedOptions, withSharedOptions } from './shared-options.ts';

export interface CreateOptions extends SharedOptions, JobOptions {
  readonly output: string;
  readonly all?: true;
  readonly servedSince?: number;
  readonly tests?: true;
  readonly toolchain: string[];
  readonly platform: string[];
  readonly vulndb?: string;
  readonly since: string[];
  readonly split?: number;
  readonly skipMissing?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

const several = (value: string, before: string[]): string[] => [...before, value];

function toolchain(value: string, before: string[]): string[] {
  if (value !== 'auto' && !/^go1\.[0-9]+(\.[0-9]+|rc[0-9]+|beta[0-9]+)?$/.test(value))
    throw new InvalidArgumentError('give a toolchain such as go1.26.9, or "auto"');
  return [...before, value];
}

function platform(value: string, before: string[]): string[] {
  if (!/^[a-z0-9]+\/[a-z0-9]+$/.test(value))
    throw new InvalidArgumentError('give a platform such as linux/amd64');
  return [...before, value];
}

function size(value: string): number {
  const parsed = parseBytes(value, '--split');
  if (parsed < 2 ** 20) throw new InvalidArgumentError('a part has 1MiB or more');
  return parsed;
}

export function withCreateOptions(command: Command): Command {
  return withJobOption(withSharedOptions(command))
    .argument('[input...]', 'go.mod, go.sum, go.work, SBOM, wish list, source directory or module@version')
    .requiredOption('--output <file>', 'where to write it; a name that ends in .zst is compressed')
    .option('--all', 'everything that the store holds')
    .option('--served-since <date>', 'everything that was served on this day (UTC) or later', dayOption)
    .option('--vulndb <source>', 'a vulnerability database too: its URL, or a directory')
    .option('--tests', 'also what only tests of dependencies need')
    .option(
      '--toolchain <go1.x.y>',
      'a Go toolchain, or "auto" for those that the inputs ask for',
      toolchain,
      [],
    )
    .option('--platform <os/arch>', 'of the toolchains; this machine’s when not given', platform, [])
    .option(
      '--since <bundle>',
      'only what is not in this earlier bundle: its file, id, or the other side’s manifest',
      several,
      [],
    )
    .option('--split <size>', 'write parts of at most this size, such as 4GB', size)
    .option('--skip-missing', 'leave out what cannot be had, and exit with 1')
    .option('--dry-run', 'say what would go in, and write nothing')
    .option('--json', 'print one JSON document');
}
