import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { getCACertificates } from 'node:tls';

import { GokeepError } from '../errors.ts';
import { removeLeftovers, watchSpace } from './clone-space.ts';
import { GIT_LOGIN, GO_LOGIN } from './git-logins.ts';
import { LAYOUT, goEnvironment } from './go-environment.ts';
import type { GoSurroundings } from './go-environment.ts';
import type { Places } from './places.ts';
import { sshConfig } from './ssh-config.ts';
import { Watch } from './watch.ts';

/** How `direct` runs the host's go command and git. */
export interface DirectSettings extends GoSurroundings {
  /** The go command, by name or absolute path. Default: `go`. */
  readonly go?: string | undefined;
  /** Milliseconds for one command; then its whole process group is killed. */
  readonly deadline: number;
  /** Commands at a time, and how many of them may ask one host; whoever shares it is bounded together. */
  readonly places: Places;
  /** Bytes of the largest file that git or go may write, which bounds a repository: its history comes as one. */
  readonly maxFile: number;
  /** Bytes that have to stay free on the disk; a command that uses them up is killed. */
  readonly diskReserve: number;
}

/** What a command is run for. */
export interface Run {
  /** The module path, unescaped. */
  readonly path: string;
  /** `Module example.com/m@v1.0.0` */
  readonly subject: string;
  readonly signal: AbortSignal | undefined;
  /** Called when the command's turn has come; what it throws ends the run. */
  readonly start?: (() => void) | undefined;
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
/** How long the pipes of a command that has ended may still hold something to read. */
const PIPES_MS = 1_000;

/**
 * Runs the host's go command so that a repository, whose contents and server are attacker-controlled, finds
 * nothing to use: no shell, no version control but git (CVE-2018-16873, CVE-2025-68119), no hooks, no configuration,
 * credentials or caches but those given, no terminal, no other toolchain, and an end.
 */
export class GoCommand {
  readonly #settings: DirectSettings;
  #prepared: Promise<void> | undefined;
  #certificatesSeen: string | undefined;
  #running = 0;
  #cleaning: Promise<void> | undefined;

