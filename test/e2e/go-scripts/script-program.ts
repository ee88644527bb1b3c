import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The go command's own tests, where this machine's Go comes with its sources. */
export async function goCommandSources(): Promise<string | undefined> {
  try {
    const { stdout } = await run('go', ['env', 'GOROOT']);
    const sources = path.join(stdout.trim(), 'src', 'cmd', 'go');
    return existsSync(path.join(sources, 'testdata', 'script')) ? sources : undefined;
  } catch {
    return undefined;
  }
}

export interface ScriptOutcome {
  readonly name: string;
  readonly result: 'PASS' | 'FAIL' | 'SKIP';
  /** The script's log, for those that failed. */
  readonly log: string;
}

/** What stands between the scripts and the go command's test proxy. */
export interface Front {
  readonly gokeepUrl: string;
  readonly upstreamUrl: string;
  /** The scripts' GOSUMDB; their own test database otherwise. */
  readonly gosumdb?: string;
}

/** One exact replacement in a file of the Go distribution; a Go in which it is not found once needs another patch. */
async function patched(file: string, before: string, after: string): Promise<string> {
  const parts = (await readFile(file, 'utf8')).split(before);
  if (parts.length !== 2)
    throw new Error(`${file} holds ${JSON.stringify(before)} ${parts.length - 1} times`);
  return parts.join(after);
}

/**
 * GOROOT's test of the go command, built so that a proxy can stand between its scripts and its test proxy. GOROOT
 * itself is only read: the changed files are laid over it.
 */
export class ScriptProgram implements AsyncDisposable {
  readonly #sources: string;
  readonly #directory: string;

  private constructor(sources: string, directory: string) {
    this.#sources = sources;
    this.#directory = directory;
  }

  static async build(sources: string): Promise<ScriptProgram> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-scripts-'));
    const program = new ScriptProgram(sources, directory);
    const replace: Record<string, string> = {
      [path.join(sources, 'gokeep_front_test.go')]: path.join(import.meta.dirname, 'front_test.go'),
    };
    const changes = [
      ['proxy_test.go', 'http.HandlerFunc(proxyHandler)', 'scriptProxy()'],
      ['script_test.go', '"GOSUMDB=" + testSumDBVerifierKey', '"GOSUMDB=" + scriptDatabase()'],
    ] as const;
    for (const [name, before, after] of changes) {
      const laid = path.join(directory, name);
      await writeFile(laid, await patched(path.join(sources, name), before, after));
      replace[path.join(sources, name)] = laid;
    }
    const overlay = path.join(directory, 'overlay.json');
    await writeFile(overlay, JSON.stringify({ Replace: replace }));
    await run('go', ['test', '-c', '-overlay', overlay, '-o', program.#file, '.'], {
      cwd: sources,
      env: { ...process.env, GOFLAGS: '', GOWORK: 'off' },
    });
    return program;
  }

  get #file(): string {
    return path.join(this.#directory, 'go.test');
  }

  /** Names of the scripts that this Go has, of those given. */
  async present(names: readonly string[]): Promise<string[]> {
    const files = new Set(await readdir(path.join(this.#sources, 'testdata', 'script')));
    return names.filter((name) => files.has(`${name}.txt`));
  }

  /** Targets below the test proxy of every file it has, and of some that it has not. */
  async moduleTargets(): Promise<string[]> {
    const targets = new Set([
      '/rsc.io/absent/@v/list',
      '/rsc.io/absent/@latest',
      '/rsc.io/quote/@v/v1.99.0.info',
    ]);
    for (const file of await readdir(path.join(this.#sources, 'testdata', 'mod'))) {
      // The slashes of a path are underscores in the file's name.
      const match = /^(.*)_(v.*)\.txt$/.exec(file);
      if (match?.[1] === undefined || match[2] === undefined) continue;
      const module = `/${match[1].replaceAll('_', '/').replaceAll('!', '%21')}`;
      const version = `${module}/@v/${match[2].replaceAll('!', '%21')}`;
      targets.add(`${module}/@v/list`).add(`${module}/@latest`);
      for (const extension of ['info', 'mod', 'zip']) targets.add(`${version}.${extension}`);
    }
    return [...targets];
  }

  /** The test proxy, with its checksum database, in a process of its own. */
  async startProxy(): Promise<TestProxy> {
    const child = spawn(this.#file, ['-proxy=127.0.0.1:0'], {
      cwd: this.#sources,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const match = /running at GOPROXY=(\S+)/.exec(output);
        if (match?.[1] !== undefined) resolve(match[1]);
      });
      child.on('close', () => reject(new Error(`the test proxy ended:\n${output}`)));
      child.on('error', reject);
    });
    return { url, [Symbol.dispose]: () => void child.kill('SIGKILL') };
  }

  /** Runs scripts, through `front` if given; resolves with what became of each. */
  async run(names: readonly string[], front?: Front): Promise<ScriptOutcome[]> {
    const temporary = await mkdtemp(path.join(this.#directory, 'run-'));
    await mkdir(path.join(temporary, 'tmp'));
    const inherited = Object.entries(process.env).filter(([name]) => !/^(GO[A-Z]|GIT_)/.test(name));
    const env: Record<string, string | undefined> = {
      ...Object.fromEntries(inherited),
      GOROOT: path.join(this.#sources, '..', '..', '..'),
      GOCACHE: process.env['GOCACHE'],
      TMPDIR: path.join(temporary, 'tmp'),
    };
    if (front !== undefined) {
      env['GOKEEP_FRONT_URL'] = front.gokeepUrl;
      env['GOKEEP_FRONT_UPSTREAM'] = front.upstreamUrl;
      env['GOKEEP_FRONT_GOSUMDB'] = front.gosumdb;
    }
    const pattern = `^TestScript$/^(${names.join('|')})$`;
    const child = spawn(
      this.#file,
      ['-test.v', `-test.run=${pattern}`, '-test.timeout=40m', '-test.parallel=4'],
      {
        cwd: this.#sources,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
    const outcomes = readOutcomes(output);
    const missing = names.filter((name) => !outcomes.some((outcome) => outcome.name === name));
    if (missing.length > 0) throw new Error(`no result of ${missing.join(', ')}:\n${output.slice(-5000)}`);
    return outcomes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await chmod(this.#directory, 0o700);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export interface TestProxy extends Disposable {
  /** As in GOPROXY. */
  readonly url: string;
}

/** Reads `go test -v` of TestScript: the log of each parallel script follows a line `=== CONT` or `=== NAME`. */
function readOutcomes(output: string): ScriptOutcome[] {
  const logs = new Map<string, string[]>();
  const outcomes: { name: string; result: ScriptOutcome['result'] }[] = [];
  let current: string[] = [];
  for (const line of output.split('\n')) {
    const turn = /^=== (?:CONT|NAME|RUN|PAUSE)\s+(?:TestScript\/)?(\S+)$/.exec(line)?.[1];
    const result = /^ {4}--- (PASS|FAIL|SKIP): TestScript\/(\S+) \(/.exec(line);
    if (result?.[1] !== undefined && result[2] !== undefined) {
      outcomes.push({ name: result[2], result: result[1] as ScriptOutcome['result'] });
    } else if (turn !== undefined) {
      current = logs.get(turn) ?? [];
      logs.set(turn, current);
    } else current.push(line);
  }
  return outcomes.map((outcome) => ({
    ...outcome,
    log: outcome.result === 'FAIL' ? (logs.get(outcome.name) ?? []).join('\n') : '',
  }));
}
