import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A git server on loopback: `git http-backend` behind HTTP. Repositories are named like import paths that Go knows to be
 * repositories (`git.corp.test/team/lib.git`); `gitconfig` sends git here for the https addresses of a host.
 */
export class GitHost implements AsyncDisposable {
  /** Request targets seen, in order. */
  readonly targets: string[] = [];
  readonly #directory: string;
  readonly #server: Server;

  private constructor(directory: string, server: Server) {
    this.#directory = directory;
    this.#server = server;
  }

  static async start(): Promise<GitHost> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-git-'));
    const server = createServer((request, response) => {
      host.targets.push(request.url ?? '');
      serveGit(path.join(directory, 'srv'), request, response);
    });
    const host = new GitHost(directory, server);
    await mkdir(path.join(directory, 'srv'));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return host;
  }

  /** A git configuration file that finds `https://<name>/` here. */
  async gitconfig(name: string): Promise<string> {
    const file = path.join(this.#directory, 'gitconfig');
    const { port } = this.#server.address() as AddressInfo;
    await writeFile(file, `[url "http://127.0.0.1:${port}/${name}/"]\n\tinsteadOf = https://${name}/\n`);
    return file;
  }

  /** Opens a repository, created empty: `git.corp.test/team/lib.git`. */
  repository(name: string): Promise<Repository> {
    return makeRepository(this.#directory, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Creates a repository `srv/<name>` below a directory, and its working copy. */
export async function makeRepository(directory: string, name: string): Promise<Repository> {
  const bare = path.join(directory, 'srv', name);
  const work = path.join(directory, 'work', name);
  await mkdir(work, { recursive: true });
  await git(directory, work, 'init', '-q', '-b', 'main', '.');
  await git(directory, work, 'init', '-q', '--bare', '-b', 'main', bare);
  return new Repository(directory, work, bare);
}

/** A repository on a GitHost, and a working copy of it. */
export class Repository {
  readonly #home: string;
  /** The working copy; what is changed in it goes into the next commit. */
  readonly work: string;
  readonly #bare: string;

  constructor(home: string, work: string, bare: string) {
    this.#home = home;
    this.work = work;
    this.#bare = bare;
  }

  /** The working copy. */
  get directory(): string {
    return this.work;
  }

  /** The repository that clients fetch from. */
  get bare(): string {
    return this.#bare;
  }

  /** Runs git in the working copy; resolves with what it prints. */
  git(...args: string[]): Promise<string> {
    return git(this.#home, this.work, ...args);
  }

  /** Commits files, tags the commit, moves branches there, and pushes; resolves with the commit's full hash. */
  async commit(
    files: Readonly<Record<string, string>> = {},
    o: { readonly tags?: readonly string[]; readonly branches?: readonly string[] } = {},
  ): Promise<string> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(this.work, name)), { recursive: true });
      await writeFile(path.join(this.work, name), content);
    }
    const here = (...args: string[]) => git(this.#home, this.work, ...args);
    await here('add', '.');
    await here('commit', '-q', '--allow-empty', '-m', 'change');
    for (const tag of o.tags ?? []) await here('tag', '-f', tag);
    for (const branch of o.branches ?? []) await here('branch', '-f', branch);
    await here('push', '-q', '-f', this.#bare, '--all');
    await here('push', '-q', '-f', this.#bare, '--tags');
    return (await here('rev-parse', 'HEAD')).trim();
  }
}

async function git(home: string, cwd: string, ...args: string[]): Promise<string> {
  const who = { NAME: 'a', EMAIL: 'a@example.com', DATE: '2024-01-02T03:04:05Z' };
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
  };
  for (const [key, value] of Object.entries(who))
    env[`GIT_AUTHOR_${key}`] = env[`GIT_COMMITTER_${key}`] = value;
  return (await run('git', args, { cwd, env })).stdout;
}

/**
 * `git http-backend` as CGI (RFC 3875), as far as git's smart HTTP needs it.
 *
 * @param host folder of the repositories below `root`; none where the request's path names it already.
 */
export function serveGit(root: string, request: IncomingMessage, response: ServerResponse, host = ''): void {
  const url = new URL(request.url ?? '', 'http://x');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: `${host}${url.pathname}`,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? '',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const whole = Buffer.concat(chunks);
    const end = whole.indexOf('\r\n\r\n');
    for (const line of whole.subarray(0, end).toString().split('\r\n')) {
      const colon = line.indexOf(':');
      const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else if (colon > 0) response.setHeader(name, value);
    }
    response.end(whole.subarray(end + 4));
  });
}
