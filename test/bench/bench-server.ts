import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Measured } from './load.ts';

const MAIN = path.join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export interface BenchServerOptions {
  readonly data: string;
  /** GOKEEP_… variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text of gokeep.toml below `version = 1`. */
  readonly toml?: string;
  /** Of node, for example `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
}

/** The real program as it is operated: its request log goes to a file. */
export class BenchServer implements AsyncDisposable, Measured {
  readonly url: string;
  readonly vkey: string;
  readonly pid: number;
  /** From the start of the process until it said that it serves. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(
    child: ChildProcess,
    settings: { url: string; vkey: string; startMs: number },
    directory: string,
  ) {
    this.#child = child;
    this.#directory = directory;
    this.url = settings.url;
    this.vkey = settings.vkey;
    this.startMs = settings.startMs;
    this.pid = child.pid ?? 0;
  }

  static async start(o: BenchServerOptions): Promise<BenchServer> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-bench-'));
    const config = path.join(directory, 'gokeep.toml');
    await writeFile(config, `version = 1\nlisten = "127.0.0.1:0"\n${o.toml ?? ''}`);
    const log = openSync(path.join(directory, 'requests.log'), 'a');
    const startedAt = performance.now();
    const args = [...(o.nodeFlags ?? []), MAIN, 'serve', '--config', config, '--data', o.data];
    const child = spawn(process.execPath, args, {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        // The corpus comes from the internet, through whatever stands before it here.
        NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'],
        NO_PROXY: '127.0.0.1',
        ...o.env,
      },
      stdio: ['ignore', log, 'pipe'],
    });
    closeSync(log);
    let said = '';
    const settings = await new Promise<{ url: string; vkey: string; startMs: number }>((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const match = /export GOPROXY=(\S+)\n\s*export GOSUMDB="([^"]+)"/.exec(said);
        if (match?.[1] === undefined || match[2] === undefined) return;
        resolve({ url: match[1], vkey: match[2], startMs: performance.now() - startedAt });
      });
      child.on('close', (code) => reject(new Error(`gokeep ended (${code}): ${said}`)));
    });
    return new BenchServer(child, settings, directory);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get pids(): readonly number[] {
    return [this.pid];
  }

  get databaseName(): string {
    return this.vkey.split('+')[0] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'close');
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}
