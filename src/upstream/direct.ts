import { open, readFile, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { GokeepError } from '../errors.ts';
import { escapePath, escapeVersion } from '../module/escape.ts';
import { MAX_BYTES, checkAnswer, subjectOf } from './answer-checks.ts';
import type { SmallRequest } from './answer-checks.ts';
import { writeAll, zipOnly } from './chunks.ts';
import { directError } from './direct-verdict.ts';
import { fileChunks } from './file-source.ts';
import { isHidden } from './git-answer.ts';
import { FailingHosts } from './failing-hosts.ts';
import type { Attempt, FailingHost } from './failing-hosts.ts';
import { entryFor, hostIn } from './git-host.ts';
import { GoCommand, hostOf } from './go-command.ts';
import type { CommandResult, DirectSettings, Run } from './go-command.ts';

/** The fields of `go list -m -json` and `go mod download -json` that are used. */
interface GoJson {
  readonly Version?: unknown;
  readonly Versions?: unknown;
  readonly Dir?: unknown;
  readonly Error?: unknown;
}

/**
 * `direct`: modules from their own repositories, by the host's go command. One instance per directory. Its answers
 * are the files that go puts into its module cache, byte for byte.
 */
export class DirectSource {
  readonly display = 'direct';
  readonly #go: GoCommand;
  readonly #settings: DirectSettings;
  readonly #failing = new FailingHosts(() => performance.now());

  constructor(settings: DirectSettings) {
    this.#settings = settings;
    this.#go = new GoCommand(settings);
  }

  /** Hosts that have not answered since they failed, the latest first. */
  failing(): FailingHost[] {
    return this.#failing.failing();
  }

  /** Throws not_found, no_go, refused, bad_version, upstream_*, storage_failed, busy. */
  async fetch(request: SmallRequest, signal: AbortSignal | undefined): Promise<Buffer> {
    const { path } = request;
    const subject = subjectOf(request);
    return await this.#failing.attempt(this.#hostsOf(path), subject, (attempt) =>
      this.#fetch(request, { path, subject, signal, ...attempt }),
    );
  }

  async #fetch(request: SmallRequest, asked: Asking): Promise<Buffer> {
    const { subject } = asked;
    if (request.kind === 'list') {
      const versions = await this.#versions(asked);
      return checkAnswer(
        request,
        Buffer.from(versions.map((version) => `${version}\n`).join('')),
        this.display,
      );
    }
    const query = 'version' in request ? request.version : 'latest';
    const args = ['list', '-m', '-json', '--', argument(request.path, query)];
    const { Version: version } = await this.#json(args, asked);
    if (typeof version !== 'string') throw unexpected(subject, 'go named no version');
    const kind = request.kind === 'mod' ? 'mod' : 'info';
    return checkAnswer(request, await this.#cached(request.path, version, kind, subject), this.display);
  }

  /** Writes to an empty file from its beginning; resolves with the number of bytes. Throws as fetch, and storage_full. */
  async fetchZip(
    path: string,
    version: string,
    file: FileHandle,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const subject = subjectOf({ kind: 'zip', path, version });
    const args = ['mod', 'download', '-json', '--', argument(path, version)];
    const { Dir: extracted } = await this.#failing.attempt(this.#hostsOf(path), subject, (attempt) =>
      this.#json(args, { path, subject, signal, ...attempt }),
    );
    const name = this.#cacheFile(path, version, 'zip');
    try {
      await using zip = await open(name, 'r');
      const { size } = await zip.stat();
      if (size > MAX_BYTES.zip) throw unexpected(subject, 'its zip is too large');
      return await writeAll(file, zipOnly(fileChunks(zip, size), subject, 'its repository'));
    } catch (cause) {
      throw cause instanceof GokeepError ? cause : unexpected(subject, 'go left no zip behind', cause);
    } finally {
      // The store keeps the zip; go's copies, one of them unpacked, would only fill the disk.
      if (typeof extracted === 'string' && extracted.startsWith(`${this.#go.modCache}/`)) {
        await rm(extracted, { recursive: true, force: true });
      }
      await rm(name, { force: true });
    }
  }

  /**
   * The commits that the tags of a repository name now, annotated tags followed to theirs: `refs/tags/v1.0.0` → 40 or 64
   * hexadecimal digits. One `git ls-remote`.
   *
   * Throws as fetch; not_found alone says that the host answered and shows no such repository.
   *
   * @param url of http, https or ssh, without a login
   * @param path a module in it, whose logins count
   */
  async tags(url: string, path: string, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const subject = `Module ${path}`;
    const args = ['ls-remote', '-q', '--tags', '--end-of-options', url];
    return await this.#failing.attempt([this.#gitHost(hostIn(url), url)], subject, async (attempt) => {
      const asked = { path, subject, signal, ...attempt };
      const { status, stdout, stderr } = await this.#go.git(args, asked);
      if (status === 0) return tagsIn(stdout);
      const error = await this.#failed({ status, stdout: '', stderr }, asked);
      if (!isHidden(stderr)) throw error;
      throw new GokeepError('not_found', error.message, { detail: error.detail ?? '' });
    });
  }

  async #versions(asked: Asking): Promise<readonly string[]> {
    // With @latest a path that is no module is told from a module without tags, which has an empty list. With
    // -e a broken latest version does not hide the others. Retracted versions stay: clients need their go.mod.
    const args = [
      'list',
      '-m',
      '-e',
      '-versions',
      '-retracted',
      '-json',
      '--',
      argument(asked.path, 'latest'),
    ];
    const result = await this.#go.run(args, asked);
    const json = parse(result.stdout);
    if (json === undefined) throw await this.#failed(result, asked);
    const versions = Array.isArray(json.Versions) ? json.Versions.filter((v) => typeof v === 'string') : [];
    if (versions.length === 0 && json.Error !== undefined) throw await this.#failed(result, asked, json);
    return versions;
  }

  async #json(args: readonly string[], asked: Asking): Promise<GoJson> {
    const result = await this.#go.run(args, asked);
    const json = parse(result.stdout);
    if (result.status !== 0 || json === undefined || json.Error !== undefined) {
      throw await this.#failed(result, asked, json);
    }
    return json;
  }

  async #cached(path: string, version: string, kind: 'info' | 'mod', subject: string): Promise<Buffer> {
    const name = this.#cacheFile(path, version, kind);
    try {
      const { size } = await stat(name);
      if (size > MAX_BYTES[kind]) throw unexpected(subject, `its .${kind} file is too large`);
      return await readFile(name);
    } catch (cause) {
      throw cause instanceof GokeepError
        ? cause
        : unexpected(subject, `go left no .${kind} file behind`, cause);
    }
  }

  #cacheFile(path: string, version: string, kind: 'info' | 'mod' | 'zip'): string {
    return join(this.#go.downloads, escapePath(path), '@v', `${escapeVersion(version)}.${kind}`);
  }

  async #failed(result: CommandResult, asked: Asking, json?: GoJson): Promise<GokeepError> {
    const { path, subject } = asked;
    const { credentials, caFile } = this.#settings;
    const said = await this.#reason(`${errorText(json)}\n${result.stderr}`.trim(), asked);
    const failed = { path, subject, credentials, caFile, directory: this.#go.modCache };
    const { error, host } = await directError(said, failed);
    const isPage = /\?go-get=1|unrecognized import path/.test(said);
    if (isPage) asked.name(pagesOf(host ?? hostOf(path)));
    else if (host !== undefined) asked.name(host);
    return error;
  }

  /**
   * For a path with `.git` in it go tries one protocol after the other, and does not say what they answered. Then git is
   * asked once more, as go would.
   */
  async #reason(said: string, { path, subject, signal }: Asking): Promise<string> {
    const root = /^(?:[a-z0-9-]+\.)+[a-z0-9-]+(?::\d+)?(?:\/~?[\w.-]+?)+(?=\.git(?:\/|$))/.exec(path)?.[0];
    if (root === undefined || !/no (?:secure )?protocol found for repository/.test(said)) return said;
    const args = ['ls-remote', '-q', '--end-of-options', `https://${root}`, 'HEAD'];
    const { status, stderr } = await this.#go.git(args, { path, subject, signal });
    return status === 0 ? said : stderr;
  }

  /**
   * Whose silence ends a request for a path. A host's pages and its repositories are two: many a git server has no pages,
   * and git may be told to ask elsewhere, while `go get` asks for a page of every parent that has no `.git` in it.
   */
  #hostsOf(path: string): [string, ...string[]] {
    const own = hostOf(path);
    const git = this.#gitHost(own, `https://${path}`);
    return /\.git(?:\/|$)/.test(path) ? [git] : [pagesOf(own), git];
  }

  /** The host that git asks for an address: its own, or the one that is to be asked instead. */
  #gitHost(own: string, address: string): string {
    const url = entryFor(this.#settings.credentials?.hosts ?? [], address)?.url;
    return url === undefined ? own : hostIn(url);
  }
}

