import type { Command } from 'commander';
import { settingsLines } from '../http/start-page.ts';
import { loadFor, type SharedOptions, withSharedOptions } from './shared-options.ts';
import type { RunningServer } from './server.ts';

/** Beyond the time to drain: for the last records and heads to become durable. */
const CLOSE_MS = 10_000;

function banner(server: RunningServer): string {
  const { bash, powershell } = settingsLines(server.settings);
  return [
    '',
    `gokeep is serving on ${server.settings.url}`,
    '',
    '  bash, zsh:',
    ...bash.map((line) => `    ${line}`),
    '  PowerShell:',
    ...powershell.map((line) => `    ${line}`),
    '',
    ...server.warnings.map((warning) => `  note: ${warning}`),
    ...(server.warnings.length === 0 ? [] : ['']),
  ].join('\n');
}

async function serve(options: SharedOptions): Promise<void> {
  const config = loadFor(options);
  // Loaded here, so that no other command waits for what only the server needs.
  const { DRAIN_MS, startServer } = await import('./server.ts');
  const server = await startServer(config, {
    onFatal: (error) => {
      console.error(
        `gokeep: storage failed, ending so that nothing is written on top of it: ${error.message}`,
      );
      process.exit(70);
    },
  });
  console.error(banner(server));
  let closing = false;
  const stop = () => {
    if (closing) return;
    closing = true;
    setTimeout(() => process.exit(1), config.drainDelay + DRAIN_MS + CLOSE_MS).unref();
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('gokeep: could not close cleanly:', error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    try {
      server.reload();
    } catch (error) {
      console.error('gokeep: the new certificate does not load; the old one stays in use:', error);
    }
  });
}

export function addServe(program: Command): void {
  withSharedOptions(program.command('serve'))
    .description('serve modules and the checksum database')
    .action((options: SharedOptions) => serve(options));
}
