import { type CommentGroup, Scanner } from './scanner.ts';
import type {
  Declaration,
  FuncDeclaration,
  Parameter,
  SourceFile,
  Span,
  TypeDeclaration,
  ValueSpec,
} from './syntax.ts';
import { TypeReader } from './types.ts';

/** After so many declarations that cannot be read, the rest of a file is left. */
const MOST_BROKEN = 20;
/** Declarations of one file that are read. */
const MOST_DECLARATIONS = 50_000;

/** Where a declaration may begin after one that cannot be read. */
const BEGINNING = /\n(?=(?:func|type|var|const)[ \t(])/g;

/**
 * Reads the declarations of a Go file. Function bodies are passed over, and so is what cannot be read: the file is then `broken`.
 *
 * @param text attacker-controlled
 * @returns undefined where there is no package clause
 */
export function readSourceFile(name: string, text: string): SourceFile | undefined {
  let reader: FileReader;
  try {
    reader = new FileReader(text);
    return reader.read(name);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A declaration as it is read, before its file is whole. */
type Found = Declaration extends infer D ? (D extends Declaration ? Omit<D, 'file'> : never) : never;

class FileReader {
  readonly #s: Scanner;
  readonly #types: TypeReader;
  readonly #found: Found[] = [];
  readonly #imports: { name: string | undefined; path: string }[] = [];
  #broken = 0;

  constructor(text: string) {
    this.#s = new Scanner(text);
    this.#types = new TypeReader(this.#s);
  }

  read(name: string): SourceFile {
    const s = this.#s;
    const doc = s.lead;
    s.expect('package');
    const packageName = this.#types.ident().name;
    while (s.kind !== 'end' && this.#found.length < MOST_DECLARATIONS && this.#broken < MOST_BROKEN) {
      const kept = this.#types.blocks.length;
      try {
        if (!s.take(';')) this.#declaration();
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        this.#broken++;
        this.#types.unwind(kept);
        BEGINNING.lastIndex = s.start;
        const next = BEGINNING.exec(s.text);
        s.jump(next === null ? s.text.length : BEGINNING.lastIndex);
      }
    }
    const declarations: Declaration[] = [];
    const file: SourceFile = {
      name,
      text: s.text,
      packageName,
      doc,
      imports: this.#imports,
      declarations,
      blocks: this.#types.blocks,
      broken: this.#broken > 0,
    };
    for (const found of this.#found) declarations.push({ ...found, file });
    return file;
  }

  #declaration(): void {
    const s = this.#s;
    if (s.is('import')) this.#group(() => this.#import());
    else if (s.is('func')) this.#func();
    else if (s.is('type')) {
      const { lead: doc, line } = s;
      this.#group((grouped) => this.#type(grouped, doc, line));
    } else if (s.is('const') || s.is('var')) this.#values(s.word as 'const' | 'var');
    else throw new SyntaxError('a declaration is missing');
  }

  /** One thing after a keyword, or many in parentheses. */
  #group(read: (grouped: boolean) => void): void {
    const s = this.#s;
    s.next();
    if (!s.take('(')) {
      read(false);
      return;
    }
    while (!s.is(')')) {
      read(true);
      s.take(';');
    }
    s.next();
  }

  #import(): void {
    const s = this.#s;
    let name: string | undefined;
    if (s.kind !== 'literal') {
      name = s.word;
      s.next();
    }
    if (s.kind !== 'literal') throw new SyntaxError('a path is missing');
    this.#imports.push({ name, path: s.word.slice(1, -1) });
    s.next();
  }

  #func(): void {
    const s = this.#s;
    const { start, line, lead: doc } = s;
    s.next();
    let receiver: Parameter | undefined;
    let receiverType: FuncDeclaration['receiverType'];
    if (s.take('(')) {
      [receiver] = this.#types.parameters(')');
      if (receiver !== undefined) receiverType = { start: receiver.type.start, end: receiver.type.end };
    }
    const { name } = this.#types.ident();
    const typeParameters = s.take('[') ? this.#types.parameters(']') : [];
    const signature = this.#types.signature(typeParameters);
    if (s.is('{') && !s.isOnNewLine) s.skipBlock();
    this.#found.push({
      kind: 'func',
      name,
      line,
      doc,
      receiver,
      signature,
      start,
      end: signature.end,
      receiverType,
    });
  }

  #type(grouped: boolean, groupDoc: CommentGroup | undefined, groupLine: number): void {
    const s = this.#s;
    const { lead } = s;
    const doc = grouped ? (lead ?? groupDoc) : groupDoc;
    const name = this.#types.ident();
    const from = s.start;
    let parameters: Parameter[] = [];
    if (s.is('[') && this.#hasTypeParameters()) {
      s.next();
      parameters = this.#types.parameters(']');
    }
    const head = parameters.length > 0 ? { start: from, end: s.lastEnd } : { start: name.end, end: name.end };
    const isAlias = s.take('=');
    const type = this.#types.type();
    const comment = this.#types.trailing();
    const line = grouped ? name.line : groupLine;
    const found: Omit<TypeDeclaration, 'file'> = {
      kind: 'type',
      name,
      line,
      doc,
      comment,
      parameters,
      head,
      isAlias,
      type,
      grouped,
    };
    this.#found.push(found);
  }

  /** `[N]T` is an array, `[P any]` are parameters (go/parser, parseTypeSpec). The head is at the bracket. */
  #hasTypeParameters(): boolean {
    const s = this.#s;
    const { start } = s;
    s.next();
    let is = false;
    if (s.kind === 'name') {
      s.next();
      is =
        s.kind === 'name' ||
        ['[', '~', ',', '<-'].some((word) => s.is(word)) ||
        ((s.is('*') || s.is('(')) && this.#hasComma());
    }
    s.jump(start);
    return is;
  }

  /** Up to the bracket that closes the one before. */
  #hasComma(): boolean {
    const s = this.#s;
    while (!s.is(']') && s.kind !== 'end') {
      if (s.is(',')) return true;
      if (s.is('(') || s.is('[') || s.is('{')) s.skipBlock();
      else s.next();
    }
    return false;
  }

  #values(kind: 'const' | 'var'): void {
    const s = this.#s;
    const { line, lead: doc } = s;
    const specs: ValueSpec[] = [];
    let grouped = false;
    this.#group((inGroup) => {
      grouped = inGroup;
      specs.push(this.#value());
    });
    if (specs.length === 0) return;
    this.#found.push({ kind, line, doc, grouped, openLine: line, closeLine: s.lastLine, specs });
  }

  #value(): ValueSpec {
    const s = this.#s;
    const { start, line, lead: doc } = s;
    const names = [this.#types.ident()];
    while (s.take(',')) names.push(this.#types.ident());
    const ends = () => s.isOnNewLine || s.is(';') || s.is(')');
    const type = ends() || s.is('=') ? undefined : this.#types.type();
    const values: Span[] = [];
    if (s.is('=') && !s.isOnNewLine) {
      do {
        s.next();
        values.push(this.#expression());
      } while (s.is(','));
    }
    const span = this.#types.span(start, line);
    return { ...span, names, type, values, doc, comment: this.#types.trailing() };
  }

  /** An expression ends where a comma, a semicolon or an end of line that stands for one does. */
  #expression(): Span {
    const s = this.#s;
    const { start, line } = s;
    let isOpen = true;
    while (s.kind !== 'end') {
      // After an operator the next line goes on.
      if (!isOpen && (s.isOnNewLine || s.is(',') || s.is(';') || s.is(')'))) break;
      if (s.is('(') || s.is('[') || s.is('{')) {
        s.skipBlock();
        isOpen = false;
      } else {
        isOpen = s.kind === 'operator' || ['func', 'struct', 'interface', 'map', 'chan'].includes(s.word);
        if (isOpen && (s.is(')') || s.is(']') || s.is('}')))
          throw new SyntaxError('an expression is missing');
        s.next();
      }
    }
    return this.#types.span(start, line);
  }
}
