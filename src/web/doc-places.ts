import type { DocPlaces } from './doc-comment.ts';
import type { PackageDocs, TypeDocs } from '../godoc/package-docs.ts';
import type { DocVisit } from './doc-page.ts';
import type { Unit } from './doc-units.ts';
import { docLink } from './links.ts';

/** Packages whose name alone is a link's (go/doc/comment, stdPkgs). */
const STANDARD = new Set(
  (
    'bufio bytes cmp context crypto embed encoding errors expvar flag fmt hash html image io iter log maps math mime ' +
    'net os path plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing time unicode unique ' +
    'unsafe weak'
  ).split(' '),
);

/** Packages that are looked for: comments are attacker-controlled, and may name very many. */
const MOST_LOOKED_FOR = 200;
/** Code, in characters, whose fields are looked at for one page. A type may have a million. */
const MOST_CODE = 2_000_000;

/** Where names in the comments of a package lead: to this package, or to another that is held here and may be read. */
export function placesOf(doc: DocVisit, local: (name: string) => string): DocPlaces {
  const { site, visit, path, version, docs, units } = doc;
  const own = namesOf(docs, units);
  const imports = new Map(Object.entries(docs.imports));
  const requires = () => site.catalogue.facts(path, version)?.requires ?? [];
  const known = new Map<string, string | undefined>();
  const fields = new Fields(docs);
  const pageOf = (importPath: string): string | undefined => {
    if (isWithin(importPath, path)) return docLink(path, version, importPath.slice(path.length + 1));
    const found = requires()
      .filter((each) => isWithin(importPath, each.path) && visit.mayRead(each.path))
      .sort((a, b) => b.path.length - a.path.length)
      .find((each) => site.catalogue.versions(each.path).some((held) => held.version === each.version));
    return found && docLink(found.path, found.version, importPath.slice(found.path.length + 1));
  };
  return {
    // A field has no anchor of its own; its type has.
    has: (name) => own.has(name) || fields.has(name),
    imported: (name) => imports.get(name) ?? (STANDARD.has(name) ? name : undefined),
    link: (importPath, name) => {
      if (importPath === '') return local(own.has(name) ? name : (name.split('.')[0] ?? ''));
      if (!known.has(importPath) && known.size < MOST_LOOKED_FOR) known.set(importPath, pageOf(importPath));
      const page = known.get(importPath);
      if (page === undefined) return undefined;
      return name === '' ? page : `${page}#${encodeURIComponent(name)}`;
    },
  };
}

const NAMES = new WeakMap<PackageDocs, ReadonlySet<string>>();

/** All names of a package, of which some have tens of thousands. */
function namesOf(docs: PackageDocs, units: readonly Unit[]): ReadonlySet<string> {
  const names = NAMES.get(docs) ?? new Set(units.flatMap((unit) => unit.names));
  NAMES.set(docs, names);
  return names;
}

function isWithin(importPath: string, path: string): boolean {
  return importPath === path || importPath.startsWith(`${path}/`);
}

/** Fields of structs and methods of interfaces, by the code of each type, which is read once. */
class Fields {
  readonly #types: ReadonlyMap<string, TypeDocs>;
  readonly #read = new Map<string, ReadonlySet<string>>();
  #left = MOST_CODE;

  constructor({ types }: PackageDocs) {
    this.#types = new Map(types.map((type) => [type.name, type]));
  }

  /** @param name as `Type.Field` */
  has(name: string): boolean {
    const [type = '', field] = name.split('.');
    if (field === undefined) return false;
    let found = this.#read.get(type);
    if (found === undefined) {
      const code = this.#types.get(type)?.code ?? '';
      this.#left -= code.length;
      if (this.#left < 0) return false;
      found = new Set([...code.matchAll(NAMES_OF_FIELD)].flatMap(([, names = '']) => names.split(', ')));
      this.#read.set(type, found);
    }
    return found.has(field);
  }
}

const NAMES_OF_FIELD = /\n\t((?:[\p{L}\p{Nd}_]+, )*[\p{L}\p{Nd}_]+)/gu;
