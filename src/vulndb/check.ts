import { createHash } from 'node:crypto';
import { GokeepError } from '../errors.ts';
import {
  checkVulndbFile,
  checkVulndbName,
  DB_INDEX,
  entryName,
  MODULES_INDEX,
  plainVulndbBytes,
  VULNS_INDEX,
  type IndexedVuln,
} from './rules.ts';

/** When a vulnerability was last modified, in milliseconds since 1970, as each of three places says. */
interface Known {
  modules?: number;
  vulns?: number;
  entry?: number;
}

/** SHA-256 of the JSON that a file and its gzip hold. */
interface Held {
  plain?: string;
  gzipped?: string;
}

/** Many files are missing where one thing went wrong; nobody reads on after so many. */
const MAX_SENTENCES = 20;

/**
 * Finds out whether files, added in any order, are one whole vulnerability database. Remembers names, times and hashes;
 * no bodies.
 */
export class VulndbCheck {
  readonly #known = new Map<string, Known>();
  readonly #held = new Map<string, Held>();
  #modified: { readonly at: number; readonly text: string } | undefined;

  /** What index/db.json says, as it says it; undefined before it was added. */
  get modified(): string | undefined {
    return this.#modified?.text;
  }

  /** The vulnerabilities that the indexes added so far name. */
  get indexedIds(): string[] {
    return [...this.#known].filter(([, known]) => isIndexed(known)).map(([id]) => id);
  }

  /** Takes one file, plain or gzipped. Throws bad_request for one that is none of a database, or is there already. */
  add(name: string, body: Buffer): void {
    const { plain, gzipped } = checkVulndbName(name);
    const held = this.#held.get(plain) ?? {};
    const form = gzipped ? 'gzipped' : 'plain';
    if (held[form] !== undefined) {
      throw new GokeepError('bad_request', `vulnerability database file ${name} is there twice`);
    }
    const content = checkVulndbFile(name, body);
    held[form] = createHash('sha256').update(plainVulndbBytes(name, body)).digest('base64');
    this.#held.set(plain, held);
    // The other form is held to say the same: one of them is enough.
    if (held.plain !== undefined && held.gzipped !== undefined) return;
    if (content.kind === 'db') this.#modified = { at: content.modified, text: content.modifiedText };
    else if (content.kind === 'entry') this.#of(content.id).entry = content.modified;
    else for (const vuln of content.vulns) this.#index(content.kind, vuln);
  }

  /** What is missing or contradictory, a sentence each, at most some twenty; none: the database is whole. */
  finish(): string[] {
    const problems = [...this.#problems().take(MAX_SENTENCES + 1)];
    return problems.length > MAX_SENTENCES
      ? [...problems.slice(0, MAX_SENTENCES), 'there is more that is wrong with this vulnerability database']
      : problems;
  }

  #index(kind: 'modules' | 'vulns', { id, modified }: IndexedVuln): void {
    const known = this.#of(id);
    // A vulnerability of two modules is named twice. Of two times the newer is the one that has to be found elsewhere.
    known[kind] = Math.max(known[kind] ?? Number.NEGATIVE_INFINITY, modified);
  }

  #of(id: string): Known {
    const known = this.#known.get(id) ?? {};
    this.#known.set(id, known);
    return known;
  }

  *#problems(): Generator<string, void, undefined> {
    for (const name of [DB_INDEX, MODULES_INDEX]) {
      if (!this.#held.has(name)) yield `vulnerability database file ${name} is missing`;
    }
    const inVulns = this.#held.has(VULNS_INDEX);
    for (const [id, known] of this.#known) yield* this.#problemsOf(id, known, inVulns);
    const anyGzip = this.#held.values().some(({ gzipped }) => gzipped !== undefined);
    for (const [name, { plain, gzipped }] of this.#held) {
      if (plain === undefined) yield `vulnerability database file ${name} is missing, ${name}.gz is there`;
      else if (gzipped === undefined && anyGzip) {
        yield `vulnerability database file ${name}.gz is missing, others are there`;
      } else if (gzipped !== undefined && gzipped !== plain) {
        yield `vulnerability database files ${name} and ${name}.gz do not say the same`;
      }
    }
  }

  *#problemsOf(id: string, known: Known, inVulns: boolean): Generator<string, void, undefined> {
    const { modules, vulns, entry } = known;
    const name = entryName(id);
    if (entry === undefined) {
      const index = modules === undefined ? VULNS_INDEX : MODULES_INDEX;
      yield `vulnerability database file ${name} is missing, though ${index} names it`;
    } else if (!isIndexed(known)) {
      yield `vulnerability database file ${name} is in no index`;
    }
    if (inVulns && vulns === undefined && modules !== undefined) {
      yield `vulnerability ${id} is in ${MODULES_INDEX} and not in ${VULNS_INDEX}`;
    }
    const times = [modules, vulns, entry].filter((at) => at !== undefined);
    if (new Set(times).size > 1) {
      yield `the indexes of the vulnerability database and its ${name} do not agree on when it was modified`;
    }
    if (this.#modified !== undefined && times.some((at) => at > (this.#modified?.at ?? at))) {
      yield `vulnerability ${id} was modified after ${DB_INDEX} says that anything was`;
    }
  }
}

function isIndexed({ modules, vulns }: Known): boolean {
  return modules !== undefined || vulns !== undefined;
}