/** A host as the one that has go-import pages, among those that FailingHosts knows. */
function pagesOf(host: string): string {
  return `https://${host}`;
}

/** A question on its way. */
type Asking = Run & Attempt;

/**
 * `PATH@VERSION` as one argument that is nothing else. Callers have parsed both; this is the last line before a
 * command line (CVE-2025-68119), so it trusts nobody. Throws bad_path, bad_version, refused.
 */
function argument(path: string, query: string): string {
  escapePath(path);
  escapeVersion(query);
  if (/^[-/]|[/\s@\\]/.test(query)) {
    throw new GokeepError('bad_version', `Module ${path} was asked for at a version that is not one.`);
  }
  // go asks the host in a path for its repository: a literal address would make it knock at our own network's doors.
  if (/^[\d.]+(?:\/|$)/.test(path)) {
    throw new GokeepError('refused', `Module ${path} is named by an IP address and is not fetched directly.`);
  }
  return `${path}@${query}`;
}

/** What `git ls-remote` prints: a line `HASH<tab>REF` each, and `REF^{}` for what an annotated tag stands for. */
function tagsIn(stdout: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    const [, hash, tag] = /^([0-9a-f]{40,64})\t(refs\/tags\/.+?)(?:\^\{\})?$/.exec(line) ?? [];
    // The line with ^{} comes behind that of the tag itself.
    if (hash !== undefined && tag !== undefined) tags.set(tag, hash);
  }
  return tags;
}

function parse(stdout: string): GoJson | undefined {
  try {
    const value: unknown = JSON.parse(stdout);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `go list` has `{"Err": text}`, `go mod download` the text itself. */
function errorText(json: GoJson | undefined): string {
  const error = json?.Error;
  if (typeof error === 'string') return error;
  const inner = (error as { readonly Err?: unknown } | undefined)?.Err;
  return typeof inner === 'string' ? inner : '';
}

function unexpected(subject: string, why: string, cause?: unknown): GokeepError {
  return new GokeepError('upstream_failed', `${subject} could not be fetched from its repository: ${why}.`, {
    cause,
  });
}
