import { commentText } from './comment-text.ts';
import { type BaseType, baseType, isExported, PREDECLARED_TYPES } from './names.ts';
import { funcOnOneLine, typeOnOneLine } from './one-line.ts';
import type { FuncDocs, PackageDocs, TypeDocs, ValuesDocs } from './package-docs.ts';
import { printFunc, printType, printValues } from './print.ts';
import type { Field, FuncDeclaration, SourceFile, TypeDeclaration, ValueDeclaration } from './syntax.ts';
import { importsOf } from './used-imports.ts';

/** A declaration with its comment, as text. */
interface Documented<D> {
  readonly declaration: D;
  readonly doc: string;
}

interface Func extends Documented<FuncDeclaration> {
  /** By how many types it was embedded. */
  readonly level: number;
  /** In the place of the declared one. */
  readonly receiver: string | undefined;
  /** The type that declares it. */
  readonly of: string;
}

/** By name; undefined for one that two embedded types have. */
type FuncSet = Map<string, Func | undefined>;

interface NamedType {
  readonly name: string;
  declaration: Documented<TypeDeclaration> | undefined;
  isEmbedded: boolean;
  /** And whether it is embedded as a pointer. */
  readonly embedded: Map<NamedType, boolean>;
  readonly values: (Documented<ValueDeclaration> & { readonly order: number })[];
  readonly funcs: FuncSet;
  readonly methods: FuncSet;
}

/** Types and methods that one type gets by embedding, by every way to them, and how deep that is looked for. Nobody has more. */
const MOST_EMBEDDED = 2_000;
const DEEPEST = 20;

/** Groups the declarations of a package's files as go/doc does. */
export function readPackage(files: readonly SourceFile[], whole = true, system = 'linux/amd64'): PackageDocs {
  return { ...new PackageReader(files).docs(whole && files.every(({ broken }) => !broken)), system };
}

class PackageReader {
  readonly #files: readonly SourceFile[];
  readonly #types = new Map<string, NamedType>();
  readonly #values: NamedType['values'] = [];
  readonly #funcs: FuncSet = new Map();
  #order = 0;

  constructor(files: readonly SourceFile[]) {
    this.#files = [...files].sort((a, b) => compare(a.name, b.name));
    const all = this.#files.flatMap(({ declarations }) => declarations);
    for (const each of all) {
      if (each.kind === 'type') this.#addType(each);
      else if (each.kind !== 'func') this.#addValues(each);
    }
    // Only now that all types are known.
    for (const each of all) if (each.kind === 'func') this.#addFunc(each);
    for (const type of this.#types.values()) {
      const { declaration } = type;
      if (declaration?.declaration.type.kind === 'struct') this.#embed(type);
    }
    this.#cleanUp();
  }

  docs(whole: boolean): Omit<PackageDocs, 'system'> {
    const types = [...this.#types.values()].sort((a, b) => compare(a.name, b.name));
    // What belongs to a type that is not seen is shown with what belongs to none.
    const hidden = types.filter(({ name }) => !isExported(name));
    const values = (kind: 'const' | 'var') => [
      ...this.#sortedValues(this.#values, kind),
      ...hidden.flatMap((type) => this.#sortedValues(type.values, kind)),
    ];
    return {
      name: this.#files[0]?.packageName ?? '',
      doc: this.#files
        .flatMap(({ doc }) => (doc === undefined ? [] : [commentText(doc)]))
        .reduce((all, text) => (all === '' ? text : `${all}\n${text}`), ''),
      consts: values('const'),
      vars: values('var'),
      funcs: [...this.#sortedFuncs(this.#funcs), ...hidden.flatMap(({ funcs }) => this.#sortedFuncs(funcs))],
      types: types.filter(({ name }) => isExported(name)).flatMap((type) => this.#typeDocs(type)),
      imports: importsOf(this.#files),
      whole,
    };
  }

  #typeDocs({ name, declaration, values, funcs, methods }: NamedType): TypeDocs[] {
    if (declaration === undefined) return [];
    const { declaration: type, doc } = declaration;
    return [
      {
        kind: 'type',
        name,
        short: typeOnOneLine(type),
        code: printType(type),
        doc,
        file: type.file.name,
        line: type.line,
        consts: this.#sortedValues(values, 'const'),
        vars: this.#sortedValues(values, 'var'),
        funcs: this.#sortedFuncs(funcs),
        methods: this.#sortedFuncs(methods, name),
      },
    ];
  }

  #sortedValues(values: NamedType['values'], kind: 'const' | 'var'): ValuesDocs[] {
    const name = ({ declaration: { specs } }: (typeof values)[number]) =>
      specs.length === 1 ? (specs[0]?.names[0]?.name ?? '') : '';
    return values
      .filter(({ declaration }) => declaration.kind === kind)
      .sort((a, b) => compare(name(a), name(b)) || a.order - b.order)
      .flatMap(({ declaration, doc }) => {
        const code = printValues(declaration);
        const names = declaration.specs
          .flatMap((spec) => spec.names.map((each) => each.name))
          .filter(isExported);
        return code === ''
          ? []
          : [{ kind, names, code, doc, file: declaration.file.name, line: declaration.line }];
      });
  }

  #sortedFuncs(funcs: FuncSet, methodsOf?: string): FuncDocs[] {
    return [...funcs]
      .sort(([a], [b]) => compare(a, b))
      .flatMap(([name, func]) => {
        if (func === undefined || !isExported(name)) return [];
        // What came with an exported type is told of there.
        if (func.level > 0 && isExported(func.of)) return [];
        const { declaration, receiver, doc } = func;
        const { file, line } = declaration;
        const code = printFunc(declaration, receiver);
        const short = funcOnOneLine(declaration);
        return [{ kind: 'func', name, receiver: methodsOf, code, short, doc, file: file.name, line }];
      });
  }

  #lookUp(name: string): NamedType {
    let type = this.#types.get(name);
    if (type === undefined) {
      type = {
        name,
        declaration: undefined,
        isEmbedded: false,
        embedded: new Map(),
        values: [],
        funcs: new Map(),
        methods: new Map(),
      };
      this.#types.set(name, type);
    }
    return type;
  }

  #addType(declaration: TypeDeclaration): void {
    if (declaration.name.name === '_') return;
    const type = this.#lookUp(declaration.name.name);
    type.declaration = { declaration, doc: commentText(declaration.doc ?? []) };
    const { type: made } = declaration;
    if (made.kind === 'struct' || made.kind === 'interface')
      for (const field of made.fields) this.#recordEmbedded(type, field);
  }

