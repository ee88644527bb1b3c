import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What goes on inside the namespace before the shell: what the host has is bound into an empty root. */
const ENTER = `set -e
root=$1; shift
while [ "$1" != -- ]; do
  /usr/bin/mount --rbind "$1" "$root$1"
  shift
done
shift
exec /usr/sbin/chroot "$root" "$@"`;

const found = (program: string): string =>
  execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' }).trim();

/**
 * A machine of somebody who has installed nothing but `go`: a home that is empty, and a PATH with one program. Where this host lets us, its
 * root directory is another one too, without any other program.
 */
export class BareMachine implements Disposable {
  readonly #root = mkdtempSync(path.join(tmpdir(), 'gokeep-bare-'));
  readonly #isolated = BareMachine.isolates();
  readonly #goroot = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim();

  constructor() {
    for (const name of ['home', 'tmp', 'only', 'dev', 'usr']) mkdirSync(path.join(this.#root, name));
    symlinkSync(path.join(this.#goroot, 'bin', 'go'), path.join(this.#root, 'only', 'go'));
    for (const name of ['/lib', '/lib64']) this.#linkAsHere(name);
  }

  /** Whether this process may have a root directory of its own: as root, or where users may make namespaces. */
  static isolates(): boolean {
    try {
      const [command = '', ...args] = BareMachine.#namespace();
      const tried = '/usr/bin/mount --bind /usr /mnt && exec /usr/sbin/chroot / /bin/sh -c :';
      execFileSync(command, [...args, '/bin/sh', '-c', tried], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  }

  static #namespace(): string[] {
    return ['/usr/bin/unshare', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), '--mount'];
  }

  /** Runs a shell that is given these lines as its input, in the directory of the project. */
  run(shell: string, input: string): Promise<{ code: number | null; out: string }> {
    const program = found(shell);
    const [command = '', ...args] = this.#isolated ? this.#enter(program) : [program];
    const at = (name: string) => (this.#isolated ? name : path.join(this.#root, name));
    // A file: fish reads no commands from a socket, which is what a pipe of ours would be.
    const typed = path.join(this.#root, 'typed');
    writeFileSync(typed, `cd "$HOME"\n${input}\n`);
    const stdin = openSync(typed, 'r');
    const child = spawn(command, args, {
      cwd: path.join(this.#root, 'home'),
      env: { PATH: at('/only'), HOME: at('/home'), TMPDIR: at('/tmp') },
      stdio: [stdin, 'pipe', 'pipe'],
    });
    closeSync(stdin);
    return new Promise((resolve, reject) => {
      let out = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out }));
    });
  }

  /** Writes a file of the home, which is the project too. */
  write(name: string, text: string): void {
    writeFileSync(path.join(this.#root, 'home', name), text);
  }

  /** A file below the home, as this process sees it. */
  file(name: string): string {
    return path.join(this.#root, 'home', name);
  }

  #enter(program: string): string[] {
    const libraries = ['/usr/lib', '/usr/lib64', '/lib', '/lib64'].filter((name) =>
      lstatSync(name, { throwIfNoEntry: false })?.isDirectory(),
    );
    const bound = [...libraries, '/usr/share', '/proc', this.#goroot, '/dev/null', '/dev/urandom', program];
    for (const name of bound) {
      const target = path.join(this.#root, name);
      if (lstatSync(name).isDirectory()) mkdirSync(target, { recursive: true });
      else {
        mkdirSync(path.dirname(target), { recursive: true });
        writeFileSync(target, '');
      }
    }
    return [...BareMachine.#namespace(), '/bin/sh', '-c', ENTER, 'sh', this.#root, ...bound, '--', program];
  }

  #linkAsHere(name: string): void {
    const target = path.join(this.#root, name);
    if (lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink()) symlinkSync(readlinkSync(name), target);
  }

  [Symbol.dispose](): void {
    // Mounts ended with the namespace; what is left are the empty places for them.
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
