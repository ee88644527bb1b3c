import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '../config/load.ts';
import { UpstreamChain } from '../upstream/chain.ts';
import { parseProxyList } from '../upstream/proxy-list.ts';
import { namedServer, type ServerOptions } from './server-client.ts';
import { httpAccess } from './upstreams.ts';

/** What this machine's go command is told. */
export interface GoSettings {
  readonly goproxy: string;
  readonly gosumdb: string;
  readonly gopath: string;
}

/** From the environment, else from `go env` where there is a go command. */
export async function goSettings(env: NodeJS.ProcessEnv): Promise<GoSettings> {
  let [goproxy = '', gosumdb = '', gopath = ''] = [env['GOPROXY'], env['GOSUMDB'], env['GOPATH']];
  if (goproxy === '' || gosumdb === '' || gopath === '') {
    const asked = await promisify(execFile)('go', ['env', 'GOPROXY', 'GOSUMDB', 'GOPATH'], {
      env,
      timeout: 10_000,
    }).then(
      ({ stdout }) => stdout.split('\n'),
      () => [],
    );
    goproxy ||= asked[0] ?? '';
    gosumdb ||= asked[1] ?? '';
    gopath ||= asked[2] || path.join(homedir(), 'go');
  }
  return { goproxy: goproxy || 'off', gosumdb: gosumdb || 'sum.golang.org', gopath };
}

export interface ClientChain extends AsyncDisposable {
  readonly chain: UpstreamChain;
}

/**
 * What a client's commands fetch through: the server that they name, which alone gets the token, else GOPROXY.
 *
 * @throws bad_config
 */
export function openClientChain(config: Config, options: ServerOptions, go: GoSettings): ClientChain {
  const { named, token } = namedServer(options, process.env);
  const netrc = process.env['NETRC'] || path.join(homedir(), '.netrc');
  const access = httpAccess(
    config,
    {
      match: [],
      private: true,
      proxy: '',
      ca: options.ca,
      clientCert: undefined,
      clientKey: undefined,
      egress: undefined,
      netrc: existsSync(netrc) ? netrc : undefined,
      allowAddresses: [],
    },
    'gokeep-client',
  );
  // What follows the proxies is the database itself: nothing is fetched from version control.
  const proxies = parseProxyList(named ?? go.goproxy).filter(({ kind }) => kind !== 'direct');
  const bound =
    named === undefined || token === undefined
      ? undefined
      : // As netrc has it: any user name, the token as the password.
        { origin: new URL(named).origin, credentials: { username: 'token', password: token } };
  const chain = new UpstreamChain({ ...access, proxies, bound });
  return { chain, [Symbol.asyncDispose]: () => chain.close() };
}
