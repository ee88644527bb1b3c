import { GokeepError } from '../errors.ts';

/**
 * `go` shows at most 8 lines and 648 bytes, and nothing at all of a longer single line, after an empty one, or of a body
 * with one character that is not graphic.
 */
const LINE = 78;
const LINES = 8;
const BYTES = LINES * 81;
/** A word is cut only where it would fill the whole answer: a long module path stays in one piece, to be copied. */
const WORD = 400;

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
  return withinBounds(lines).join('\n');
}

function withinBounds(lines: readonly string[]): string[] {
  let bytes = 0;
  const beyond = lines.findIndex((each) => {
    bytes += Buffer.byteLength(each) + 1;
    return bytes > BYTES;
  });
  return lines.slice(0, Math.min(LINES, beyond < 0 ? LINES : beyond));
}

/** A word in pieces, none of them longer than {@link WORD}. */
function pieces(word: string): string[] {
  if (Buffer.byteLength(word) <= WORD) return word === '' ? [] : [word];
  const found: string[] = [];
  let piece = '';
  for (const character of word) {
    if (Buffer.byteLength(piece) + Buffer.byteLength(character) > WORD) {
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
