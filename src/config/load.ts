import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import { type AccessConfig, resolveAccess } from './access.ts';
import { checkReplica, trustedKeys } from './bundles.ts';
import { type GitHostConfig, resolveGitHosts, unfitForSsh } from './git-hosts.ts';
import { type MonitorConfig, resolveMonitor } from './monitor.ts';
import { ownAddress } from './own-address.ts';
import { parseSettings } from './parse.ts';
import type { Settings } from './schema.ts';
import { type SigningConfig, signingRules } from './signing.ts';
import { bytes, milliseconds } from './units.ts';
import { oneSumdb, resolveUpstreams, type UpstreamConfig } from './upstreams.ts';
import { type Environment, parseBoolean, variable } from './variable.ts';

export type { GitHostConfig } from './git-hosts.ts';
export type { MonitorConfig, WebhookConfig } from './monitor.ts';
export type { UpstreamConfig } from './upstreams.ts';

/** Everything the program can be told, resolved: paths absolute, durations in ms, sizes in bytes. */
export interface Config {
  /** The file that was read, if any. */
  readonly file: string | undefined;
  readonly listen: { readonly host: string; readonly port: number };
  readonly data: string;
  readonly url: string | undefined;
  /** Paths that never leave: what `private` says, and what private upstream entries match. */
  readonly private: readonly string[];
  readonly access: AccessConfig;
  /** True for a replica too. */
  readonly offline: boolean;
  /** Serve the log of `bundles.trust[0]`, which is not ours to sign. */
  readonly replica: boolean;
  /** Verifier keys of the gokeeps whose bundles may be imported; exactly one in a replica. */
  readonly bundles: {
    readonly trust: readonly string[];
    /** Bytes and milliseconds that what was made over the network may wait to be fetched. */
    readonly madeSize: number;
    readonly madeAge: number;
  };
  /** Who may sign which modules; the first that matches a path counts. */
  readonly signing: readonly SigningConfig[];
  readonly upstreams: readonly UpstreamConfig[];
  /** GOSUMDB syntax, or 'off'. */
  readonly upstreamSumdb: string;
  readonly timeouts: {
    readonly connect: number;
    readonly head: number;
    readonly body: number;
    readonly direct: number;
    readonly minRate: number;
    readonly rateWindow: number;
  };
  readonly refreshTtl: number;
  readonly direct: {
    readonly go: string | undefined;
    readonly gitconfig: string | undefined;
    readonly netrc: string | undefined;
    readonly insecure: readonly string[];
    readonly protocols: readonly string[];
    readonly sshKey: string | undefined;
    readonly sshKnownHosts: string | undefined;
    readonly ca: string | undefined;
    readonly concurrency: number;
    readonly maxRepository: number;
  };
  /** How to get at private repositories. */
  readonly git: readonly GitHostConfig[];
  /** Whether private repositories are compared with the log, and who is told. */
  readonly monitor: MonitorConfig;
  readonly sumdb: { readonly name: string | undefined; readonly key: string; readonly mark: string };
  readonly cache: { readonly memory: number; readonly smallFile: number; readonly diskReserve: number };
  readonly prefetchConcurrency: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** PATH, for the go command that `direct` runs. */
  readonly path: string;
  readonly trustProxy: readonly string[];
  /** URI prefix under which a front server holds the module files; undefined: we send them. */
  readonly accelRedirect: string | undefined;
  readonly metricsListen: { readonly host: string; readonly port: number } | undefined;
  readonly maxConnections: number;
  readonly drainDelay: number;
  readonly logLevel: string;
  readonly logRequests: boolean;
  /** HTTPS_PROXY and its kin, as the process was given them. */
  readonly environmentProxies: {
    readonly http: string | undefined;
    readonly https: string | undefined;
    readonly none: string | undefined;
  };
}

export interface LoadOptions {
  readonly env: Environment;
  readonly cwd: string;
  /** `--config` and `--data` of a command. */
  readonly configFile?: string | undefined;
  readonly data?: string | undefined;
}

function parseListen(value: string, key: string): { host: string; port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*):([0-9]{1,5})$/.exec(value);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65_535) {
    throw new GokeepError('bad_config', `${key}: ${JSON.stringify(value)} is not host:port`);
  }
  return { host: match[1].replace(/^\[|\]$/g, '') || '0.0.0.0', port };
}

const splitList = (value: string): string[] => value.split(',').filter((part) => part !== '');

function readSettings(options: LoadOptions): { settings: Settings; file: string | undefined } {
  const named = options.configFile ?? variable(options.env, 'GOKEEP_CONFIG');
  const file = path.resolve(options.cwd, named ?? 'gokeep.toml');
  if (named === undefined && !existsSync(file)) return { settings: { version: 1 }, file: undefined };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new GokeepError('bad_config', `${file}: the configuration file cannot be read`, { cause: error });
  }
  return { settings: parseSettings(text, file), file };
}

/**
 * Configuration from file, environment and flags; later ones win. Relative paths in the file are relative to it.
 *
 * Throws bad_config with a sentence that names the key.
 */
