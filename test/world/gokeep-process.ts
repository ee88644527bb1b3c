import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');

export interface GokeepOptions {
  /** The data directory; a temporary one of its own otherwise. */
  readonly data?: string;
  /** Text of gokeep.toml below `version = 1`. */
  readonly toml?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Command that runs before node, for example strace with its arguments. */
  readonly wrapper?: readonly string[];
  /** 0: any free port. */
  readonly port?: number;
}

/** The real program in a process of its own. Disposing kills it and removes a temporary data directory. */
export class GokeepProcess implements AsyncDisposable {
  readonly url: string;
  readonly vkey: string;
  readonly data: string;
  readonly child: ChildProcess;
  readonly #output: { text: string };
  readonly #directory: string;
  readonly #ownsData: boolean;

  private constructor(
    settings: { url: string; vkey: string },
    data: string,
    child: ChildProcess,
    output: { text: string },
    directory: string,
    ownsData: boolean,
  ) {
    this.url = settings.url;
    this.vkey = settings.vkey;
    this.data = data;
    this.child = child;
    this.#output = output;
    this.#directory = directory;
    this.#ownsData = ownsData;
  }

  /** Starts it and waits until it serves; rejects with what it printed when it ends instead. */
  static async start(o: GokeepOptions = {}): Promise<GokeepProcess> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-test-'));
    const data = o.data ?? path.join(directory, 'data');
    const config = path.join(directory, 'gokeep.toml');
    await writeFile(config, `version = 1\nlisten = "127.0.0.1:${o.port ?? 0}"\n${o.toml ?? ''}`);
    const program = [
      process.execPath,
      path.join(ROOT, 'src', 'main.ts'),
      'serve',
      '--config',
      config,
      '--data',
      data,
    ];
    const [command, ...args] = [...(o.wrapper ?? []), ...program];
    const { GOPROXY: _a, GOSUMDB: _b, ...inherited } = process.env;
    const child = spawn(command!, args, {
      cwd: directory,
      env: { ...inherited, NO_PROXY: '127.0.0.1', ...o.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { text: '' };
    const settings = await new Promise<{ url: string; vkey: string }>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output.text += chunk.toString();
        const match = /export GOPROXY=(\S+)\n\s*export GOSUMDB="([^"]+)"/.exec(output.text);
        if (match?.[1] !== undefined && match[2] !== undefined) resolve({ url: match[1], vkey: match[2] });
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('error', reject);
      child.on('close', (code, signal) =>
        reject(new Error(`gokeep ended (${code ?? signal}):\n${output.text}`)),
      );
    }).catch(async (error: unknown) => {
      await rm(directory, { recursive: true, force: true });
      throw error;
    });
    return new GokeepProcess(settings, data, child, output, directory, o.data === undefined);
  }

  /** Everything printed so far. */
  get output(): string {
    return this.#output.text;
  }

  /** GOSUMDB with the address spelled out, which bypasses GOPROXY. */
  get gosumdbWithUrl(): string {
    return `${this.vkey} ${this.url}/sumdb/${this.vkey.split('+')[0]!}`;
  }

  get(target: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}${target}`, { headers, redirect: 'manual' });
  }

  /** Ends it and resolves with its exit code, or the signal's name. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal);
      await once(this.child, 'close');
    }
    return this.child.exitCode ?? this.child.signalCode ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.#directory, { recursive: true, force: true });
    if (!this.#ownsData) return;
    await rm(this.data, { recursive: true, force: true });
  }
}
