/**
 * The host's git, run so that the repository it looks at decides nothing: no shell, no prompt, no system or
 * user configuration, no hooks, no transport, no replaced objects, and an end in bounded time.
 */

import { execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { GokeepError } from '../errors.ts';

export interface GitSettings {
  /** The directories in which to look for git, as in PATH. */
  readonly searchPath: string;
  /** For all commands on behalf of one module version together, in milliseconds. */
  readonly deadline: number;
}

/** How a command ended that git itself ended. */
export interface GitResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const MAX_STDERR = 64 * 1024;

/** Settings that no configuration file can override, since they count as given on the command line. */
const CONFIG: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  // Whose repository it is does not matter when nothing that it configures is run.
  'safe.directory': '*',
};

/** Runs git for one module version. */
export class Git {
  readonly #settings: GitSettings;
  readonly #subject: string;
  readonly #cwd: string;
  readonly #caller: AbortSignal | undefined;
  readonly #deadline: AbortSignal;
  readonly #signal: AbortSignal;

  /**
   * @param subject the module and version, for errors
   * @param cwd an empty directory, also git's home
   */
  constructor(settings: GitSettings, subject: string, cwd: string, signal: AbortSignal | undefined) {
    this.#settings = settings;
    this.#subject = subject;
    this.#cwd = cwd;
    this.#caller = signal;
    this.#deadline = AbortSignal.timeout(settings.deadline);
    this.#signal = signal === undefined ? this.#deadline : AbortSignal.any([signal, this.#deadline]);
  }

  /**
   * Runs git and holds what it prints.
   *
   * @param env beside the environment that all commands have
   * @param limit bytes of output
   * @returns undefined when there is more than that
   * @throws no_go when there is no git, upstream_timeout, the caller's reason for giving up
   */
  async run(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    limit: number,
  ): Promise<GitResult | undefined> {
    this.#throwIfOver();
    return await new Promise((resolve, reject) => {
      const options = { ...this.#options(env), encoding: 'buffer', maxBuffer: Math.max(limit, 1) } as const;
      execFile('git', args, options, (error, stdout, stderr) => {
        if (error === null) return resolve({ status: 0, stdout, stderr: '' });
        if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return resolve(undefined);
        const text = stderr.subarray(0, MAX_STDERR).toString();
        if (typeof error.code === 'number') return resolve({ status: error.code, stdout, stderr: text });
        reject(this.#failed(error));
      });
    });
  }

  /**
   * Runs git and has what it prints written to a new file.
   *
   * @param limit bytes of output
   * @returns undefined when there is more than that
   * @throws as run, and whatever writing the file throws
   */
  async runInto(
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    limit: number,
  ): Promise<GitResult | undefined> {
    this.#throwIfOver();
    const child = spawn('git', args, { ...this.#options(env), stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number>((resolve, reject) => {
      child.on('error', (error) => reject(this.#failed(error)));
      child.on('close', (code, killer) =>
        code === null ? reject(this.#failed(new Error(`git was ended by ${killer}`))) : resolve(code),
      );
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < MAX_STDERR) stderr += chunk.toString();
    });
    let length = 0;
    const bounded = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        length += chunk.length;
        if (length > limit) return;
        yield chunk;
      }
    };
    const written = pipeline(child.stdout, bounded, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    // Whatever ends the writing ends git, which would otherwise wait for a reader.
    written.finally(() => length > limit && child.kill('SIGKILL')).catch(() => child.kill('SIGKILL'));
    const [writing, status] = await Promise.allSettled([written, ended]);
    if (length > limit) return undefined;
    this.#throwIfOver();
    if (status.status === 'rejected') throw status.reason;
    if (writing.status === 'rejected') throw writing.reason;
    return { status: status.value, stdout: Buffer.alloc(0), stderr };
  }

  #options(env: Readonly<Record<string, string>>) {
    return {
      cwd: this.#cwd,
      env: { ...environment(this.#settings, this.#cwd), ...env },
      signal: this.#signal,
      killSignal: 'SIGKILL',
      windowsHide: true,
    } as const;
  }

  #throwIfOver(): void {
    this.#caller?.throwIfAborted();
    if (this.#deadline.aborted) throw this.#late();
  }

  #failed(error: Error): unknown {
    if (this.#caller?.aborted === true) return this.#caller.reason;
    if (this.#deadline.aborted) return this.#late();
    if (!('code' in error) || (error.code !== 'ENOENT' && error.code !== 'EACCES'))
      return new GokeepError('bad_source', `Git broke off while it read the source of ${this.#subject}.`, {
        cause: error,
      });
    return new GokeepError(
      'no_go',
      `The source of ${this.#subject} cannot be read from its git repository: there is no usable git on this machine. Install it.`,
      { cause: error },
    );
  }

  #late(): GokeepError {
    return new GokeepError(
      'upstream_timeout',
      `The source of ${this.#subject} was not read from its git repository in time: git took more than ${this.#settings.deadline / 1000} seconds.`,
    );
  }
}

function environment(settings: GitSettings, home: string): Record<string, string> {
  const env: Record<string, string> = {
    PATH: settings.searchPath,
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    // A partial clone would fetch what it lacks, with a program that its configuration names. Twice, since older
    // releases of git know the first only.
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    // A directory's name is a name, whatever characters it has.
    GIT_LITERAL_PATHSPECS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_CONFIG_COUNT: String(Object.keys(CONFIG).length),
  };
  for (const [i, [key, value]] of Object.entries(CONFIG).entries()) {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  return env;
}
