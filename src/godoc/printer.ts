import { commentText } from './comment-text.ts';
import { isExported } from './names.ts';
import { type CommentGroup, literalEnd } from './scanner.ts';
import type { Field, Fields, SourceFile, ValueSpec } from './syntax.ts';
import { TabWriter } from './tab-writer.ts';

/** A type longer than this, in characters, is cut: nobody reads it, and a page has to stay small. */
const LONGEST = 1_000_000;

/** Tabs before a line. Each is a column, which takes time with the number of those before it. */
const DEEPEST = 100;

export interface ShownSpec extends ValueSpec {
  /** Of a constant that has the type of one before it, which is not shown. */
  readonly carried: string | undefined;
}

/** Prints as `go doc` does: what gofmt has laid out as it is, but for fields and values, whose columns change where some are left out. */
export class Printer {
  readonly out = new TabWriter();
  readonly #file: SourceFile;
  /** How deeply what is printed is indented in its file. */
  readonly #base: number;
  /** Of the file, of what was printed last. */
  line = 0;
  #multiline = false;

  constructor(file: SourceFile, base: number) {
    this.#file = file;
    this.#base = base;
  }

  toString(): string {
    const text = this.out.toString();
    return text.length <= LONGEST ? text : `${text.slice(0, LONGEST).toWellFormed()}…`;
  }

  /** Of a file as it is, but for comments, and structs and interfaces in it. */
  range(start: number, end: number): void {
    const { blocks } = this.#file;
    const { indent } = this.out;
    let at = start;
    for (let n = firstFrom(blocks, start); n < blocks.length; n++) {
      const block = blocks[n];
      if (block === undefined || block.start >= end) break;
      if (block.start < at) continue;
      this.#verbatim(at, block.start);
      this.fields(block, false);
      at = block.end;
    }
    this.#verbatim(at, end);
    this.out.indent = indent;
  }

