import { execFile } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileSystemOf } from './facts/mounts.ts';
import type { FileState, Machine, Ran, RunOptions } from './machine.ts';

const MOST = 1_000_000;
const MOST_OUTPUT = 8 * 2 ** 20;

export interface HostOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** This machine, as a `go` that is started here and now would find it. */
export class HostMachine implements Machine {
  readonly platform = process.platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  readonly uid = process.getuid?.();

  constructor(o: HostOptions = {}) {
    this.env = o.env ?? process.env;
    this.cwd = o.cwd ?? process.cwd();
    this.home = (this.platform === 'win32' ? this.env['USERPROFILE'] : this.env['HOME']) || homedir();
  }

  now(): number {
    return Date.now();
  }

  read(file: string, most = MOST): FileState {
    try {
      const { mode, uid, size } = statSync(file);
      const is = statSync(file).isFile();
      if (!is) return { kind: 'unreadable', why: 'it is no file' };
      if (size > most) return { kind: 'unreadable', why: 'it is far too large' };
      return { kind: 'file', text: readFileSync(file, 'utf8'), mode: mode & 0o777, uid };
    } catch (error) {
      const code = codeOf(error);
      return code === 'ENOENT' || code === 'ENOTDIR' ? { kind: 'absent' } : { kind: 'unreadable', why: code };
    }
  }

  list(directory: string): readonly string[] {
    try {
      return readdirSync(directory);
    } catch {
      return [];
    }
  }

  writeProblem(directory: string): string | undefined {
    let at = path.resolve(this.cwd, directory);
    // Where it is not there yet, go makes it below the first directory that is.
    while (!existsSync(at) && path.dirname(at) !== at) at = path.dirname(at);
    try {
      if (!statSync(at).isDirectory()) return `${at} is no directory`;
      const file = path.join(at, `.gokeep-doctor-${process.pid}`);
      writeFileSync(file, '', { flag: 'wx' });
      unlinkSync(file);
      return undefined;
    } catch (error) {
      return `${at}: ${codeOf(error)}`;
    }
  }

  fileSystem(file: string): string | undefined {
    const mounts = this.read('/proc/self/mounts');
    if (mounts.kind !== 'file') return undefined;
    return fileSystemOf(mounts.text, path.resolve(this.cwd, file));
  }

  hasProgram(name: string): boolean {
    const windows = this.platform === 'win32';
    const endings = windows ? ['', ...(this.env['PATHEXT'] ?? '.EXE;.CMD').split(';')] : [''];
    const there = /[/\\]/.test(name)
      ? [path.resolve(this.cwd, name)]
      : (this.env['PATH'] ?? '').split(path.delimiter).map((each) => path.join(each, name));
    return there.some((each) => endings.some((ending) => isProgram(each + ending)));
  }

  run(command: string, args: readonly string[], o: RunOptions): Promise<Ran> {
    return new Promise((resolve) => {
      const child = execFile(
        command,
        [...args],
        {
          cwd: o.cwd ?? this.cwd,
          env: { ...(o.env ?? this.env) },
          timeout: Math.max(1, Math.round(o.deadline)),
          killSignal: 'SIGKILL',
          maxBuffer: MOST_OUTPUT,
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          const missing = error?.code === 'ENOENT' || error?.code === 'EACCES';
          resolve({ code, stdout, stderr, missing, timedOut: error?.killed === true });
        },
      );
      child.stdin?.end();
    });
  }

  async scratch(): Promise<{ readonly directory: string; remove(): Promise<void> }> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-doctor-'));
    return { directory, remove: () => removeTree(directory) };
  }

  write(file: string, bytes: Uint8Array): void {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes, { mode: 0o600 });
  }
}

/** go leaves module directories read-only where a GOFLAGS without -modcacherw had the last word. */
async function removeTree(directory: string): Promise<void> {
  const all = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 };
  try {
    await rm(directory, all);
  } catch {
    const below = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const each of below)
      if (each.isDirectory()) await chmod(path.join(each.parentPath, each.name), 0o700).catch(() => {});
    await rm(directory, all).catch(() => {});
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