  #recordEmbedded(type: NamedType, { names, type: embedded }: Field): void {
    const base = names.length > 0 ? undefined : baseType(embedded);
    if (base === undefined || base.imported || base.name === '_') return;
    const found = this.#lookUp(base.name);
    found.isEmbedded = true;
    type.embedded.set(found, embedded.kind === 'pointer');
  }

  /** Those of which most have one type of this package belong to that. */
  #addValues(declaration: ValueDeclaration): void {
    let dominant = '';
    let frequency = 0;
    let before = '';
    for (const { type, values } of declaration.specs) {
      let name = '';
      if (type !== undefined) {
        const base = baseType(type);
        if (base !== undefined && !base.imported) name = base.name;
      } else if (declaration.kind === 'const' && values.length === 0) name = before;
      if (name !== '') {
        if (dominant !== '' && dominant !== name) {
          dominant = '';
          break;
        }
        dominant = name;
        frequency++;
      }
      before = name;
    }
    const isTyped =
      dominant !== '' && dominant !== '_' && frequency >= Math.trunc(declaration.specs.length * 0.75);
    const values = isTyped ? this.#lookUp(dominant).values : this.#values;
    values.push({ declaration, doc: commentText(declaration.doc ?? []), order: this.#order++ });
  }

  #addFunc(declaration: FuncDeclaration): void {
    const { receiver } = declaration;
    if (receiver !== undefined) {
      const base = baseType(receiver.type);
      if (base !== undefined && !base.imported && base.name !== '_')
        set(this.#lookUp(base.name).methods, declaration, base.name);
      return;
    }
    const made = this.#madeType(declaration);
    set(made === undefined ? this.#funcs : this.#lookUp(made).funcs, declaration, '');
  }

  /** The one type of this package among the results; undefined where there is none, or more. */
  #madeType({ signature: { results, typeParameters } }: FuncDeclaration): string | undefined {
    let made: string | undefined;
    for (const { type } of results) {
      const base: BaseType | undefined = baseType(type.kind === 'array' ? type.of : type);
      if (base === undefined || base.imported || this.#isPredeclared(base.name) || base.name === '_')
        continue;
      if (typeParameters.some(({ names }) => names.includes(base.name))) continue;
      if (made !== undefined) return undefined;
      made = base.name;
    }
    return made;
  }

  #isPredeclared(name: string): boolean {
    return PREDECLARED_TYPES.has(name) && !this.#types.has(name);
  }

  #embed(type: NamedType): void {
    const budget = { left: MOST_EMBEDDED };
    this.#collect(type.methods, type, type.name, false, 1, new Set(), budget);
  }

  #collect(
    into: FuncSet,
    type: NamedType,
    receiver: string,
    isPointer: boolean,
    level: number,
    visited: Set<NamedType>,
    budget: { left: number },
  ): void {
    if (level > DEEPEST || budget.left-- <= 0) return;
    visited.add(type);
    for (const [embedded, byPointer] of type.embedded) {
      const pointer = isPointer || byPointer;
      for (const [name, method] of embedded.methods) {
        if (method === undefined || method.level > 0 || budget.left-- <= 0) continue;
        const isOwn = method.declaration.receiver?.type.kind === 'pointer';
        add(into, name, { ...method, level, receiver: `${!pointer && isOwn ? '*' : ''}${receiver}` });
      }
      if (!visited.has(embedded))
        this.#collect(into, embedded, receiver, pointer, level + 1, visited, budget);
    }
    visited.delete(type);
  }

  /** What belongs to a type that is declared nowhere belongs to none, or is left out. */
  #cleanUp(): void {
    const hasDot = this.#files.some(({ imports }) => imports.some(({ name }) => name === '.'));
    for (const [key, { name, declaration, isEmbedded, values, funcs, methods }] of this.#types) {
      if (declaration !== undefined) continue;
      const isPredeclared = PREDECLARED_TYPES.has(name);
      if (isPredeclared || isEmbedded || hasDot) {
        this.#values.push(...values);
        for (const [name, func] of funcs) this.#funcs.set(name, func);
        if (!isPredeclared)
          for (const [name, method] of methods) if (!this.#funcs.has(name)) this.#funcs.set(name, method);
      }
      this.#types.delete(key);
    }
  }
}

/** The first with a comment counts. */
function set(funcs: FuncSet, declaration: FuncDeclaration, of: string): void {
  const before = funcs.get(declaration.name);
  if (before !== undefined && before.doc !== '') return;
  const doc = commentText(declaration.doc ?? []);
  funcs.set(declaration.name, { declaration, doc, level: 0, receiver: undefined, of });
}

function add(funcs: FuncSet, name: string, func: Func): void {
  const before = funcs.get(name);
  if (!funcs.has(name) || (before !== undefined && func.level < before.level)) funcs.set(name, func);
  else if (before?.level === func.level) funcs.set(name, undefined);
}

/** By bytes, as Go compares; by UTF-16 units, which differ beyond the basic plane only. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
