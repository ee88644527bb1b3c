import { spawn } from 'node:child_process';
import path from 'node:path';

const APPENDER = path.join(import.meta.dirname, 'appender.ts');

export interface Run {
  /** Exit code, or the signal's name. */
  readonly ended: number | string;
  readonly output: string;
  readonly errors: string;
}

/**
 * Runs the appender, under `wrapper` (strace and its arguments) if there is one, to its end.
 *
 * @param killAfter milliseconds after its first line at which it is killed.
 */
export function runAppender(
  directory: string,
  o: { rounds: number; wrapper?: readonly string[]; killAfter?: number },
): Promise<Run> {
  const program = [process.execPath, APPENDER, directory, String(o.rounds)];
  const [command, ...args] = [...(o.wrapper ?? []), ...program];
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.once('data', () => {
    if (o.killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), o.killAfter);
  });
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ended: code ?? signal ?? -1, output, errors }));
  });
}
