import { setTimeout as sleep } from 'node:timers/promises';
import { GokeepError, hasCode } from '../errors.ts';
import { isPrefixQuery, matchingPrefix, newest } from '../module/newest.ts';
import { compare } from '../module/semver.ts';
import type { HostedTables } from '../store/hosted-tables.ts';
import type { Answer } from './answer.ts';
import type { FindOptions } from './module-files.ts';
import type { Refreshable, RefreshableRequest } from './refreshable.ts';

export interface HostedAnswersOptions {
  readonly upstream: Pick<Refreshable, 'find'>;
  readonly tables: Pick<HostedTables, 'hosted' | 'yanks' | 'hostsBelow'>;
  readonly isPrivate: (path: string) => boolean;
  /** The `.info` of a version that is known to be there. */
  readonly info: (path: string, version: string, o: FindOptions) => Promise<Answer>;
  /** A failure that no client sees. */
  readonly onHiddenError: (error: unknown, what: string) => void;
  /** Milliseconds to wait for upstream where there is an answer without it. */
  readonly patience?: number;
}

/** What upstream, or offline the store, says. */
interface Said {
  readonly answer: Extract<Answer, { kind: 'bytes' }> | undefined;
  /** Why there is no answer. */
  readonly error: unknown;
}

const PATIENCE_MS = 3_000;

/**
 * `list`, `@latest` and prefix queries of modules that are published here: what upstream says, with the versions that
 * are hosted and without those that were yanked. Hosted versions are there whatever upstream does.
 *
 * What is hosted and yanked is read after upstream has answered, so that a publish is in every later answer.
 */
export class HostedAnswers {
  readonly #o: HostedAnswersOptions;

  constructor(options: HostedAnswersOptions) {
    this.#o = options;
  }

  /** Throws as Refreshable does, where nothing is hosted. */
  async find(request: RefreshableRequest, o: FindOptions): Promise<Answer> {
    const { path } = request;
    const said = await this.#ask(request, o, this.#hosted(path).length > 0);
    const hosted = this.#hosted(path);
    const yanked = new Set(this.#o.tables.yanks(path).map(({ version }) => version));
    if (hosted.length === 0 && yanked.size === 0) return this.#unchanged(request, said);
    switch (request.kind) {
      case 'list':
        return this.#list(request, said, hosted, yanked);
      case 'latest':
        return await this.#newest(request, said, hosted, yanked, o);
      case 'info':
        if (!isPrefixQuery(request.version)) return this.#unchanged(request, said);
        return await this.#newest(request, said, matchingPrefix(hosted, request.version), yanked, o);
    }
  }

  #hosted(path: string): string[] {
    return this.#o.tables.hosted(path).map(({ version }) => version);
  }

  async #ask(request: RefreshableRequest, o: FindOptions, isHosted: boolean): Promise<Said> {
    // Whoever has an answer in any case does not take upstream's from those who come next by giving up on it.
    const patient = isHosted ? { ...o, signal: new AbortController().signal } : o;
    const asked = this.#o.upstream.find(request, patient).then(
      (answer): Said => ({ answer: answer.kind === 'bytes' ? answer : undefined, error: undefined }),
      (error: unknown): Said => ({ answer: undefined, error }),
    );
    if (!isHosted) return await asked;
    const timer = new AbortController();
    const silence = sleep(this.#o.patience ?? PATIENCE_MS, undefined, {
      signal: timer.signal,
      ref: false,
    }).catch(() => undefined);
    const first = await Promise.race([asked, silence]).finally(() => timer.abort());
    return (
      first ?? {
        answer: undefined,
        error: new GokeepError('upstream_timeout', `Upstream has not answered about ${request.path} yet.`),
      }
    );
  }

  #unchanged({ path }: RefreshableRequest, { answer, error }: Said): Answer {
    if (answer !== undefined) return answer;
    // Go asks for every parent and child of a package's path. Where nobody may be asked about those, nothing is there.
    if (hasCode(error, 'refused') && this.#o.isPrivate(path) && this.#isBeside(path))
      throw new GokeepError('not_found', `No module ${path} is published here, and no upstream is asked.`, {
        cause: error,
      });
    throw error;
  }

  /** True when a module above or below this path is hosted. */
  #isBeside(path: string): boolean {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      if (this.#o.tables.hosted(path.slice(0, at)).length > 0) return true;
    return this.#o.tables.hostsBelow(path);
  }

  #list(
    request: RefreshableRequest,
    said: Said,
    hosted: readonly string[],
    yanked: ReadonlySet<string>,
  ): Answer {
    if (said.answer === undefined && hosted.length === 0) throw said.error;
    const versions = new Set([...listed(said.answer), ...hosted]);
    const body = [...versions]
      .filter((version) => !yanked.has(version))
      .sort(compare)
      .map((version) => `${version}\n`)
      .join('');
    return this.#merged(request, said, Buffer.from(body));
  }

  /** The `.info` of the newest among upstream's answer and `ours`. */
  async #newest(
    request: RefreshableRequest,
    said: Said,
    ours: readonly string[],
    yanked: ReadonlySet<string>,
    o: FindOptions,
  ): Promise<Answer> {
    const { path } = request;
    const theirs = said.answer === undefined ? undefined : versionIn(said.answer.body);
    let candidates = theirs === undefined ? [...ours] : [...ours, theirs];
    if (theirs !== undefined && yanked.has(theirs)) {
      // Upstream goes on calling the yanked one its newest, so its list has to tell which comes next.
      const others = listed((await this.#ask({ kind: 'list', path }, o, true)).answer);
      candidates.push(...(request.kind === 'info' ? matchingPrefix(others, request.version) : others));
    }
    candidates = candidates.filter((version) => !yanked.has(version));
    const best = newest(candidates);
    if (best === undefined) {
      if (said.answer === undefined && (ours.length === 0 || !isAbsence(said.error))) throw said.error;
      throw new GokeepError('not_found', `Every version of ${path} that this could mean was yanked.`);
    }
    if (best === theirs && said.answer !== undefined) return said.answer;
    const found = await this.#o.info(path, best, o);
    if (found.kind !== 'bytes') throw new GokeepError('internal', 'an .info that is a file');
    return this.#merged(request, said, found.body);
  }

  #merged(request: RefreshableRequest, { answer, error }: Said, body: Buffer): Answer {
    if (answer !== undefined) {
      const { origin, freshUntil } = answer;
      const merged = { kind: 'bytes', body, origin, immutable: false } as const;
      // An .info is read while a publish may go on: only a list is made of one reading.
      return freshUntil === undefined || request.kind !== 'list' ? merged : { ...merged, freshUntil };
    }
    if (isAbsence(error)) return { kind: 'bytes', body, origin: 'store', immutable: false };
    this.#o.onHiddenError(error, `asking upstream about ${request.path}, of which versions are hosted here`);
    return { kind: 'bytes', body, origin: 'stale', immutable: false };
  }
}

/** Upstream has nothing, or nobody is to be asked: what is hosted is all there is. */
function isAbsence(error: unknown): boolean {
  return hasCode(error, 'not_found', 'gone', 'refused', 'not_stored');
}

function listed(answer: Said['answer']): string[] {
  return answer === undefined ? [] : answer.body.toString('latin1').split('\n').filter(Boolean);
}

/** The `Version` of an .info that was checked when it came. */
function versionIn(body: Buffer): string | undefined {
  const fields = Object.entries(JSON.parse(body.toString()) as Record<string, unknown>);
  const version = fields.find(([name]) => name.toUpperCase() === 'VERSION')?.[1];
  return typeof version === 'string' ? version : undefined;
}
