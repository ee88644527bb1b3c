import type { Entry } from '../modzip/directory.ts';

/** A licence is some ten kilobytes of text; what is larger is a collection of them. In bytes. */
const LARGEST_LICENCE = 256 * 1024;
/** Files and folders that speak of licences, and the one that speaks for a whole module. */
const ABOUT_LICENCES = /^(?:licen[cs]es?|copying|unlicense)(?:[._-].*)?$/i;
const LICENCE = /^(?:licen[cs]e|copying|unlicense)(?:\.(?:txt|md|rst))?$/i;

/** Looks for the one file of a zip that says under which licence all of it is. */
export class LicenceFile {
  #found: { readonly name: string; readonly entry: Entry } | undefined;
  #several = false;

  /** @param name within the module */
  see(name: string, entry: Entry): void {
    const [first = ''] = name.split('/', 1);
    if (!ABOUT_LICENCES.test(first)) return;
    this.#several = this.#found !== undefined;
    this.#found ??= { name, entry };
  }

  /** Once all were seen: undefined where there is none, or several, of which no single one is the module's. */
  entry(): Entry | undefined {
    if (this.#found === undefined || this.#several || !LICENCE.test(this.#found.name)) return undefined;
    return this.#found.entry.size > LARGEST_LICENCE ? undefined : this.#found.entry;
  }
}
