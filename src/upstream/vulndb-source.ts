import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { GokeepError, hasCode } from '../errors.ts';
import { VulndbCheck } from '../vulndb/check.ts';
import { gunzipCapped, isGzip } from '../vulndb/gzip.ts';
import { DB_INDEX, MODULES_INDEX, VULNS_INDEX, entryName, maxVulndbBytes } from '../vulndb/rules.ts';
import { FileSource } from './file-source.ts';
import { HttpAccess } from './http-access.ts';
import type { HttpAccessOptions } from './http-access.ts';
import { takeCredentials } from './proxy-list.ts';
import type { ProxySource } from './proxy-source.ts';

export interface VulndbSourceOptions extends Omit<HttpAccessOptions, 'maxConcurrent'> {
  readonly signal?: AbortSignal | undefined;
  /** How often a copy is begun at most. Default 3. */
  readonly attempts?: number | undefined;
  /** Milliseconds before it is begun again. Default 5 s. */
  readonly pause?: number | undefined;
  /** Bytes that all files together may have. Default 512 MiB. */
  readonly maxBytes?: number | undefined;
}

/** One file of a database: its name below the base, without `.gz`, and its JSON as it was published. */
export interface VulndbFile {
  readonly name: string;
  readonly body: Buffer;
}

/** Files read at a time. */
const AT_ONCE = 8;

/**
 * Reads a whole vulnerability database (https://go.dev/security/vuln/database#api) from `source`: an http or https URL, a
 * file URL, or a directory. Gives each file once, entries first, each kind in the order of its names.
 *
 * A database that is published anew meanwhile would be read torn. So nothing is given before all of it was read,
 * index/db.json still says the same, and indexes and entries agree; otherwise all is read again. It is held in memory for
 * that. Everything that comes is attacker-controlled: names are made of checked ids only, sizes are capped, gzip is unpacked up
 * to a cap.
 *
 * Throws bad_config for a source that cannot be one, not_found, upstream_*, busy (aborted by the caller).
 */
export async function* readVulndb(
  source: string,
  o: VulndbSourceOptions,
): AsyncGenerator<VulndbFile, void, undefined> {
  const files = await wholeCopy(openSource(source, o), o);
  for (const name of [...files.keys()].sort()) {
    const body = files.get(name);
    files.delete(name);
    if (body !== undefined) yield { name, body };
  }
}

interface Opened {
  readonly base: ProxySource;
  /** Over http gzip comes first, as for govulncheck; on disk there is nothing to save. */
  readonly gzipFirst: boolean;
}

function openSource(source: string, o: VulndbSourceOptions): Opened {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) return openDirectory(path.resolve(source));
  const url = URL.canParse(source) ? new URL(source) : undefined;
  if (url === undefined || !['http', 'https', 'file'].includes(scheme)) {
    throw badSource('name a directory or an http, https or file URL');
  }
  if (scheme === 'file') {
    try {
      return openDirectory(fileURLToPath(url));
    } catch (cause) {
      throw badSource('its file URL is no absolute path', cause);
    }
  }
  url.hash = '';
  const credentials = takeCredentials(url);
  if (credentials !== undefined && scheme === 'http') {
    throw badSource('its URL would send credentials over plain http');
  }
  return { base: new HttpAccess({ ...o, maxConcurrent: AT_ONCE }).open(url, credentials), gzipFirst: true };
}

function openDirectory(directory: string): Opened {
  return { base: new FileSource(directory, `directory ${directory}`), gzipFirst: false };
}

function badSource(why: string, cause?: unknown): GokeepError {
  return new GokeepError('bad_config', `The vulnerability database cannot be read from there: ${why}.`, {
    cause,
  });
}

async function wholeCopy(opened: Opened, o: VulndbSourceOptions): Promise<Map<string, Buffer>> {
  const { base } = opened;
  const attempts = o.attempts ?? 3;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const copy = new Copy(opened, o);
      const problem = await copy.read();
      if (problem === undefined) return copy.files;
      if (attempt >= attempts) {
        throw new GokeepError(
          'upstream_failed',
          `No whole vulnerability database could be read from ${base.display} in ${attempts} attempts; if it was being published, try again later: ${problem}.`,
        );
      }
      await sleep(o.pause ?? 5_000, undefined, { signal: o.signal });
    }
  } catch (error) {
    if (error instanceof GokeepError || o.signal?.aborted !== true) throw error;
    throw new GokeepError('busy', 'Reading the vulnerability database was given up.', { cause: error });
  } finally {
    await base.close();
  }
}

