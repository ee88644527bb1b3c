import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Agent, request } from 'undici';
import { gokeep, type ProgramResult } from '../cli/program.ts';
import { makeTestCa, type TestCa } from '../upstream/test-ca.ts';
import { GoClient } from './go-client.ts';
import { GokeepProcess } from './gokeep-process.ts';
import type { UpstreamWorld } from './upstream-world.ts';

interface Started {
  readonly toml: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Private paths of a guarded gokeep. */
export const PRIVATE = 'corp.test/*';

/** A gokeep with TLS that lets in only whom it knows; private modules come from the same world as public ones. */
export class GuardedGokeep implements AsyncDisposable {
  #gokeep: GokeepProcess;
  readonly ca: TestCa;
  /** PEM file of the authority. */
  readonly caFile: string;
  readonly directory: string;
  readonly #toml: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(server: GokeepProcess, ca: TestCa, directory: string, o: Started) {
    this.#gokeep = server;
    this.ca = ca;
    this.directory = directory;
    this.#toml = o.toml;
    this.#env = o.env;
    this.caFile = path.join(directory, 'ca.pem');
  }

  /** @param toml gokeep.toml beyond the upstreams and TLS; `[access]` comes last, so keys of it can follow */
  static async start(
    world: UpstreamWorld,
    toml = '',
    env: Readonly<Record<string, string>> = {},
  ): Promise<GuardedGokeep> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-guarded-'));
    const ca = makeTestCa();
    const at = (name: string) => path.join(directory, name);
    await writeFile(at('ca.pem'), ca.ca);
    await writeFile(at('cert.pem'), ca.cert);
    await writeFile(at('key.pem'), ca.key);
    const text = [
      `[[upstream]]\nmatch = ["${PRIVATE}"]\nprivate = true\nproxy = "${world.url}"`,
      `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"`,
      `[tls]\ncert = "${at('cert.pem')}"\nkey = "${at('key.pem')}"`,
      `[access]\nrequired = true\n${toml.replaceAll('CA_FILE', at('ca.pem'))}`,
    ].join('\n');
    const server = await GokeepProcess.start({ toml: text, env, data: at('data') });
    return new GuardedGokeep(server, ca, directory, { toml: text, env });
  }

  get gokeep(): GokeepProcess {
    return this.#gokeep;
  }

  /** Ends it, and starts it again with the same data, at another address. */
  async restart(): Promise<void> {
    await this.#gokeep.stop();
    const { data } = this.#gokeep;
    this.#gokeep = await GokeepProcess.start({ toml: this.#toml, env: this.#env, data });
  }

  get url(): string {
    return this.gokeep.url;
  }

  get host(): string {
    return new URL(this.url).host;
  }

  /** Runs `gokeep token …` on its data directory. */
  token(...args: string[]): Promise<ProgramResult> {
    return gokeep(['token', ...args, '--data', this.gokeep.data]);
  }

  /** A new token with these options of `token create`. */
  async create(...options: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.token('create', ...options);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** Runs a command beside the server, with its configuration and data directory. */
  async beside(...args: string[]): Promise<ProgramResult> {
    const config = await this.file('beside.toml', `version = 1\nlisten = "${this.host}"\n${this.#toml}`);
    return gokeep([...args, '--config', config, '--data', this.gokeep.data]);
  }

  /** A request of a client that trusts the authority. */
  async ask(
    target: string,
    o: {
      headers?: Record<string, string>;
      method?: 'GET' | 'PUT';
      cert?: string;
      key?: string;
      body?: string | Buffer;
    } = {},
  ): Promise<{ status: number; text: string; cacheControl: string }> {
    const { cert, key, method = 'GET', headers = {}, body: sent = null } = o;
    const agent = new Agent({ connect: { ca: this.ca.ca, ...(cert === undefined ? {} : { cert, key }) } });
    try {
      const answer = await request(this.url + target, { method, headers, body: sent, dispatcher: agent });
      const cacheControl = String(answer.headers['cache-control']);
      return { status: answer.statusCode, text: await answer.body.text(), cacheControl };
    } finally {
      await agent.destroy();
    }
  }

  /** A file of the directory of its own, such as one with a token. */
  async file(name: string, content: string): Promise<string> {
    const file = path.join(this.directory, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  }

  /** What netrc says of a token. */
  netrc(token: string): Promise<string> {
    return this.file(`netrc-${token.slice(-6)}`, `machine ${this.host} login anybody password ${token}\n`);
  }

  /** An unmodified `go` that trusts the authority and verifies against this gokeep's own database. */
  client(env: Readonly<Record<string, string>>): Promise<GoClient> {
    return GoClient.create({
      GOPROXY: this.url,
      GOSUMDB: this.gokeep.vkey,
      SSL_CERT_FILE: this.caFile,
      NETRC: '/nonexistent',
      ...env,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gokeep[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}
