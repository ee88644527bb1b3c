import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** Debian keeps it where only root looks. */
const PROGRAM = '/usr/sbin/sshd';

/** A real sshd on loopback that lets in one key, for the user who runs the tests. */
export class SshServer implements AsyncDisposable {
  readonly port: number;
  readonly directory: string;
  /** A private key that it lets in. */
  readonly key: string;
  /** A private key that it does not know. */
  readonly otherKey: string;
  /** known_hosts with its host key. */
  readonly knownHosts: string;
  /** known_hosts with another key for it. */
  readonly wrongKnownHosts: string;
  readonly #child: ChildProcess;

  private constructor(directory: string, port: number, child: ChildProcess) {
    this.directory = directory;
    this.port = port;
    this.key = path.join(directory, 'client');
    this.otherKey = path.join(directory, 'other');
    this.knownHosts = path.join(directory, 'known_hosts');
    this.wrongKnownHosts = path.join(directory, 'wrong_known_hosts');
    this.#child = child;
  }

  static async start(): Promise<SshServer> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-ssh-'));
    const port = await freePort();
    const at = (name: string): string => path.join(directory, name);
    for (const name of ['host', 'client', 'other']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', at(name)]);
    }
    const publicKey = async (name: string) => await readFile(at(`${name}.pub`), 'utf8');
    await writeFile(at('authorized_keys'), await publicKey('client'));
    await writeFile(at('known_hosts'), `[127.0.0.1]:${port} ${await publicKey('host')}`);
    await writeFile(at('wrong_known_hosts'), `[127.0.0.1]:${port} ${await publicKey('other')}`);
    const config = {
      ListenAddress: '127.0.0.1',
      Port: String(port),
      HostKey: at('host'),
      AuthorizedKeysFile: at('authorized_keys'),
      PidFile: 'none',
      UsePAM: 'no',
      StrictModes: 'no',
      PermitRootLogin: 'prohibit-password',
      PasswordAuthentication: 'no',
      KbdInteractiveAuthentication: 'no',
    };
    await writeFile(
      at('sshd_config'),
      Object.entries(config)
        .map((line) => `${line.join(' ')}\n`)
        .join(''),
    );
    // The service makes it when it starts; sshd wants it when root runs it, and it goes with each boot.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    const child = spawn(PROGRAM, ['-D', '-e', '-f', at('sshd_config')], { stdio: 'ignore' });
    const server = new SshServer(directory, port, child);
    await server.#listening();
    return server;
  }

  /** The address of a directory of this machine, with a slash at its end. */
  url(directory: string): string {
    return `ssh://${userInfo().username}@127.0.0.1:${this.port}${directory}/`;
  }

  async #listening(): Promise<void> {
    for (;;) {
      const socket = connect(this.port, '127.0.0.1');
      const up = await Promise.race([
        once(socket, 'data').then(() => true),
        once(socket, 'error').then(
          () => false,
          () => false,
        ),
      ]).catch(() => false);
      socket.destroy();
      if (up) return;
      if (this.#child.exitCode !== null) throw new Error(`sshd ended with ${this.#child.exitCode}`);
      await sleep(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill();
      await once(this.#child, 'exit');
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}