  #verbatim(start: number, end: number): void {
    const { text } = this.#file;
    let pending = '';
    for (let at = start; at < end; ) {
      PIECE.lastIndex = at;
      const piece = PIECE.exec(text)?.[0] ?? text[at] ?? '';
      const c = piece[0] ?? '';
      if (c === '/' && (piece[1] === '/' || piece[1] === '*')) {
        at = literalEnd(text, at);
        continue;
      }
      if (c === ' ' || c === '\t' || c === '\n' || c === '\r') {
        pending += piece;
        at += piece.length;
        continue;
      }
      this.#space(pending);
      pending = '';
      const to = c === '"' || c === '`' || c === "'" ? literalEnd(text, at) : at + piece.length;
      const written = text.slice(at, Math.min(to, end));
      this.#multiline ||= written.includes('\n');
      this.out.write(written);
      at = to;
    }
    if (!pending.includes('\n')) this.#space(pending);
  }

  #space(space: string): void {
    const lines = space.split('\n').length - 1;
    if (lines === 0) {
      this.out.write(space.replaceAll('\r', ''));
      return;
    }
    const tail = space.slice(space.lastIndexOf('\n') + 1);
    this.out.newline(Math.min(lines, 2), true);
    this.out.indent = Math.min(Math.max(tail.split('\t').length - 1 - this.#base, 0), DEEPEST);
    this.out.write(tail.replaceAll('\t', ''));
    this.#multiline = true;
  }

  /** A struct or an interface. @param trimmed leaves unexported fields and methods out */
  fields({ kind, fields, open, close }: Fields, trimmed: boolean): void {
    const { out } = this;
    const shown = trimmed ? fields.filter((field) => isShown(field, kind)) : fields;
    const isTrimmed = shown.length < fields.length;
    out.write(kind);
    if (!isTrimmed && open.line === close.line && this.#short(shown)) return;
    out.write(' {');
    this.line = open.line;
    if (shown.length > 0 || isTrimmed) {
      out.indent++;
      out.newline(1, true);
      const separator = shown.length + (isTrimmed ? 1 : 0) === 1 ? ' ' : '\t';
      for (const [at, field] of shown.entries()) {
        this.goTo(field, at === 0, trimmed);
        this.#field(field, kind, separator);
      }
      if (isTrimmed) {
        // Where `go doc` puts it: on the line before the brace.
        const line =
          close.start > 0 && this.#file.text[close.start - 1] === '\n' ? close.line - 1 : close.line;
        this.#lines(line, shown.length === 0);
        out.write(`// Has unexported ${kind === 'struct' ? 'fields' : 'methods'}.`);
      }
      out.indent--;
    }
    this.close(close.line, isTrimmed ? undefined : shown.at(-1)?.comment);
    out.write('}');
    this.line = close.line;
    this.#multiline = true;
  }

  /** On one line, where gofmt would leave it there. */
  #short(shown: readonly Field[]): boolean {
    const [field] = shown;
    if (field === undefined) {
      this.out.write('{}');
      return true;
    }
    if (shown.length > 1 || field.tag !== undefined || field.comment !== undefined) return false;
    if (field.type.end - field.type.start + (field.names.length > 0 ? 1 : 0) > 30) return false;
    this.out.write('{ ');
    this.range(field.start, field.end);
    this.out.write(' }');
    return true;
  }

  #field({ names, type, tag, comment, endLine }: Field, kind: Fields['kind'], separator: string): void {
    let columns = 2;
    if (names.length > 0) {
      this.out.write(names.map(({ name }) => name).join(', '));
      if (kind === 'struct') this.#separate(separator);
      columns = 1;
    }
    this.range(type.start, type.end);
    if (tag !== undefined) {
      if (names.length > 0 && separator === '\t') this.#separate(separator);
      this.#separate(separator);
      this.range(tag.start, tag.end);
      columns = 0;
    }
    this.line = endLine;
    if (comment !== undefined) this.trailing(comment, kind === 'struct' && separator === '\t' ? columns : 0);
  }

  spec(
    { names, type, carried, values, comment, endLine }: ShownSpec,
    separator: string,
    keep: boolean,
  ): void {
    let columns = 3;
    this.out.write(names.map(({ name }) => name).join(', '));
    if (type !== undefined || carried !== undefined || (keep && separator === '\t')) {
      this.#separate(separator);
      columns--;
    }
    if (type !== undefined) this.range(type.start, type.end);
    else if (carried !== undefined) this.out.write(carried);
    const first = values[0];
    if (first !== undefined) {
      this.#separate(separator);
      this.out.write('= ');
      this.range(first.start, values.at(-1)?.end ?? first.end);
      columns--;
    }
    this.line = endLine;
    if (comment !== undefined) this.trailing(comment, separator === '\t' ? columns : 0);
  }

  #separate(separator: string): void {
    if (separator === '\t') this.out.column();
    else this.out.write(separator);
  }

  /** A comment behind something. @param columns that are left before it */
  trailing(comment: CommentGroup | undefined, columns = 0): void {
    if (comment === undefined) return;
    for (let n = 0; n < columns; n++) this.out.column();
    if (columns === 0) this.out.column(true);
    const { indent } = this.out;
    for (const [at, { text, endLine }] of comment.entries()) {
      if (at > 0) this.out.write(' ');
      for (const [n, line] of text.split('\n').entries()) {
        if (n > 0) {
          this.out.newline(1, true);
          this.out.indent = 0;
        }
        this.out.write(line);
      }
      this.line = endLine;
    }
    this.out.indent = indent;
  }

  /** Begins the line of a closing bracket; behind a comment a line stays empty where gofmt leaves it. */
  close(line: number, comment: CommentGroup | undefined): void {
    this.out.newline(comment !== undefined && line - this.line > 1 ? 2 : 1, true);
  }

  /** Begins the line of a field or value, below the comment above it. @param asText prints its words, without directives */
  goTo({ doc, line }: Field | ValueSpec, isFirst: boolean, asText = false): void {
    if (doc === undefined || doc.length === 0) {
      this.#lines(line, isFirst);
      return;
    }
    this.#lines(doc[0]?.line ?? line, isFirst, true);
    const { out } = this;
    if (asText) {
      const text = commentText(doc);
      const lines = (doc.at(-1)?.text.length === 2 ? text : text.replace(/\n$/, '')).split('\n');
      for (const each of lines) {
        out.write(`${each.startsWith('\t') ? '//' : '// '}${each}`);
        out.newline(1, true);
      }
      // Where a directive stood.
      if (line > (doc[0]?.line ?? line) + lines.length) out.newline(1, true);
    } else {
      for (const { text } of doc) {
        for (const each of text.split('\n')) {
          out.write(each.replace(/^\t+/, text.startsWith('/*') ? '' : '$&'));
          out.newline(1, true);
        }
      }
    }
    this.line = line;
  }

  /** A new line, and one more where the file has some. */
  #lines(line: number, isFirst: boolean, breaks = false): void {
    const apart = Math.min(Math.max(line - this.line, 1), 2);
    const count = isFirst ? (breaks ? apart - 1 : 0) : apart;
    this.out.newline(count, breaks || this.#multiline);
    this.#multiline = false;
    this.line = line;
  }
}

/** White space, what may hide it, words, or anything else that is one character. */
const PIECE = /[ \t\r\n]+|\/[/*]|["`']|[\p{L}\p{Nd}_]+|[^\s]/uy;

/** Index of the first block that begins there or later. */
function firstFrom(blocks: readonly { readonly start: number }[], start: number): number {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((blocks[middle]?.start ?? 0) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether `go doc` shows it (cmd/doc, trimUnexportedFields). */
function isShown({ names, type }: Field, kind: Fields['kind']): boolean {
  if (names.length > 0) return names.every(({ name }) => isExported(name));
  const embedded = type.kind === 'pointer' && kind === 'struct' ? type.of : type;
  if (embedded.kind !== 'name' && embedded.kind !== 'selector') return true;
  if (kind === 'interface' && ['error', 'comparable'].includes(embedded.name)) return true;
  return isExported(embedded.name);
}
