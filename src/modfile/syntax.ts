/**
 * The syntax that go.mod and go.work share (golang.org/x/mod/modfile, read.go): lines of tokens, blocks in
 * parentheses, `//` comments.
 *
 * The text may be an attacker's. It is read once from front to back, a line at a time, so that memory is
 * bounded by its longest line and by what the caller keeps.
 */

import { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';

/** The head of a block: what stands before its parenthesis. Its lines follow as items of their own. */
export interface Block {
  readonly kind: 'block';
  /** Counted from 1. */
  readonly line: number;
  readonly tokens: readonly string[];
  /** Whole-line comments directly before it, each with its slashes. */
  readonly before: readonly string[];
}

/** One statement on one line, at top level or in a block. */
export interface Line {
  readonly kind: 'line';
  /** Counted from 1. */
  readonly line: number;
  /** As written: strings keep their quotes. Never empty. */
  readonly tokens: readonly string[];
  /** Whole-line comments directly before it, each with its slashes; in a block, a blank line is ''. */
  readonly before: readonly string[];
  /** The comment at its end, with its slashes. */
  readonly suffix: string | undefined;
  readonly block: Block | undefined;
}

/**
 * Reads the statements of a file in order.
 *
 * @param file what to call it in errors
 * @throws bad_mod_file with the line's number
 */
export function* readStatements(file: string, text: string): Generator<Line | Block, void, undefined> {
  const lexer = new Lexer(file, text);
  let comments: string[] = [];
  for (;;) {
    switch (lexer.kind) {
      case 'end':
        return;
      case 'newline':
        // A comment with a blank line after it belongs to no statement.
        lexer.advance();
        comments = [];
        break;
      case 'comment':
        comments.push(lexer.advance());
        break;
      case 'suffix':
      case 'punctuation':
      case 'word':
        yield* readStatement(lexer, comments);
        comments = [];
        break;
    }
  }
}

function* readStatement(lexer: Lexer, before: string[]): Generator<Line | Block, void, undefined> {
  const line = lexer.line;
  const tokens = [lexer.advance()];
  while (!lexer.atLineEnd()) {
    const token = lexer.advance();
    if (token !== '(') {
      tokens.push(token);
      continue;
    }
    if (lexer.atLineEnd()) {
      const block: Block = { kind: 'block', line, tokens, before };
      yield block;
      yield* readBlock(lexer, block);
      return;
    }
    if (lexer.kind === 'punctuation' && lexer.text === ')') {
      const close = lexer.advance();
      if (lexer.atLineEnd()) {
        lexer.advance();
        yield { kind: 'block', line, tokens, before };
        return;
      }
      tokens.push(token, close);
    } else {
      tokens.push(token);
    }
  }
  yield { kind: 'line', line, tokens, before, suffix: lexer.advanceLineEnd(), block: undefined };
}

function* readBlock(lexer: Lexer, block: Block): Generator<Line, void, undefined> {
  let comments: string[] = [];
  let isFirst = true;
  for (;;) {
    switch (lexer.kind) {
      case 'suffix':
        lexer.advance();
        break;
      case 'newline':
        lexer.advance();
        if (comments.length === 0 ? !isFirst : comments.at(-1) !== '') comments.push('');
        break;
      case 'comment':
        comments.push(lexer.advance());
        break;
      case 'end':
        throw lexer.error(`the block that starts in line ${block.line} is not closed`);
      case 'punctuation':
      case 'word': {
        if (lexer.kind === 'punctuation' && lexer.text === ')') {
          lexer.advance();
          if (!lexer.atLineEnd()) throw lexer.error('a closing parenthesis must end its line');
          lexer.advance();
          return;
        }
        const line = lexer.line;
        const tokens: string[] = [];
        while (!lexer.atLineEnd()) tokens.push(lexer.advance());
        yield { kind: 'line', line, tokens, before: comments, suffix: lexer.advanceLineEnd(), block };
        comments = [];
        isFirst = false;
        break;
      }
    }
  }
}

/** `comment` stands alone on its line, `suffix` after something; both take the end of the line with them. */
type TokenKind = 'end' | 'newline' | 'comment' | 'suffix' | 'punctuation' | 'word';

const wordEnd = /[^\P{ASCII}!-~]|[^\p{ASCII}\p{L}\p{M}\p{N}\p{P}\p{S}]|[()[\]{},]|\/\/|\/\*/gu;

/** Holds the current token and reads the next one on demand. */
class Lexer {
  kind: TokenKind = 'end';
  text = '';
  /** Where the current token begins. */
  line = 1;
  readonly #file: string;
  readonly #input: string;
  #position = 0;
  #currentLine = 1;
  /** Whether something stands between the beginning of the line and #position. */
  #lineHasToken = false;

  constructor(file: string, input: string) {
    this.#file = file;
    this.#input = input;
    this.#read();
  }

  /** Gives the text of the current token and moves on. */
  advance(): string {
    const text = this.text;
    this.#read();
    return text;
  }

  atLineEnd(): boolean {
    return this.kind === 'newline' || this.kind === 'suffix' || this.kind === 'end';
  }

  /** Moves past the end of a line and gives the comment that stands there. */
  advanceLineEnd(): string | undefined {
    const isComment = this.kind === 'suffix';
    const text = this.advance();
    return isComment ? text : undefined;
  }

  error(problem: string): GokeepError {
    return new GokeepError('bad_mod_file', `${this.#file} line ${this.#currentLine}: ${problem}.`);
  }

  #read(): void {
    const input = this.#input;
    let c = input.charCodeAt(this.#position);
    while (c === 32 || c === 9 || c === 13) c = input.charCodeAt(++this.#position);
    this.line = this.#currentLine;
    if (this.#position >= input.length) {
      this.kind = 'end';
      this.text = '';
    } else if (c === 47 && input.charCodeAt(this.#position + 1) === 47) {
      this.#readComment();
    } else if (c === 10) {
      this.#take('newline', this.#position + 1);
      this.#newLine();
    } else if (isPunctuation(c)) {
      this.#take('punctuation', this.#position + 1);
    } else if (c === 34 || c === 96) {
      this.#readString(c);
    } else {
      this.#readWord();
    }
  }

  #readComment(): void {
    const kind = this.#lineHasToken ? 'suffix' : 'comment';
    const newline = this.#input.indexOf('\n', this.#position);
    const end = newline < 0 ? this.#input.length : newline;
    const start = this.#position;
    this.#take(kind, newline < 0 ? end : end + 1);
    this.text = this.#input.slice(start, newline > start && this.#input[end - 1] === '\r' ? end - 1 : end);
    if (newline >= 0) this.#newLine();
  }

  #readString(quoteCharacter: number): void {
    const input = this.#input;
    let at = this.#position + 1;
    for (;;) {
      if (at >= input.length) throw this.error('a string is not closed');
      const c = input.charCodeAt(at++);
      if (c === 10) throw this.error('a string holds the end of its line');
      if (c === quoteCharacter) break;
      if (c === 92 && quoteCharacter === 34) {
        if (at >= input.length) throw this.error('a string is not closed');
        // Go's scanner steps over an escaped newline here, and refuses the string only if it is used.
        if (input.charCodeAt(at) === 10) this.#currentLine++;
        at++;
      }
    }
    this.#take('word', at);
  }

  #readWord(): void {
    wordEnd.lastIndex = this.#position;
    const match = wordEnd.exec(this.#input);
    const end = match === null ? this.#input.length : match.index;
    if (match?.[0] === '/*') throw this.error('comments begin with //, not with /*');
    if (end === this.#position) throw this.error(`${quote(match?.[0] ?? '')} cannot stand here`);
    this.#take('word', end);
  }

  #take(kind: TokenKind, end: number): void {
    this.kind = kind;
    this.text = this.#input.slice(this.#position, end);
    this.#position = end;
    this.#lineHasToken = true;
  }

  #newLine(): void {
    this.#currentLine++;
    this.#lineHasToken = false;
  }
}

function isPunctuation(c: number): boolean {
  return c === 40 || c === 41 || c === 44 || c === 91 || c === 93 || c === 123 || c === 125;
}