  constructor(settings: DirectSettings) {
    // Relative paths would mean something else to go, which runs elsewhere.
    this.#settings = { ...settings, directory: resolve(settings.directory) };
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
   * when the caller gives up, storage_failed when the directory cannot be used, bad_config for an unreadable CA file.
   */
  async run(args: readonly string[], run: Run): Promise<CommandResult> {
    return await this.#run(this.#settings.go ?? 'go', args, run);
  }

  /** Runs `git` in the same surroundings. Throws as run. */
  async git(args: readonly string[], run: Run): Promise<CommandResult> {
    return await this.#run('git', args, run);
  }

  async #run(program: string, args: readonly string[], run: Run): Promise<CommandResult> {
    const watch = new Watch(run.subject, 'its repository', run.signal);
    let leave: (() => void) | undefined;
    let stopWatching: (() => void) | undefined;
    try {
      leave = await this.#settings.places.enter(hostOf(run.path), watch.signal);
      run.start?.();
      this.#prepared ??= this.#prepare();
      await this.#prepared;
      await this.#certificates();
      watch.deadline(
        this.#settings.deadline,
        `${hostOf(run.path)} took longer than ${this.#settings.deadline / 1000} s`,
      );
      const { directory, diskReserve } = this.#settings;
      stopWatching = watchSpace(directory, diskReserve, (error) => watch.end(error));
      while (this.#cleaning !== undefined) await this.#cleaning;
      this.#running++;
      let failed = true;
      try {
        const result = await this.#spawn(program, args, run.path, watch.signal);
        failed = result.status !== 0;
        return result;
      } finally {
        this.#running--;
        if (failed && this.#running === 0) await this.#clean();
      }
    } catch (error) {
      throw watch.signal.aborted ? watch.signal.reason : error;
    } finally {
      stopWatching?.();
      watch.stop();
      leave?.();
    }
  }

  async #spawn(
    program: string,
    args: readonly string[],
    path: string,
    signal: AbortSignal,
  ): Promise<CommandResult> {
    signal.throwIfAborted();
    const ended = Promise.withResolvers<CommandResult>();
    // `detached` makes the child the leader of a process group, which holds git, ssh and credential helpers too.
    // The text for the shell is this one; what clients have a say in comes behind it, as arguments of go.
    const blocks = String(Math.ceil(this.#settings.maxFile / 512));
    const child = spawn('/bin/sh', ['-c', 'ulimit -f "$0" && exec "$@"', blocks, program, ...args], {
      cwd: join(this.#settings.directory, LAYOUT.work),
      env: goEnvironment(this.#settings, path),
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
    // Whatever go has left running holds our pipes open, and `close` waits for them; what has left the group too (a
    // credential helper may start a daemon) is not waited for.
    let letGo: NodeJS.Timeout | undefined;
    child.on('exit', () => {
      killGroup();
      letGo = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, PIPES_MS);
    });
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
      if (result.status === 126 || result.status === 127) throw noGo(new Error(result.stderr));
      return result;
    } finally {
      clearTimeout(letGo);
      signal.removeEventListener('abort', killGroup);
    }
  }

  /** No command starts before it is done, so that nothing is removed under one. */
  async #clean(): Promise<void> {
    this.#cleaning = removeLeftovers(this.modCache).finally(() => {
      this.#cleaning = undefined;
    });
    await this.#cleaning;
  }

  async #prepare(): Promise<void> {
    const { directory, credentials } = this.#settings;
    const below = (name: string): string => join(directory, name);
    try {
      for (const name of [LAYOUT.home, LAYOUT.work, 'bin', 'tmp', 'mod', 'gopath', 'build']) {
        await mkdir(below(name), { recursive: true, mode: 0o700 });
      }
      // go looks for a go.mod in all parent directories; it finds this empty one first.
      await writeFile(below(join(LAYOUT.work, 'go.mod')), 'module gokeep.invalid/direct\n\ngo 1.21\n');
      await removeLeftovers(this.modCache);
      // git's HTTP transport knows no NETRC variable.
      const homeNetrc = below(join(LAYOUT.home, '.netrc'));
      await rm(homeNetrc, { force: true });
      if (credentials?.netrcFile !== undefined) await symlink(credentials.netrcFile, homeNetrc);
      await writeFile(below(LAYOUT.sshConfig), sshConfig(credentials ?? { hosts: [] }), { mode: 0o600 });
      for (const [name, script] of [
        [LAYOUT.gitLogin, GIT_LOGIN],
        [LAYOUT.goLogin, GO_LOGIN],
      ] as const) {
        await writeFile(below(name), script);
        await chmod(below(name), 0o700);
      }
    } catch (cause) {
      this.#prepared = undefined;
      throw new GokeepError('storage_failed', 'The directory for fetching modules directly cannot be used.', {
        cause,
      });
    }
  }

  /** The default roots and those of `caFile`, which is read again when it has changed. */
  async #certificates(): Promise<void> {
    const { caFile, directory } = this.#settings;
    if (caFile === undefined) return;
    try {
      const { mtimeMs, size, ino } = await stat(caFile);
      const seen = [mtimeMs, size, ino].join(' ');
      if (seen === this.#certificatesSeen) return;
      const all = [...getCACertificates('default'), await readFile(caFile, 'utf8')].join('\n');
      // A command that is running reads the old one or the new one, whole.
      const name = join(directory, LAYOUT.ca);
      const written = `${name}.${randomUUID()}`;
      await writeFile(written, all);
      await rename(written, name);
      this.#certificatesSeen = seen;
    } catch (cause) {
      // In the middle of being replaced: the ones read before still count.
      if (this.#certificatesSeen !== undefined) return;
      throw new GokeepError(
        'bad_config',
        `The file ${caFile} (direct.ca) cannot be read on the gokeep host.`,
        {
          cause,
        },
      );
    }
  }
}

/** The first element of a module path. */
export function hostOf(path: string): string {
  return path.split('/', 1)[0] ?? path;
}

function noGo(cause: Error): GokeepError {
  return new GokeepError(
    'no_go',
    'Modules cannot be fetched directly: there is no usable go command on the gokeep host. Install Go and git there, or remove "direct" from the upstream list.',
    { cause, detail: cause.message },
  );
}
