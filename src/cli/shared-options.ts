import type { Command } from 'commander';
import { type Config, loadConfig } from '../config/load.ts';

/** Options that every local command takes. */
export interface SharedOptions {
  readonly config?: string;
  readonly data?: string;
}

export function withSharedOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: gokeep.toml here, if there is one)')
    .option('--data <directory>', 'directory of everything that is kept');
}

/** The configuration that the options and this process's environment name. Throws bad_config. */
export function loadFor(options: SharedOptions): Config {
  return loadConfig({
    env: process.env,
    cwd: process.cwd(),
    configFile: options.config,
    data: options.data,
  });
}

/** As {@link loadFor}, for a command that goes nowhere: the host's go command is not asked where modules come from. */
export function loadLocal(options: SharedOptions): Config {
  return loadConfig({
    env: { ...process.env, GOPROXY: process.env['GOPROXY'] || 'off' },
    cwd: process.cwd(),
    configFile: options.config,
    data: options.data,
  });
}
