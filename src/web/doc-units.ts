import type { Documented, FuncDocs, PackageDocs, ValuesDocs } from '../godoc/package-docs.ts';

/** One thing that is documented, in the order of the page. */
export interface Unit extends Documented {
  readonly kind: 'const' | 'var' | 'func' | 'type';
  /** Under which heading it stands. */
  readonly section: 'Constants' | 'Variables' | 'Functions' | 'Types';
  /** What its anchor is called: `Name`, `Type.Method`, or the first name of a group. */
  readonly id: string;
  /** All that it declares. */
  readonly names: readonly string[];
  /** In the index; undefined for constants and variables. */
  readonly short: string | undefined;
  /** It belongs to the type above it. */
  readonly below: string | undefined;
  readonly deprecated: boolean;
}

/** All that is documented of a package. A command is documented by its package comment alone, as `go doc` has it. */
export function unitsOf(docs: PackageDocs): readonly Unit[] {
  const before = MADE.get(docs);
  if (before !== undefined) return before;
  const units = makeUnits(docs);
  MADE.set(docs, units);
  return units;
}

/** Packages are kept, and some have tens of thousands of declarations. */
const MADE = new WeakMap<PackageDocs, readonly Unit[]>();

function makeUnits({ name, consts, vars, funcs, types }: PackageDocs): Unit[] {
  if (name === 'main') return [];
  return [
    ...consts.map((each) => ofValues(each, 'Constants', undefined)),
    ...vars.map((each) => ofValues(each, 'Variables', undefined)),
    ...funcs.map((each) => ofFunc(each, 'Functions', undefined)),
    ...types.flatMap((type): Unit[] => [
      {
        ...documented(type),
        kind: 'type',
        section: 'Types',
        id: type.name,
        names: [type.name],
        short: type.short,
        below: undefined,
      },
      ...[...type.consts, ...type.vars].map((each) => ofValues(each, 'Types', type.name)),
      ...[...type.funcs, ...type.methods].map((each) => ofFunc(each, 'Types', type.name)),
    ]),
  ];
}

function documented({ code, doc, file, line }: Documented) {
  return { code, doc, file, line, deprecated: isDeprecated(doc) };
}

function ofValues(values: ValuesDocs, section: Unit['section'], below: string | undefined): Unit {
  const { kind, names } = values;
  return { ...documented(values), kind, section, id: names[0] ?? '', names, short: undefined, below };
}

function ofFunc(func: FuncDocs, section: Unit['section'], below: string | undefined): Unit {
  const id = func.receiver === undefined ? func.name : `${func.receiver}.${func.name}`;
  return { ...documented(func), kind: 'func', section, id, names: [id], short: func.short, below };
}

/** A paragraph that begins so says that nobody is to use it any more. */
export function isDeprecated(doc: string): boolean {
  return /(?:^|\n\n)Deprecated: /.test(doc);
}
