import { spawn } from 'node:child_process';
import os from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GokeepError } from '../../errors.ts';
import type { JobProgress } from './job.ts';

export interface ChildOptions {
  /** This program's own beginning. */
  readonly main: URL;
  readonly args: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: JobProgress) => void;
}

/** Longest document that a command prints, in bytes: a plan names each module version. */
const MOST_PRINTED = 64 * 2 ** 20;
const MOST_SAID = 16 * 1024;
/** What does not end when it is asked to is killed. */
const PATIENCE_MS = 5_000;
/** Below everything that answers a request. */
const NICE = 10;

/**
 * Runs a command of this program in a process of its own and gives the document that it prints. Aborting ends the process; so does the
 * end of this one, which closes the child's standard input.
 *
 * @throws what the signal says; bad_bundle with the command's own sentence where it could do nothing; internal where it was killed
 */
export async function runChild(o: ChildOptions): Promise<unknown> {
  o.signal.throwIfAborted();
  const flags = ['--max-semi-space-size=1'];
  const child = spawn(process.execPath, [...flags, fileURLToPath(o.main), ...o.args], {
    env: { MALLOC_ARENA_MAX: '2', ...o.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) lower(child.pid);
  const printed: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MOST_PRINTED) child.kill('SIGKILL');
    else printed.push(chunk);
  });
  let said = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    const progress = progressOf(line);
    if (progress !== undefined) o.onProgress(progress);
    else if (said.length < MOST_SAID) said += `${line}\n`;
  });
  // A pipe to a process that has gone.
  child.stdin.on('error', () => undefined);
  let killing: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill('SIGTERM');
    killing = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  };
  o.signal.addEventListener('abort', stop, { once: true });
  try {
    const { code, signal } = await ended(child);
    o.signal.throwIfAborted();
    if (code === 0 || code === 1) return JSON.parse(Buffer.concat(printed).toString());
    const sentence = /^gokeep: (.*)$/m.exec(said)?.[1];
    if (code === 2 && sentence !== undefined && sentence !== 'an unexpected error')
      throw new GokeepError('bad_request', sentence, { detail: said });
    throw new GokeepError(
      'internal',
      `the process that did this ended by ${signal ?? `code ${code}`} before it was done; the log of the gokeep server has what it said`,
      { detail: said },
    );
  } finally {
    clearTimeout(killing);
    o.signal.removeEventListener('abort', stop);
  }
}

function ended(child: ReturnType<typeof spawn>) {
  return new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

function lower(pid: number): void {
  try {
    os.setPriority(pid, NICE);
  } catch {
    // It has ended already, or this system lets nobody.
  }
}

/** A line of `--job`. The rest of what the process says is for a person. */
function progressOf(line: string): JobProgress | undefined {
  if (!line.startsWith('{"progress":')) return undefined;
  try {
    const { progress, done, total } = JSON.parse(line) as Record<string, unknown>;
    if (typeof progress !== 'string' || typeof done !== 'number' || typeof total !== 'number')
      return undefined;
    return { what: progress, done, total };
  } catch {
    return undefined;
  }
}
