import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { LoadPass, LoadResult } from './load-worker.ts';
import { cpuSeconds } from './process-cost.ts';

const run = promisify(execFile);
const WORKER = path.join(import.meta.dirname, 'load-worker.ts');

/** Whose cost is measured: where it listens, and all its processes. */
export interface Measured {
  readonly port: number;
  readonly pids: readonly number[];
}

export interface Cost extends LoadResult {
  /** Server CPU time a request, in µs. */
  readonly cpuUs: number;
}

/** Sends one pass of requests; the cost is that of the server's processes alone. */
export async function load(server: Measured, o: Omit<LoadPass, 'port'>): Promise<Cost> {
  const before = cpuSeconds(server.pids);
  const pass: LoadPass = { port: server.port, ...o };
  const { stdout } = await run(process.execPath, [WORKER, JSON.stringify(pass)], { maxBuffer: 2 ** 20 });
  const spent = cpuSeconds(server.pids) - before;
  const result = JSON.parse(stdout) as LoadResult;
  return { ...result, cpuUs: (spent / result.requests) * 1e6 };
}