/** One attempt to read a database. */
class Copy {
  readonly files = new Map<string, Buffer>();
  readonly #check = new VulndbCheck();
  readonly #base: ProxySource;
  readonly #gone = new AbortController();
  readonly #signal: AbortSignal;
  readonly #maxBytes: number;
  #gzipFirst: boolean;
  #bytes = 0;

  constructor({ base, gzipFirst }: Opened, o: VulndbSourceOptions) {
    this.#base = base;
    this.#gzipFirst = gzipFirst;
    this.#maxBytes = o.maxBytes ?? 512 * 2 ** 20;
    this.#signal =
      o.signal === undefined ? this.#gone.signal : AbortSignal.any([o.signal, this.#gone.signal]);
  }

  /** Reads all files; resolves with what shows that they are not all of one database, or undefined. */
  async read(): Promise<string | undefined> {
    await this.#take(DB_INDEX);
    await this.#take(MODULES_INDEX);
    // Copies from before it existed do not have it.
    await this.#takeIfThere(VULNS_INDEX);
    await this.#takeEntries(this.#check.indexedIds);
    const again = new VulndbCheck();
    const body = await this.#fetch(DB_INDEX);
    this.#checked(() => again.add(DB_INDEX, body));
    if (again.modified !== this.#check.modified) {
      return `${DB_INDEX} changed from ${this.#check.modified} to ${again.modified} meanwhile`;
    }
    return this.#check.finish()[0];
  }

  async #takeEntries(ids: readonly string[]): Promise<void> {
    const rest = ids.values();
    const work = async (): Promise<void> => {
      for (const id of rest) await this.#takeIfThere(entryName(id));
    };
    const workers = Array.from({ length: AT_ONCE }, work);
    try {
      await Promise.all(workers);
    } catch (error) {
      // The others must not go on behind the caller's back.
      this.#gone.abort();
      await Promise.allSettled(workers);
      throw error;
    }
  }

  /** What is absent though an index names it, the check at the end will tell. */
  async #takeIfThere(name: string): Promise<void> {
    try {
      await this.#take(name);
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  }

  async #take(name: string): Promise<void> {
    const body = await this.#fetch(name);
    this.#bytes += body.length;
    if (this.#bytes > this.#maxBytes) {
      throw this.#failed(`it is larger than ${this.#maxBytes} bytes`);
    }
    this.#checked(() => this.#check.add(name, body));
    this.files.set(name, body);
  }

  async #fetch(name: string): Promise<Buffer> {
    const [first, second] = this.#gzipFirst ? [`${name}.gz`, name] : [name, `${name}.gz`];
    try {
      return await this.#fetchOne(first);
    } catch (error) {
      if (!isAbsence(error)) throw error;
      const body = await this.#fetchOne(second).catch((other: unknown) => {
        // Of two absences the plain file's is told.
        throw second === name || !isAbsence(other) ? other : error;
      });
      // A server without gzip is not asked for it thousands of times.
      if (second === name) this.#gzipFirst = false;
      return body;
    }
  }

  async #fetchOne(name: string): Promise<Buffer> {
    const maxBytes = maxVulndbBytes(name);
    const subject = `Vulnerability database file ${name}`;
    const body = await this.#base.read(`/${name}`, { signal: this.#signal, subject, maxBytes });
    // Some stores say of a gzip file that it is an encoding, and then it comes unpacked. JSON never begins like gzip.
    if (!name.endsWith('.gz') || !isGzip(body)) return body;
    return this.#checked(() => gunzipCapped(name, body, maxBytes));
  }

  /** Here what is no database is the source's doing. */
  #checked<T>(check: () => T): T {
    try {
      return check();
    } catch (error) {
      if (!hasCode(error, 'bad_request')) throw error;
      throw this.#failed(error.message, error);
    }
  }

  #failed(why: string, cause?: unknown): GokeepError {
    return new GokeepError(
      'upstream_failed',
      `The vulnerability database at ${this.#base.display} cannot be used: ${why}.`,
      { cause },
    );
  }
}

function isAbsence(error: unknown): boolean {
  return hasCode(error, 'not_found', 'gone');
}
