import { LicenceFile } from '../audit/licence-file.ts';
import { licenceOf } from '../audit/licence.ts';
import { hasCode } from '../errors.ts';
import { parseModFile } from '../modfile/mod-file.ts';
import { checkPath } from '../module/path.ts';
import { readStart } from '../modzip/content.ts';
import { type Entry, findDirectory, readDirectory } from '../modzip/directory.ts';
import { badZip, type ZipSource, ZipWindow } from '../modzip/zip-source.ts';
import type { Package, VersionFacts } from './catalogue.ts';
import { readGoFile } from './go-file.ts';
import { type GoDirectory, GoSources } from './go-sources.ts';
import { isBetterReadme, isReadme } from './readme-file.ts';
import { synopsisOf } from './synopsis.ts';

/** What is read of one Go file. Nobody's licence header and package comment are longer. In bytes. */
const START_OF_FILE = 64 * 1024;
const LARGEST_LICENCE = 256 * 1024;
/** go.mod files of real modules have some ten kilobytes; one beyond this is taken to require nothing. In bytes. */
const LARGEST_GO_MOD = 1024 * 1024;
const MOST_REQUIREMENTS = 5000;
/** Files read of one zip, what they may unpack to, and how far a zip may have its reader jump about. */
const MOST_FILES = 6000;
const MOST_UNPACKED = 64 * 1024 * 1024;
const MOST_READ = 256 * 1024 * 1024;

/**
 * Reads out of a module's zip what the catalogue says of it. Takes bounded time and memory whatever is in it: of a zip beyond
 * the bounds, which no real one reaches, some packages lack.
 *
 * @throws bad_zip
 */
export async function readFacts(source: ZipSource, path: string, version: string): Promise<VersionFacts> {
  const zip = new BoundedZip(source, await findDirectory(source));
  const prefix = `${path}@${version}/`;
  const licence = new LicenceFile();
  const go = new GoSources();
  let readme: string | undefined;
  let goMod: Entry | undefined;
  for await (const entry of readDirectory(source, zip.directory)) {
    if (!entry.name.startsWith(prefix)) throw badZip(`it has a file outside of ${prefix}`);
    const name = entry.name.slice(prefix.length);
    if (isReadme(name) && isBetterReadme(name, readme)) readme = name;
    if (name === 'go.mod') goMod = entry;
    licence.see(name, entry);
    go.see(name, entry);
  }
  const licenceText = await zip.text(licence.entry(), LARGEST_LICENCE);
  const requires = requirementsOf(await zip.text(goMod, LARGEST_GO_MOD));
  const packages = await readPackages(zip, go.directories(), path);
  return {
    path,
    version,
    synopsis: packages.find((each) => each.importPath === path)?.synopsis ?? '',
    readme,
    licence: licenceText === undefined ? undefined : licenceOf(licenceText),
    packages: packages.sort((a, b) => (a.importPath < b.importPath ? -1 : 1)),
    requires,
  };
}

/** First one file of each directory, so that all have a name, then more of those that no sentence was found for. */
async function readPackages(
  zip: BoundedZip,
  directories: readonly GoDirectory[],
  path: string,
): Promise<Package[]> {
  const found = new Map<string, Package>();
  const look = async ({ name: directory }: GoDirectory, entry: Entry | undefined): Promise<boolean> => {
    const text = await zip.text(entry, START_OF_FILE, { cut: true });
    const file = text === undefined ? undefined : readGoFile(text);
    if (file === undefined || file.ignored) return false;
    const seen = found.get(directory);
    if (seen !== undefined && seen.name !== file.name) return false;
    const importPath = directory === '' ? path : `${path}/${directory}`;
    const synopsis = synopsisOf(file.doc);
    found.set(directory, { importPath, name: file.name, synopsis });
    return synopsis !== '';
  };
  const undocumented: GoDirectory[] = [];
  for (const each of directories) if (!(await look(each, each.files[0]))) undocumented.push(each);
  for (const each of undocumented)
    for (const entry of each.files.slice(1)) if (await look(each, entry)) break;
  return [...found.values()];
}

function requirementsOf(text: string | undefined): VersionFacts['requires'] {
  if (text === undefined) return [];
  try {
    const { require } = parseModFile(Buffer.from(text), { lax: true });
    return require
      .slice(0, MOST_REQUIREMENTS)
      .filter(({ path }) => isModulePath(path))
      .map(({ path, version, indirect }) => ({ path, version, indirect }));
  } catch (error) {
    if (hasCode(error, 'bad_mod_file')) return [];
    throw error;
  }
}

function isModulePath(path: string): boolean {
  try {
    checkPath(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'bad_path')) return false;
    throw error;
  }
}

/** Reads files of a zip until it has cost enough. */
class BoundedZip {
  readonly directory: Awaited<ReturnType<typeof findDirectory>>;
  readonly #source: ZipSource;
  readonly #window: ZipWindow;
  #files = 0;
  #unpacked = 0;
  #read = 0;

  constructor(source: ZipSource, directory: BoundedZip['directory']) {
    this.directory = directory;
    this.#source = {
      size: source.size,
      read: (position, length, into) => {
        this.#read += length;
        return source.read(position, length, into);
      },
    };
    this.#window = new ZipWindow(this.#source);
  }

  /** Undefined for none, for one that is larger than `most` unless it may be `cut`, and once enough was read. */
  async text(entry: Entry | undefined, most: number, { cut = false } = {}): Promise<string | undefined> {
    if (entry === undefined || (entry.size > most && !cut)) return undefined;
    if (this.#files >= MOST_FILES || this.#unpacked >= MOST_UNPACKED || this.#read >= MOST_READ)
      return undefined;
    this.#files++;
    this.#unpacked += Math.min(entry.size, 1024 * 1024);
    const bytes = await readStart(this.#source, this.#window, entry, this.directory.offset, most);
    return bytes.toString('utf8');
  }
}
