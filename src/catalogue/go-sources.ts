import type { Entry } from '../modzip/directory.ts';

/** A directory of a module in which there are Go files. */
export interface GoDirectory {
  /** Within the module, without a slash at its end; empty for the root. */
  readonly name: string;
  /** The most promising first. */
  readonly files: readonly Entry[];
}

/** What is kept of a zip's directory: far above what real modules have. */
const MOST_DIRECTORIES = 3000;
const MOST_FILES = 20;
/** Of all names that are kept, in UTF-16 units. */
const MOST_NAMES = 8 * 1024 * 1024;

/**
 * Collects the files in which packages can be documented: those that the go command looks at in directories that it looks into.
 * Keeps a bounded number of them, whatever the zip has.
 */
export class GoSources {
  readonly #found = new Map<string, { name: string; entry: Entry }[]>();
  #names = 0;

  /** @param name within the module */
  see(name: string, entry: Entry): void {
    if (!name.endsWith('.go') || this.#names > MOST_NAMES) return;
    const slash = name.lastIndexOf('/');
    const file = name.slice(slash + 1);
    if (file.endsWith('_test.go') || file.startsWith('_') || file.startsWith('.')) return;
    const directory = slash < 0 ? '' : name.slice(0, slash);
    let files = this.#found.get(directory);
    if (files === undefined) {
      if (this.#found.size >= MOST_DIRECTORIES || !isLookedInto(directory)) return;
      this.#found.set(directory, (files = []));
    }
    files.push({ name: file, entry });
    this.#names += entry.name.length;
    if (files.length > 2 * MOST_FILES) {
      for (const { entry } of sortIn(directory, files).splice(MOST_FILES)) this.#names -= entry.name.length;
    }
  }

  /** In the order in which they lie in the zip. */
  directories(): GoDirectory[] {
    return [...this.#found]
      .map(([name, files]) => ({
        name,
        files: sortIn(name, files)
          .slice(0, MOST_FILES)
          .map(({ entry }) => entry),
      }))
      .sort((a, b) => (a.files[0]?.offset ?? 0) - (b.files[0]?.offset ?? 0));
  }
}

function isLookedInto(directory: string): boolean {
  return directory
    .split('/')
    .every(
      (each) => each !== 'testdata' && each !== 'vendor' && !each.startsWith('_') && !each.startsWith('.'),
    );
}

/** doc.go, then the file that is called as its directory, then by name: Go takes the first that has a comment. */
function sortIn(directory: string, files: { name: string; entry: Entry }[]) {
  const own = `${directory.slice(directory.lastIndexOf('/') + 1)}.go`;
  const rank = (name: string) => (name === 'doc.go' ? 0 : name === own ? 1 : 2);
  return files.sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}
