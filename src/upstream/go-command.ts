import { spawn } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { getCACertificates } from 'node:tls';

import { GokeepError } from '../errors.ts';
import { Limit } from './limit.ts';
import { Watch } from './watch.ts';

/** How `direct` runs the host's go command and git. Paths of files are absolute. */
export interface DirectSettings {
  /** Everything that go and git write lies below this directory, which is ours alone. */
  readonly directory: string;
  /** The go command, by name or absolute path. Default: `go`. */
  readonly go?: string | undefined;
  /** PATH for go, git and ssh. Nothing else of our environment is passed on. */
  readonly path: string;
  /** Milliseconds for one command; then its whole process group is killed. */
  readonly deadline: number;
  /** Commands at a time. */
  readonly maxConcurrent: number;
  /** Git transports. Default `https` and `ssh`; `http`, `git` and `file` prove nothing about who answers. */
  readonly protocols?: readonly string[] | undefined;
  /** Read by git as its global configuration: credential helpers, `url.<base>.insteadOf`. */
  readonly gitConfigFile?: string | undefined;
  /** Read by go, and by git's HTTP transport. */
  readonly netrcFile?: string | undefined;
  readonly sshIdentityFile?: string | undefined;
  readonly sshKnownHostsFile?: string | undefined;
  /** GOINSECURE patterns. */
  readonly insecure?: string | undefined;
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  /** PEM text, trusted beside the default roots. */
  readonly ca?: string | undefined;
}

/** What a command left behind. `status` is undefined when a signal ended it. */
export interface CommandResult {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A list of versions is the longest answer; a module with a million of them is not believed. */
const MAX_OUTPUT = 32 * 1024 * 1024;
const MAX_STDERR = 64 * 1024;

/**
 * Runs the host's go command so that a repository, whose contents and server are attacker-controlled, finds
 * nothing to use: no shell, no version control but git (CVE-2018-16873, CVE-2025-68119), no hooks, no configuration,
 * credentials or caches but those given, no terminal, no other toolchain, and an end.
 */
export class GoCommand {
  readonly #settings: DirectSettings;
  readonly #limit: Limit;
  #prepared: Promise<void> | undefined;

  constructor(settings: DirectSettings) {
    // Relative paths would mean something else to go, which runs elsewhere.
    this.#settings = { ...settings, directory: resolve(settings.directory) };
    this.#limit = new Limit(settings.maxConcurrent);
  }

  /** GOMODCACHE/cache/download */
  get downloads(): string {
    return join(this.modCache, 'cache', 'download');
  }

  get modCache(): string {
    return join(this.#settings.directory, 'mod');
  }

  /**
   * Runs `go` with the given arguments. Throws no_go when there is none, upstream_timeout past the deadline, busy
   * when the caller gives up, storage_failed when the directory cannot be used.
   */
  async run(
    args: readonly string[],
    subject: string,
    signal: AbortSignal | undefined,
  ): Promise<CommandResult> {
    const watch = new Watch(subject, 'its repository', signal);
    let leave: (() => void) | undefined;
    try {
      leave = await this.#limit.enter(watch.signal);
      this.#prepared ??= this.#prepare();
      await this.#prepared;
      watch.deadline(this.#settings.deadline, 'the go command took too long');
      return await this.#spawn(args, watch.signal);
    } catch (error) {
      throw watch.signal.aborted ? watch.signal.reason : error;
    } finally {
      watch.stop();
      leave?.();
    }
  }

  async #spawn(args: readonly string[], signal: AbortSignal): Promise<CommandResult> {
    signal.throwIfAborted();
    const ended = Promise.withResolvers<CommandResult>();
    // `detached` makes the child the leader of a process group, which holds git and ssh too.
    const child = spawn(this.#settings.go ?? 'go', args, {
      cwd: join(this.#settings.directory, 'work'),
      env: environment(this.#settings),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const killGroup = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group is empty: all have ended by themselves.
      }
    };
    let output = 0;
    const stdout: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.length;
      if (output > MAX_OUTPUT) killGroup();
      else stdout.push(chunk);
    });
    let stderr = Buffer.alloc(0);
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < MAX_STDERR) stderr = Buffer.concat([stderr, chunk]).subarray(0, MAX_STDERR);
    });
    signal.addEventListener('abort', killGroup, { once: true });
    child.on('error', (cause) => ended.reject(noGo(cause)));
    // Whatever go has left running holds our pipes open, and `close` waits for them.
    child.on('exit', killGroup);
    child.on('close', (code) => {
      ended.resolve({
        status: code ?? undefined,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: stderr.toString('utf8'),
      });
    });
    try {
      const result = await ended.promise;
      signal.throwIfAborted();
      return result;
    } finally {
      signal.removeEventListener('abort', killGroup);
    }
  }

  async #prepare(): Promise<void> {
    const { directory, netrcFile, ca } = this.#settings;
    try {
      for (const name of ['home', 'work', 'tmp', 'mod', 'gopath', 'build']) {
        await mkdir(join(directory, name), { recursive: true, mode: 0o700 });
      }
      // go looks for a go.mod in all parent directories; it finds this empty one first.
      await writeFile(join(directory, 'work', 'go.mod'), 'module gokeep.invalid/direct\n\ngo 1.21\n');
      // git's HTTP transport knows no NETRC variable.
      const homeNetrc = join(directory, 'home', '.netrc');
      await rm(homeNetrc, { force: true });
      if (netrcFile !== undefined) await symlink(netrcFile, homeNetrc);
      if (ca !== undefined) {
        await writeFile(join(directory, 'ca.pem'), [...getCACertificates('default'), ca].join('\n'));
      }
    } catch (cause) {
      this.#prepared = undefined;
      throw new GokeepError('storage_failed', 'The directory for fetching modules directly cannot be used.', {
        cause,
      });
    }
  }
}

