import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeTestCa } from '../upstream/test-ca.ts';
import { makeRepository, type Repository, serveGit } from './git-host.ts';

export interface Seen {
  /** `host/path?query` */
  readonly target: string;
  readonly authorization: string | undefined;
}

/**
 * Git hosts `*.corp.test` over TLS with an authority of their own, on loopback, behind an HTTP proxy that leads every name
 * here; so go and git ask them by their real names. Repositories and go-import pages may want a login.
 */
export class PrivateGitHost implements AsyncDisposable {
  /** `user:password` by the beginning of `host/path`; others are open to all. */
  readonly logins = new Map<string, string>();
  /** What is said without the right login: 401, 403 or 404. */
  refusal = 401;
  /** What is said with it, in plain text. */
  explain: (seen: Seen) => string = () => '';
  /** go-import pages by `host/path`: the repository's URL. A page counts for everything below. */
  readonly pages = new Map<string, string>();
  /** Hosts that take a connection and never answer. */
  readonly silent = new Set<string>();
  readonly seen: Seen[] = [];
  /** `host:port` of every connection that was wanted. */
  readonly connections: string[] = [];
  /** Called before a request is answered. */
  onRequest: (seen: Seen) => Promise<void> = async () => {};
  readonly directory: string;
  readonly caFile: string;
  readonly #tls: Server;
  readonly #proxy: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(directory: string, certificate: { cert: string; key: string }) {
    this.directory = directory;
    this.caFile = path.join(directory, 'ca.pem');
    this.#tls = createTlsServer(certificate, (request, response) => void this.#answer(request, response));
    this.#proxy = createServer();
    this.#proxy.on('connect', (request: IncomingMessage, socket: Socket) => this.#lead(request, socket));
  }

  static async start(): Promise<PrivateGitHost> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-git-'));
    const ca = makeTestCa(['*.corp.test']);
    const host = new PrivateGitHost(directory, ca);
    await mkdir(path.join(directory, 'srv'));
    await writeFile(host.caFile, ca.ca);
    for (const server of [host.#tls, host.#proxy]) {
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
    }
    return host;
  }

  /** For HTTPS_PROXY. */
  get proxy(): string {
    return `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`;
  }

  /** The folder of a host's repositories. */
  folder(host: string): string {
    return path.join(this.directory, 'srv', host);
  }

  /** Opens a repository, created empty: `git.corp.test/team/lib.git`. */
  repository(name: string): Promise<Repository> {
    return makeRepository(this.directory, name);
  }

  /** Writes a file beside the repositories, such as a token, and resolves with its name. */
  async file(name: string, content: string, mode = 0o600): Promise<string> {
    const file = path.join(this.directory, name);
    await rm(file, { force: true });
    await writeFile(file, content, { mode });
    return file;
  }

  #lead(request: IncomingMessage, socket: Socket): void {
    const wanted = request.url ?? '';
    this.connections.push(wanted);
    this.#sockets.add(socket);
    socket.on('error', () => {});
    const host = wanted.replace(/:\d+$/, '');
    if (this.silent.has(host)) return;
    if (!host.endsWith('.corp.test')) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const inner = connect((this.#tls.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(inner).pipe(socket);
    });
    inner.on('error', () => socket.destroy());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const target = `${host}${request.url ?? ''}`;
    const seen = { target, authorization: request.headers.authorization };
    this.seen.push(seen);
    await this.onRequest(seen);
    const [name = ''] = target.split('?');
    const wanted = [...this.logins].find(([prefix]) => name.startsWith(prefix))?.[1];
    if (wanted !== undefined && seen.authorization !== `Basic ${Buffer.from(wanted).toString('base64')}`) {
      if (this.refusal === 401) response.setHeader('www-authenticate', 'Basic realm="git"');
      response.writeHead(this.refusal, { 'content-type': 'text/plain' }).end(this.explain(seen));
      return;
    }
    if (!target.endsWith('?go-get=1')) {
      serveGit(path.join(this.directory, 'srv'), request, response, `/${host}`);
      return;
    }
    const page = [...this.pages].find(([root]) => `${name}/`.startsWith(`${root}/`));
    if (page === undefined) response.writeHead(404).end();
    else response.end(`<meta name="go-import" content="${page[0]} git ${page[1]}">`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of [this.#tls, this.#proxy]) {
      server.closeAllConnections();
      server.close();
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}
