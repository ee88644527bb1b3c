import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface GoResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The build cache of this host. It holds what was compiled, by its content, and nothing of what was downloaded: with one of its own each
 * client would compile the standard library.
 */
const BUILD_CACHE = execFileSync('go', ['env', 'GOCACHE'], { encoding: 'utf8' }).trim();

/** An unmodified `go` with a home, a module cache and a main module of its own. */
export class GoClient implements AsyncDisposable {
  readonly directory: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #wrapper: readonly string[];

  constructor(directory: string, env: Readonly<Record<string, string>>, wrapper: readonly string[] = []) {
    this.directory = directory;
    this.#env = env;
    this.#wrapper = wrapper;
  }

  /**
   * @param env GOPROXY, GOSUMDB and whatever else; nothing of the test's own Go settings leaks in.
   * @param wrapper Command that runs before go, with its arguments.
   */
  static async create(
    env: Readonly<Record<string, string>>,
    wrapper: readonly string[] = [],
  ): Promise<GoClient> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-go-'));
    await mkdir(path.join(directory, 'main'));
    const client = new GoClient(directory, env, wrapper);
    await client.write('go.mod', 'module main.test/main\n\ngo 1.21\n');
    return client;
  }

  get modCache(): string {
    return path.join(this.directory, 'mod');
  }

  /** Writes a file of the main module. */
  async write(name: string, content: string): Promise<void> {
    const file = path.join(this.directory, 'main', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }

  /** Runs `go` in the main module. Never rejects for a non-zero exit. */
  run(...args: string[]): Promise<GoResult> {
    return this.runProgram('go', ...args);
  }

  /** Runs a program that itself runs `go`, in the same surroundings. */
  runProgram(program: string, ...args: string[]): Promise<GoResult> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.directory,
      GOPATH: path.join(this.directory, 'gopath'),
      GOMODCACHE: this.modCache,
      GOCACHE: BUILD_CACHE,
      GOENV: 'off',
      GOFLAGS: '-modcacherw',
      GOTOOLCHAIN: 'local',
      NO_PROXY: '127.0.0.1',
      ...this.#env,
    };
    const [command, ...before] = [...this.#wrapper, program];
    return new Promise((resolve) => {
      execFile(
        command,
        [...before, ...args],
        { cwd: path.join(this.directory, 'main'), env, timeout: 240_000, maxBuffer: 64 * 2 ** 20 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, stdout, stderr });
        },
      );
    });
  }

  /** A client that has never seen anything: module cache and remembered tree heads are gone. */
  async forget(): Promise<void> {
    await this.run('clean', '-modcache');
    for (const name of ['mod', 'gopath']) {
      await rm(path.join(this.directory, name), { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await chmod(this.directory, 0o700);
    // go leaves a child behind that still writes for a moment.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
