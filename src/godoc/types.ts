import type { Scanner } from './scanner.ts';
import type { Field, Fields, Ident, Parameter, Signature, Span, Type, TypeForm } from './syntax.ts';

/** Nobody nests types deeper; the text is attacker-controlled. */
const DEEPEST = 100;

/** Reads types, parameters and fields (go/parser). Throws a {@link SyntaxError} for what is none. */
export class TypeReader {
  readonly s: Scanner;
  /** Structs and interfaces, in the order in which they begin. */
  readonly blocks: (Type & Fields)[] = [];
  #depth = 0;

  constructor(s: Scanner) {
    this.s = s;
  }

  /** Leaves a declaration that cannot be read. @param blocks that there were before it */
  unwind(blocks: number): void {
    this.blocks.length = blocks;
    this.#depth = 0;
  }

  ident(): Ident {
    const { s } = this;
    if (s.kind !== 'name') throw new SyntaxError('a name is missing');
    const { start, end, line, word: name } = s;
    s.next();
    return { name, start, end, line, endLine: line };
  }

  /** From somewhere to the end of the last token. */
  span(start: number, line: number): Span {
    return { start, line, end: this.s.lastEnd, endLine: this.s.lastLine };
  }

  type(): Type {
    if (++this.#depth > DEEPEST) throw new SyntaxError('nested too deeply');
    const { start, line } = this.s;
    const made = this.#type();
    this.#depth--;
    // A block is that which is among the blocks.
    return made.kind === 'struct' || made.kind === 'interface'
      ? (made as Type)
      : { ...made, ...this.span(start, line) };
  }

  #type(): TypeForm {
    const { s } = this;
    if (s.take('*')) return { kind: 'pointer', of: this.type() } as const;
    if (s.take('(')) {
      const of = this.type();
      s.expect(')');
      return { kind: 'paren', of } as const;
    }
    if (s.take('...')) return { kind: 'rest', of: this.type() } as const;
    if (s.is('[')) {
      const from = s.end;
      s.skipBlock();
      const length = s.text.slice(from, s.lastEnd - 1).trim();
      return { kind: 'array', length, of: this.type() } as const;
    }
    if (s.is('struct') || s.is('interface')) return this.#fields();
    if (s.take('func')) return { kind: 'func', signature: this.signature() } as const;
    if (s.take('map')) {
      s.expect('[');
      const key = this.type();
      s.expect(']');
      return { kind: 'map', key, of: this.type() } as const;
    }
    if (s.is('chan') || s.is('<-')) {
      if (s.take('<-')) s.expect('chan');
      else {
        s.next();
        s.take('<-');
      }
      this.type();
      return { kind: 'other' };
    }
    return this.#named();
  }

