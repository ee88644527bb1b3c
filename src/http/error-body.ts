import { GokeepError } from '../errors.ts';

/** `go` shows at most 8 lines and 648 bytes, and nothing at all of a longer single line or after an empty one. */
const LINE = 78;
const LINES = 8;

/** Breaks a sentence into lines that `go` shows; one escape character would make it suppress them all. */
export function wrap(text: string): string {
  const words = text.replace(/[^\P{C}\n]/gu, '').split(/\s+/);
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    for (let rest = word; rest !== ''; rest = rest.slice(LINE)) {
      const piece = rest.slice(0, LINE);
      if (line !== '' && line.length + 1 + piece.length > LINE) {
        lines.push(line);
        line = '';
      }
      line += line === '' ? piece : ` ${piece}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines.slice(0, LINES).join('\n');
}

/**
 * What the person at the terminal reads. An authentic 404 or 410 is passed on verbatim: the go command makes its own
 * messages from it.
 */
export function errorBody(error: unknown): string {
  if (!(error instanceof GokeepError)) return 'the gokeep server failed; its log says why';
  return error.verbatim ?? wrap(error.message);
}
