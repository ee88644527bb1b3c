import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { BenchServer } from './bench-server.ts';
import type { Corpus } from './corpus.ts';

export type Counts = Partial<Record<'info' | 'mod' | 'zip' | 'list' | 'sumdb', number>>;

/** A GOPROXY with the corpus and the checksum database that proves it, as far away as `delayMs`. */
export class BenchUpstream implements AsyncDisposable {
  readonly url: string;
  readonly #databases: BenchServer;
  readonly #child: ChildProcess;

  private constructor(url: string, databases: BenchServer, child: ChildProcess) {
    this.url = url;
    this.#databases = databases;
    this.#child = child;
  }

  /** @param data a copy of the corpus's data that may be written. */
  static async start(corpus: Corpus, data: string, delayMs: number): Promise<BenchUpstream> {
    const databases = await BenchServer.start({ data, env: { GOKEEP_OFFLINE: 'true' } });
    const program = path.join(import.meta.dirname, 'delayed-upstream.ts');
    const child = spawn(process.execPath, [program, corpus.download, databases.url, String(delayMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    return new BenchUpstream(`http://127.0.0.1:${port.toString().trim()}`, databases, child);
  }

  /** Requests since the last call, by kind. */
  async counts(): Promise<Counts> {
    return (await (await fetch(`${this.url}/counts`)).json()) as Counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await once(this.#child, 'close');
    await this.#databases[Symbol.asyncDispose]();
  }
}