  #named(): TypeForm {
    const { s } = this;
    const { start, line } = s;
    let { name } = this.ident();
    let kind: 'name' | 'selector' = 'name';
    if (s.take('.')) {
      kind = 'selector';
      ({ name } = this.ident());
    }
    const of = { kind, name, ...this.span(start, line) } as const;
    if (!s.is('[') || s.isOnNewLine) return of;
    s.next();
    const args: Type[] = [];
    while (!s.is(']')) {
      args.push(this.union());
      if (!s.take(',')) break;
    }
    s.expect(']');
    return { kind: 'generic', of, args };
  }

  /** A type, or what stands for types in a constraint. */
  union(): Type {
    const { s } = this;
    const { start, line } = s;
    let isUnion = s.take('~');
    const first = this.type();
    while (s.take('|')) {
      isUnion = true;
      s.take('~');
      this.type();
    }
    return isUnion ? { kind: 'other', ...this.span(start, line) } : first;
  }

  /** @param close which bracket ends them; the opening one was taken */
  parameters(close: ')' | ']'): Parameter[] {
    const { s } = this;
    const found: { name: string | undefined; type: Type }[] = [];
    while (!s.is(close)) {
      found.push(this.#parameter(close));
      if (!s.take(',')) break;
    }
    s.expect(close);
    if (found.every(({ name }) => name === undefined)) return found.map(({ type }) => ({ names: [], type }));
    const grouped: { names: string[]; type: Type }[] = [];
    let names: string[] = [];
    for (const { name, type } of found) {
      // In a list with names, what looks like a type alone is a name that shares the type of the next.
      names.push(name ?? (type.kind === 'name' ? type.name : '_'));
      if (name === undefined) continue;
      grouped.push({ names, type });
      names = [];
    }
    return grouped;
  }

  #parameter(close: ')' | ']'): { name: string | undefined; type: Type } {
    const { s } = this;
    const { start, line, end, kind, word } = s;
    if (kind !== 'name' || word === 'struct' || word === 'interface' || isTypeKeyword(word))
      return { name: undefined, type: this.union() };
    s.next();
    const alone: Type = { kind: 'name', name: word, start, end, line, endLine: line };
    if (s.is(',') || s.is(close)) return { name: undefined, type: alone };
    if (s.is('.') || s.is('|')) {
      s.jump(start);
      return { name: undefined, type: this.union() };
    }
    if (s.is('[')) {
      const bracket = s.start;
      s.skipBlock();
      const isGeneric = s.is(',') || s.is(close) || s.is('|');
      s.jump(isGeneric ? start : bracket);
      if (isGeneric) return { name: undefined, type: this.union() };
    }
    return { name: word, type: this.union() };
  }

  /** After `func` and a name: parameters and results. */
  signature(typeParameters: readonly Parameter[] = []): Signature {
    const { s } = this;
    s.expect('(');
    const parameters = this.parameters(')');
    let results: Parameter[] = [];
    if (s.is('(') && !s.isOnNewLine) {
      s.next();
      results = this.parameters(')');
    } else if (!s.isOnNewLine && this.#beginsType()) results = [{ names: [], type: this.type() }];
    return { typeParameters, parameters, results, end: s.lastEnd };
  }

  #beginsType(): boolean {
    const { s } = this;
    return s.kind === 'name' || s.is('*') || s.is('[') || s.is('<-');
  }

  #fields(): Type {
    const { s } = this;
    const { start, line } = s;
    const kind = s.word as 'struct' | 'interface';
    s.next();
    const open = { start: s.start, end: s.end, line: s.line, endLine: s.line };
    s.expect('{');
    const at = this.blocks.length;
    // Its place is before those that are in it.
    this.blocks.push(undefined as unknown as Type & Fields);
    const fields: Field[] = [];
    while (!s.is('}')) {
      fields.push(kind === 'struct' ? this.#field() : this.#element());
      if (!s.take(';') && !s.isOnNewLine && !s.is('}')) throw new SyntaxError('a line has to end here');
    }
    const close = { start: s.start, end: s.end, line: s.line, endLine: s.line };
    s.next();
    const block = { kind, fields, open, close, ...this.span(start, line) };
    this.blocks[at] = block;
    return block;
  }

  #field(): Field {
    const { s } = this;
    const { start, line, lead: doc } = s;
    let names: Ident[] = [];
    let type: Type;
    if (s.kind === 'name' && !isTypeKeyword(s.word)) {
      const first = this.ident();
      if (s.is('.') || s.is(';') || s.is('}') || s.isLiteral || s.isOnNewLine || this.#isGeneric()) {
        s.jump(start);
        type = this.type();
      } else {
        names = [first];
        while (s.take(',')) names.push(this.ident());
        type = this.type();
      }
    } else type = this.type();
    let tag: Span | undefined;
    if (s.kind === 'literal' && !s.isOnNewLine) {
      tag = { start: s.start, end: s.end, line: s.line, endLine: s.line };
      s.next();
    }
    return { names, type, tag, doc, ...this.#closed(start, line) };
  }

  /** Whether `[` after a name begins the arguments of an embedded generic type: then the line ends behind them. */
  #isGeneric(): boolean {
    const { s } = this;
    if (!s.is('[')) return false;
    const { start } = s;
    s.skipBlock();
    const is = s.isOnNewLine || s.is(';') || s.is('}') || s.kind === 'literal';
    s.jump(start);
    return is;
  }

  #element(): Field {
    const { s } = this;
    const { start, line, lead: doc } = s;
    if (s.kind === 'name' && !isTypeKeyword(s.word)) {
      const name = this.ident();
      if (s.is('(') && !s.isOnNewLine) {
        const { start: from, line: at } = s;
        const signature = this.signature();
        const type: Type = { kind: 'func', signature, ...this.span(from, at) };
        return { names: [name], type, tag: undefined, doc, ...this.#closed(start, line) };
      }
      s.jump(start);
    }
    return { names: [], type: this.union(), tag: undefined, doc, ...this.#closed(start, line) };
  }

  #closed(start: number, line: number) {
    const span = this.span(start, line);
    const comment = this.trailing();
    return { ...span, comment };
  }

  /** The comment behind what was read, also where a semicolon is before it. */
  trailing(): Field['comment'] {
    const { s } = this;
    if (s.trail !== undefined || !s.is(';')) return s.trail;
    s.next();
    return s.trail;
  }
}

function isTypeKeyword(word: string): boolean {
  return ['func', 'map', 'chan', 'struct', 'interface'].includes(word);
}
