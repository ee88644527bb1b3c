import { GokeepError } from '../errors.ts';

/**
 * `go` shows at most 8 lines and 648 bytes, and nothing at all of a longer single line, after an empty one, or of a body
 * with one character that is not graphic.
 */
const LINE = 78;
const LINES = 8;

/** Breaks a sentence into lines that `go` shows. Bytes are what counts, and a character is never cut in two. */
export function wrap(text: string): string {
  const words = text.replace(/[^\P{C}\s]/gu, '').split(/\s+/);
  const lines: string[] = [];
  let line = '';
  let length = 0;
  for (const word of words) {
    for (const piece of pieces(word)) {
      const more = Buffer.byteLength(piece);
      if (line !== '' && length + 1 + more > LINE) {
        lines.push(line);
        line = '';
        length = 0;
      }
      line += line === '' ? piece : ` ${piece}`;
      length += length === 0 ? more : more + 1;
    }
  }
  if (line !== '') lines.push(line);
  return lines.slice(0, LINES).join('\n');
}

/** A word in pieces that each fit a line. */
function pieces(word: string): string[] {
  if (Buffer.byteLength(word) <= LINE) return word === '' ? [] : [word];
  const found: string[] = [];
  let piece = '';
  for (const character of word) {
    if (Buffer.byteLength(piece) + Buffer.byteLength(character) > LINE) {
      found.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...found, piece];
}

/**
 * What the person at the terminal reads. An authentic 404 or 410 is passed on verbatim: the go command makes its own
 * messages from it.
 */
export function errorBody(error: unknown): string {
  if (!(error instanceof GokeepError)) return 'the gokeep server failed; its log says why';
  return error.verbatim ?? wrap(error.message);
}
