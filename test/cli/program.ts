import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MAIN = path.join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the real program to its end. Its environment names no go command: local commands need none.
 *
 * @param wrapper Command that runs before node, with its arguments.
 */
export function gokeep(
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv> = {},
  wrapper: readonly string[] = [],
): Promise<ProgramResult> {
  const [command, ...before] = [...wrapper, process.execPath, MAIN];
  return new Promise((resolve) => {
    execFile(
      command,
      [...before, ...args],
      { cwd: tmpdir(), env: { HOME: tmpdir(), PATH: '/nowhere', ...env }, maxBuffer: 64 * 2 ** 20 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}
