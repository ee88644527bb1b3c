import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { Agent } from 'undici';
import { GokeepError } from '../errors.ts';
import { netrcCredentials, parseNetrc } from '../upstream/netrc.ts';

/** Options of the commands that talk to a server. */
export interface ServerOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

export interface ServerAnswer {
  readonly status: number;
  readonly text: string;
}

/** Far longer than it takes to judge the largest zip. */
const ANSWER_MS = 600_000;

/**
 * The gokeep that commands send modules and yanks to. Nothing that names a module is sent before the address has said
 * that it is a gokeep: GOPROXY may well name somebody else's proxy.
 */
export class ServerClient implements AsyncDisposable {
  /** Without credentials. */
  readonly url: string;
  readonly #agent: Agent;
  readonly #base: URL;
  readonly #authorization: string | undefined;

  private constructor(base: URL, authorization: string | undefined, ca: string | undefined) {
    this.#base = base;
    this.url = `${base.origin}${base.pathname.replace(/\/$/, '')}`;
    this.#authorization = authorization;
    this.#agent = new Agent({
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
      connect: ca === undefined ? {} : { ca },
    });
  }

  /** @throws bad_config, upstream_unreachable, upstream_failed */
  static async open(options: ServerOptions, env: NodeJS.ProcessEnv): Promise<ServerClient> {
    const { named, token } = namedServer(options, env);
    const base = serverUrl(named ?? (await fromGoproxy(env)));
    const authorization = authorizationFor(base, token, env);
    base.username = base.password = '';
    const client = new ServerClient(base, authorization, readOption(options.ca, '--ca'));
    try {
      await client.#identify();
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * @param target below the server's address, with its leading slash; escaped
   * @throws upstream_unreachable; what the server refuses, with its words
   */
  async send(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    target: string,
    o: { readonly headers?: Record<string, string>; readonly body?: Readable | string } = {},
  ): Promise<ServerAnswer> {
    const { status, text } = await this.#request(method, target, o);
    if (status < 300) return { status, text };
    const words = text.replaceAll(/\s+/g, ' ').trim();
    throw new GokeepError(
      status === 409 ? 'taken' : status < 500 ? 'refused' : 'upstream_failed',
      words === '' ? `${this.url} answered ${status}.` : words,
      { detail: `${this.url} answered ${status}` },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #identify(): Promise<void> {
    const { status, text } = await this.#request('GET', '/api/v1/server', { anonymous: true });
    if (status === 200 && isGokeep(text)) return;
    if (status === 401 || status === 403)
      throw new GokeepError(
        'refused',
        `${this.url} wants credentials: give a token with --token-file or GOKEEP_TOKEN, or put them into netrc.`,
      );
    throw new GokeepError(
      'upstream_failed',
      `${this.url} is no gokeep that modules can be published to: name yours with --url.`,
    );
  }

  async #request(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    target: string,
    o: {
      readonly headers?: Record<string, string>;
      readonly body?: Readable | string;
      readonly anonymous?: true;
    },
  ): Promise<ServerAnswer> {
    const { origin, pathname } = this.#base;
    const headers: Record<string, string> = { ...o.headers };
    if (this.#authorization !== undefined && o.anonymous !== true)
      headers['authorization'] = this.#authorization;
    try {
      const answer = await this.#agent.request({
        origin,
        path: `${pathname.replace(/\/$/, '')}${target}`,
        method,
        headers,
        body: o.body ?? null,
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (cause) {
      if (cause instanceof GokeepError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new GokeepError(
        'upstream_unreachable',
        `The gokeep at ${this.url} could not be reached: ${why}.`,
        {
          cause,
        },
      );
    }
  }
}

/**
 * The server that the options or the environment name, and the token for it, which is nobody else's: GOPROXY may name anybody,
 * and anybody may say that he is a gokeep.
 *
 * @throws bad_config where there is a token and no such name, or the token would go over plain http to another machine
 */
export function namedServer(
  options: ServerOptions,
  env: NodeJS.ProcessEnv,
): { readonly named: string | undefined; readonly token: string | undefined } {
  const named = options.url ?? (env['GOKEEP_URL']?.split(',')[0]?.trim() || undefined);
  const token = tokenFor(options, env);
  if (token === undefined) return { named, token };
  if (named === undefined)
    throw new GokeepError(
      'bad_config',
      'Say whose token this is: name the gokeep server with --url, or GOKEEP_URL.',
    );
  demandSafe(serverUrl(named));
  return { named, token };
}

/** The first address in GOPROXY. */
async function fromGoproxy(env: NodeJS.ProcessEnv): Promise<string> {
  const said = env['GOPROXY'] || (await goEnvGoproxy(env));
  const first = said.split(/[,|]/).find((entry) => /^https?:/.test(entry.trim()));
  if (first !== undefined) return first.trim();
  throw new GokeepError('bad_config', 'Which gokeep? Name it with --url, or set GOPROXY to it.');
}

async function goEnvGoproxy(env: NodeJS.ProcessEnv): Promise<string> {
  try {
    return (await promisify(execFile)('go', ['env', 'GOPROXY'], { env, timeout: 10_000 })).stdout.trim();
  } catch {
    return '';
  }
}

function serverUrl(text: string): URL {
  if (URL.canParse(text)) {
    const url = new URL(text);
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  }
  throw new GokeepError('bad_config', 'The address of the gokeep server is no http or https URL.');
}

/** A token before what stands in the address, and that before netrc. Never over plain http to another machine. */
function authorizationFor(url: URL, token: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (token !== undefined) return `Bearer ${token}`;
  const own = url.username === '' && url.password === '' ? undefined : url;
  if (own === undefined) {
    const found = netrcCredentials(readNetrc(env), url);
    return found === undefined ? undefined : basic(found.username, found.password);
  }
  demandSafe(url);
  return basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
}

function demandSafe(url: URL): void {
  if (url.protocol === 'http:' && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname))
    throw new GokeepError(
      'bad_config',
      'The address of the gokeep server is http, which would send credentials in the clear: use https.',
    );
}

function tokenFor(options: ServerOptions, env: NodeJS.ProcessEnv): string | undefined {
  const file = options.tokenFile ?? (env['GOKEEP_TOKEN_FILE'] || undefined);
  const token = (readOption(file, 'the token file') ?? env['GOKEEP_TOKEN'] ?? '').trim();
  if (token === '') return undefined;
  if (/^[!-~]+$/.test(token)) return token;
  throw new GokeepError(
    'bad_config',
    'The token for the gokeep server is no token: it holds spaces or the like.',
  );
}

function readNetrc(env: NodeJS.ProcessEnv) {
  const name = process.platform === 'win32' ? '_netrc' : '.netrc';
  try {
    return parseNetrc(readFileSync(env['NETRC'] || path.join(homedir(), name), 'utf8'));
  } catch {
    // As in go: one that cannot be read is none.
    return [];
  }
}

function readOption(file: string | undefined, what: string): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new GokeepError('bad_config', `${what}: ${file} cannot be read.`, { cause });
  }
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function isGokeep(text: string): boolean {
  try {
    return (JSON.parse(text) as { program?: unknown }).program === 'gokeep';
  } catch {
    return false;
  }
}