function noGo(cause: Error): GokeepError {
  return new GokeepError(
    'no_go',
    'Modules cannot be fetched directly: there is no usable go command on the gokeep host. Install Go and git there, or remove "direct" from the upstream list.',
    { cause, detail: cause.message },
  );
}

/** Git settings that no configuration file can override. */
const GIT_CONFIG: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  // Both would start processes that outlive the command.
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'submodule.recurse': 'false',
};

function environment(s: DirectSettings): Record<string, string> {
  const below = (name: string): string => join(s.directory, name);
  const env: Record<string, string> = {
    PATH: s.path,
    HOME: below('home'),
    TMPDIR: below('tmp'),
    LC_ALL: 'C',
    GOENV: 'off',
    GOFLAGS: '-modcacherw',
    GO111MODULE: 'on',
    GOWORK: 'off',
    GOPATH: below('gopath'),
    GOMODCACHE: below('mod'),
    GOCACHE: below('build'),
    GOPROXY: 'direct',
    GOPRIVATE: '',
    // Admission compares hashes with the databases' records; go could do so only for public modules.
    GOSUMDB: 'off',
    GOTOOLCHAIN: 'local',
    GOVCS: '*:git',
    GOINSECURE: s.insecure ?? '',
    NETRC: s.netrcFile ?? '/dev/null',
    GIT_ALLOW_PROTOCOL: (s.protocols ?? ['https', 'ssh']).join(':'),
    GIT_TERMINAL_PROMPT: '0',
    GCM_INTERACTIVE: 'never',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_SSH_COMMAND: sshCommand(s),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: s.gitConfigFile ?? '/dev/null',
    GIT_CONFIG_COUNT: String(Object.keys(GIT_CONFIG).length),
  };
  for (const [i, [key, value]] of Object.entries(GIT_CONFIG).entries()) {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  if (s.ca !== undefined) {
    env['SSL_CERT_FILE'] = below('ca.pem');
    env['GIT_SSL_CAINFO'] = below('ca.pem');
  }
  for (const [name, value] of [
    ['http_proxy', s.httpProxy],
    ['https_proxy', s.httpsProxy],
    ['no_proxy', s.noProxy],
  ] as const) {
    // curl, inside git, reads http_proxy in lower case only.
    if (value !== undefined && value !== '') env[name] = env[name.toUpperCase()] = value;
  }
  return env;
}

function sshCommand(s: DirectSettings): string {
  const words = ['ssh', '-oBatchMode=yes', '-oStrictHostKeyChecking=yes'];
  if (s.sshIdentityFile !== undefined)
    words.push('-oIdentitiesOnly=yes', '-i', shellQuote(s.sshIdentityFile));
  if (s.sshKnownHostsFile !== undefined)
    words.push(shellQuote(`-oUserKnownHostsFile=${s.sshKnownHostsFile}`));
  return words.join(' ');
}

/** git hands GIT_SSH_COMMAND to a shell; the values are the administrator's. */
function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