export function loadConfig(options: LoadOptions): Config {
  const { settings: s, file } = readSettings(options);
  const { env, cwd } = options;
  const base = file === undefined ? cwd : path.dirname(file);
  const fromFile = (value: string | undefined) =>
    value === undefined ? undefined : path.resolve(base, value);
  const ms = (value: string | undefined, fallback: number, key: string) =>
    value === undefined ? fallback : milliseconds(value, key);
  const size = (value: string | undefined, fallback: number, key: string) =>
    value === undefined ? fallback : bytes(value, key);

  const override = options.data ?? variable(env, 'GOKEEP_DATA');
  const data = override === undefined ? path.resolve(base, s.data ?? 'data') : path.resolve(cwd, override);
  const saidOffline = variable(env, 'GOKEEP_OFFLINE');
  const trust = trustedKeys(s);
  const replica = s.replica ?? false;
  if (replica) checkReplica(s, env, trust);
  const offline =
    replica ||
    (saidOffline === undefined ? (s.offline ?? false) : parseBoolean(saidOffline, 'GOKEEP_OFFLINE'));
  const listen = parseListen(variable(env, 'GOKEEP_LISTEN') ?? s.listen ?? '127.0.0.1:8787', 'listen');
  const url = s.url?.replace(/\/+$/, '');
  const upstreams = resolveUpstreams(s.upstream ?? [{}], {
    env,
    go: s.direct?.go ?? 'go',
    offline,
    fromFile,
    isOurs: ownAddress(listen, url, s.tls !== undefined),
  });
  for (const key of ['ssh_key', 'ssh_known_hosts'] as const) {
    const why = unfitForSsh(s.direct?.[key]);
    if (why !== undefined) throw new GokeepError('bad_config', `direct.${key}: ${why}`);
  }
  const ofEnvironment = variable(env, 'GOKEEP_PRIVATE');
  const said = ofEnvironment === undefined ? (s.private ?? []) : splitList(ofEnvironment);
  return {
    file,
    listen,
    data,
    url,
    private: [...new Set([...said, ...upstreams.filter((row) => row.private).flatMap((row) => row.match)])],
    access: resolveAccess(s.access ?? {}, {
      env,
      listen,
      url,
      behindFront: (s.http?.trust_proxy ?? []).length > 0 || s.http?.accel_redirect !== undefined,
      tls: s.tls !== undefined,
      fromFile,
    }),
    offline,
    replica,
    bundles: {
      trust,
      madeSize: size(s.bundles?.made_size, 20e9, 'bundles.made_size'),
      madeAge: ms(s.bundles?.made_age, 168 * 3_600_000, 'bundles.made_age'),
    },
    signing: signingRules(s.signing ?? [], (name) => path.resolve(base, name)),
    upstreams,
    upstreamSumdb: variable(env, 'GOKEEP_UPSTREAM_SUMDB') ?? oneSumdb(s.upstream ?? []) ?? 'sum.golang.org',
    timeouts: {
      connect: ms(s.timeouts?.connect, 10_000, 'timeouts.connect'),
      head: ms(s.timeouts?.head, 60_000, 'timeouts.head'),
      body: ms(s.timeouts?.body, 90_000, 'timeouts.body'),
      direct: ms(s.timeouts?.direct, 300_000, 'timeouts.direct'),
      minRate: size(s.timeouts?.min_rate, 1024, 'timeouts.min_rate'),
      rateWindow: ms(s.timeouts?.rate_window, 30_000, 'timeouts.rate_window'),
    },
    refreshTtl: ms(s.refresh?.ttl, 60_000, 'refresh.ttl'),
    direct: {
      go: s.direct?.go,
      gitconfig: fromFile(s.direct?.gitconfig),
      netrc: fromFile(s.direct?.netrc),
      insecure: s.direct?.insecure ?? [],
      protocols: s.direct?.protocols ?? ['https', 'ssh'],
      sshKey: fromFile(s.direct?.ssh_key),
      sshKnownHosts: fromFile(s.direct?.ssh_known_hosts),
      ca: fromFile(s.direct?.ca),
      concurrency: s.direct?.concurrency ?? 4,
      maxRepository: size(s.direct?.max_repository, 4 * 2 ** 30, 'direct.max_repository'),
    },
    git: resolveGitHosts(s.git ?? [], fromFile),
    monitor: resolveMonitor(s, offline, fromFile),
    sumdb: {
      name: variable(env, 'GOKEEP_SUMDB_NAME') ?? s.sumdb?.name,
      key: fromFile(s.sumdb?.key) ?? path.join(data, 'sumdb.key'),
      mark: fromFile(s.sumdb?.mark) ?? path.join(data, 'sumdb.mark'),
    },
    cache: {
      memory: size(s.cache?.memory, 64 * 2 ** 20, 'cache.memory'),
      smallFile: size(s.cache?.small_file, 256 * 2 ** 10, 'cache.small_file'),
      diskReserve: size(s.cache?.disk_reserve, 256 * 2 ** 20, 'cache.disk_reserve'),
    },
    prefetchConcurrency: s.prefetch?.concurrency ?? 8,
    tls:
      s.tls === undefined
        ? undefined
        : { cert: path.resolve(base, s.tls.cert), key: path.resolve(base, s.tls.key) },
    path: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    trustProxy: s.http?.trust_proxy ?? [],
    accelRedirect: s.http?.accel_redirect,
    metricsListen:
      s.http?.metrics_listen === undefined
        ? undefined
        : parseListen(s.http.metrics_listen, 'http.metrics_listen'),
    maxConnections: s.http?.max_connections ?? 10_000,
    drainDelay: ms(s.http?.drain_delay, 0, 'http.drain_delay'),
    logLevel: s.log?.level ?? 'info',
    logRequests: s.log?.requests ?? true,
    environmentProxies: {
      http: env['HTTP_PROXY'] ?? env['http_proxy'],
      https: env['HTTPS_PROXY'] ?? env['https_proxy'],
      none: env['NO_PROXY'] ?? env['no_proxy'],
    },
  };
}
