/**
 * Go source as tokens (go/scanner), with the comments between them, which document what follows or stands before them. The text
 * is attacker-controlled: time is linear in its length, and nothing but a {@link SyntaxError} comes out of what is no Go.
 */

export interface Comment {
  readonly text: string;
  readonly line: number;
  readonly endLine: number;
}

export type CommentGroup = readonly Comment[];

export type TokenKind = 'name' | 'literal' | 'operator' | 'end';

const SPACE = /[ \t\r]*/y;
const WORD = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const NUMBER = /(?:[0-9][0-9a-zA-Z_]*\.?|\.[0-9])(?:[eEpP][+-]|[0-9a-zA-Z_.])*/y;
const OPERATOR = /\.\.\.|<<=|>>=|&\^=|[-+*/%&|^<>=!:]=|<<|>>|&\^|&&|\|\||<-|\+\+|--|[^\s]/uy;

/** The token under the head, and what is around it. */
export class Scanner {
  readonly text: string;
  kind: TokenKind = 'end';
  /** As it stands there. */
  word = '';
  start = 0;
  end = 0;
  line = 1;
  /** Where the token before it ended. */
  lastEnd = 0;
  lastLine = 0;
  /** Comments right above it. */
  lead: CommentGroup | undefined;
  /** Comments behind the token before it, on that line. */
  trail: CommentGroup | undefined;
  #at: number;
  #line = 1;

  constructor(text: string) {
    this.text = text;
    this.#at = text.startsWith('\ufeff') ? 1 : 0;
    this.next();
  }

  /** Whether a new line, which ends a statement, is between it and the token before. */
  get isOnNewLine(): boolean {
    return this.line > this.lastLine || this.kind === 'end';
  }

  get isLiteral(): boolean {
    return this.kind === 'literal';
  }

  is(word: string): boolean {
    return this.word === word && this.kind !== 'literal' && this.kind !== 'end';
  }

  take(word: string): boolean {
    if (!this.is(word)) return false;
    this.next();
    return true;
  }

  expect(word: string): void {
    if (!this.take(word)) throw new SyntaxError(`${word} is missing`);
  }

  next(): void {
    this.lastEnd = this.end;
    this.lastLine = this.#line;
    const comments = this.#skip();
    this.start = this.#at;
    this.line = this.#line;
    this.#groups(comments);
    this.#read();
    this.end = this.#at;
  }

  /** Goes behind the bracket that closes the one under the head. Strings and comments in between may have brackets. */
  skipBlock(): void {
    const { text } = this;
    let depth = 1;
    let at = this.end;
    while (depth > 0) {
      BLOCK.lastIndex = at;
      const found = BLOCK.exec(text);
      if (found === null) throw new SyntaxError('a bracket is not closed');
      at = BLOCK.lastIndex;
      const c = found[0];
      if (c === '{' || c === '(' || c === '[') depth++;
      else if (c === '}' || c === ')' || c === ']') depth--;
      else at = literalEnd(text, found.index);
    }
    this.#goTo(at);
    this.end = at;
    this.next();
  }

  /** Goes to another place: back to a token that was read before, or to where the next declaration may begin. */
  jump(to: number): void {
    const { text } = this;
    for (let at = text.lastIndexOf('\n', this.#at - 1); at >= to; at = text.lastIndexOf('\n', at - 1))
      this.#line--;
    if (to >= this.#at) this.#goTo(to);
    this.#at = to;
    this.next();
  }

  /** Skips white space, and gives the comments in it. */
  #skip(): Comment[] {
    const { text } = this;
    const comments: Comment[] = [];
    for (;;) {
      SPACE.lastIndex = this.#at;
      SPACE.exec(text);
      this.#at = SPACE.lastIndex;
      const c = text[this.#at];
      if (c === '\n') {
        this.#at++;
        this.#line++;
      } else if (c === '/' && (text[this.#at + 1] === '/' || text[this.#at + 1] === '*')) {
        const start = this.#at;
        const line = this.#line;
        this.#goTo(literalEnd(this.text, start));
        const comment = text.slice(start, this.#at);
        comments.push({ text: comment.replaceAll('\r', ''), line, endLine: this.#line });
      } else return comments;
    }
  }

  /** go/parser, next: which comments belong to what is before them, and which to what follows. */
  #groups(comments: readonly Comment[]): void {
    this.lead = this.trail = undefined;
    let at = 0;
    const group = (apart: number): CommentGroup => {
      const first = at;
      let end = comments[at]?.endLine ?? 0;
      for (at++; at < comments.length && (comments[at]?.line ?? 0) <= end + apart; at++)
        end = comments[at]?.endLine ?? 0;
      return comments.slice(first, at);
    };
    if (comments[0]?.line === this.lastLine && this.lastEnd > 0) {
      const behind = group(0);
      const following = comments[at]?.line ?? this.line;
      if (following !== behind.at(-1)?.endLine || this.#at >= this.text.length) this.trail = behind;
    }
    let last: CommentGroup | undefined;
    while (at < comments.length) last = group(1);
    if (last !== undefined && (last.at(-1)?.endLine ?? 0) + 1 === this.line) this.lead = last;
  }

  #read(): void {
    const { text } = this;
    const c = text[this.#at];
    if (c === undefined) {
      this.kind = 'end';
      this.word = '';
      return;
    }
    const starts = this.#at;
    if (c === '"' || c === '`' || c === "'") {
      this.kind = 'literal';
      this.#goTo(literalEnd(this.text, this.#at));
    } else if (this.#match(WORD)) this.kind = 'name';
    else if (((c >= '0' && c <= '9') || c === '.') && this.#match(NUMBER)) this.kind = 'literal';
    else {
      this.kind = 'operator';
      if (!this.#match(OPERATOR)) this.#at++;
    }
    this.word = text.slice(starts, this.#at);
  }

  #match(expression: RegExp): boolean {
    expression.lastIndex = this.#at;
    if (!expression.test(this.text)) return false;
    this.#at = expression.lastIndex;
    return true;
  }

  #goTo(to: number): void {
    const { text } = this;
    for (let at = text.indexOf('\n', this.#at); at >= 0 && at < to; at = text.indexOf('\n', at + 1))
      this.#line++;
    this.#at = to;
  }
}

/** What matters when looking for the end of a block. */
const BLOCK = /[{}()[\]"'`]|\/[/*]/g;

/** Behind the string, the rune or the comment that begins there. */
export function literalEnd(text: string, at: number): number {
  const c = text[at];
  if (c === '/' || c === '`') {
    const closing = c === '`' ? '`' : text[at + 1] === '*' ? '*/' : '\n';
    const end = text.indexOf(closing, at + (c === '`' ? 1 : 2));
    if (end >= 0) return closing === '\n' ? end : end + closing.length;
    if (closing === '\n') return text.length;
    throw new SyntaxError('a string or comment is not closed');
  }
  for (let end = at + 1; end < text.length; end++) {
    const found = text[end];
    if (found === c) return end + 1;
    if (found === '\n') break;
    if (found === '\\') end++;
  }
  throw new SyntaxError('a string is not closed');
}
