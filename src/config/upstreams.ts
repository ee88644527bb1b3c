import { execFileSync } from 'node:child_process';
import { GokeepError } from '../errors.ts';
import type { IsOurs } from './own-address.ts';
import type { UpstreamSettings } from './schema.ts';
import { type Environment, variable } from './variable.ts';

/** One row of the upstream routing table, files still as paths. */
export interface UpstreamConfig {
  readonly match: readonly string[];
  readonly private: boolean;
  /** GOPROXY syntax. */
  readonly proxy: string;
  readonly ca: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
  /** Proxy URL to go out through; 'none' for no proxy whatever the environment says. */
  readonly egress: string | undefined;
  readonly netrc: string | undefined;
  readonly allowAddresses: readonly string[];
}

function askGo(go: string, env: Environment): string {
  try {
    return execFileSync(go, ['env', 'GOPROXY'], { encoding: 'utf8', timeout: 20_000, env }).trim();
  } catch (error) {
    throw new GokeepError(
      'bad_config',
      'upstream.proxy is not set, and there is no go command here to ask for its GOPROXY; set upstream.proxy (or GOKEEP_UPSTREAM)',
      { cause: error },
    );
  }
}

const entries = (proxyList: string): string[] => proxyList.split(/[,|]/);

/**
 * What `go env GOPROXY` says on this host: Go's own way of naming the default, so that we name none.
 *
 * Where that is this very server, since somebody follows our own advice on our own host, it is what the go command would
 * say without that setting.
 */
function hostGoproxy(env: Environment, go: string, isOurs: IsOurs): string {
  const said = variable(env, 'GOPROXY') ?? askGo(go, env);
  if (!entries(said).some(isOurs)) return said;
  const { GOPROXY: _ours, ...others } = env;
  return notOurs(askGo(go, { ...others, GOENV: 'off' }), isOurs);
}

function notOurs(proxyList: string, isOurs: IsOurs): string {
  const ours = entries(proxyList).find(isOurs);
  if (ours === undefined) return proxyList;
  throw new GokeepError(
    'bad_config',
    `upstream.proxy: ${ours.trim()} is this server itself, which cannot be its own upstream; name another (upstream.proxy or GOKEEP_UPSTREAM)`,
  );
}

/** The one database that the rows name, if any does. Throws bad_config when they disagree. */
export function oneSumdb(rows: readonly UpstreamSettings[]): string | undefined {
  const named = new Set(rows.map((row) => row.sumdb).filter((name) => name !== undefined));
  if (named.size > 1) {
    throw new GokeepError('bad_config', 'upstream.sumdb: only one database can prove public modules');
  }
  return [...named][0];
}

export interface ResolveOptions {
  readonly env: Environment;
  /** The go command. */
  readonly go: string;
  readonly offline: boolean;
  /** Makes a path from the configuration file absolute. */
  readonly fromFile: (value: string | undefined) => string | undefined;
  readonly isOurs: IsOurs;
}

/** The routing table. Throws bad_config, naming the key. */
export function resolveUpstreams(rows: readonly UpstreamSettings[], o: ResolveOptions): UpstreamConfig[] {
  const { env, go, offline, fromFile, isOurs } = o;
  const override = variable(env, 'GOKEEP_UPSTREAM');
  return rows.map((row, at) => {
    const isShorthand = rows.length === 1 && row.match === undefined;
    if (override !== undefined && !isShorthand) {
      throw new GokeepError(
        'bad_config',
        'GOKEEP_UPSTREAM: the configuration file has a table of upstreams, so one address cannot stand for all; change the file, or unset the variable',
      );
    }
    const proxy = override ?? row.proxy;
    if (proxy === undefined && !isShorthand) {
      throw new GokeepError('bad_config', `upstream[${at}].proxy: an entry with match needs a proxy`);
    }
    return {
      match: row.match ?? [],
      private: row.private ?? false,
      // Offline nothing is asked, so nothing is looked up: a closed host may have no go command.
      proxy: proxy === undefined ? (offline ? 'off' : hostGoproxy(env, go, isOurs)) : notOurs(proxy, isOurs),
      ca: fromFile(row.ca),
      clientCert: fromFile(row.client_cert),
      clientKey: fromFile(row.client_key),
      egress: row.egress,
      netrc: fromFile(row.netrc),
      allowAddresses: row.allow_addresses ?? [],
    };
  });
}
