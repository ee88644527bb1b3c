import type { Command } from 'commander';
import type { ServerOptions } from './server-client.ts';

/** Options of every command that talks to a server. */
export interface TalkingOptions extends ServerOptions {
  readonly json?: true;
}

export function withServerOptions(command: Command): Command {
  return command
    .option(
      '--url <url>',
      'address of the gokeep server (default: GOKEEP_URL, else the first one in GOPROXY, without a token)',
    )
    .option('--token-file <file>', 'file that holds a token (default: GOKEEP_TOKEN, else netrc)')
    .option('--ca <file>', 'PEM file of the certificate authorities to trust')
    .option('--json', 'print one JSON document');
}
