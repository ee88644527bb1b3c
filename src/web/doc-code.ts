import { literalEnd } from '../godoc/scanner.ts';
import { type Html, html, type Part } from './html.ts';

const PIECE = /\/[/*]|["`']|[\p{L}_][\p{L}\p{Nd}_]*|[^"`'/\p{L}_]+|./suy;

/**
 * Go code of a declaration, with its comments quiet, and an anchor at each name of a group.
 *
 * @param anchors names that are declared in it, each at the beginning of a line or of the code
 */
export function showCode(code: string, anchors: ReadonlySet<string>): Html {
  const parts: Part[] = [];
  const left = new Set(anchors);
  let pending = '';
  let isStart = true;
  const flush = () => {
    if (pending !== '') parts.push(pending);
    pending = '';
  };
  for (let at = 0; at < code.length; ) {
    PIECE.lastIndex = at;
    const piece = PIECE.exec(code)?.[0] ?? code[at] ?? '';
    let to = at + piece.length;
    if (piece === '//' || piece === '/*') {
      to = endOf(code, at);
      flush();
      parts.push(html`<span class="c">${code.slice(at, to)}</span>`);
      isStart = true;
    } else if (piece === '"' || piece === '`' || piece === "'") {
      to = endOf(code, at);
      pending += code.slice(at, to);
      isStart = false;
    } else if (isStart && left.delete(piece)) {
      flush();
      parts.push(html`<span id="${piece}">${piece}</span>`);
    } else {
      pending += piece;
      // Names stand first on a line, behind the keyword, or behind one another.
      if (/\n\t?$/.test(piece)) isStart = true;
      else if (isStart)
        isStart =
          ['const', 'var', ' ', ', ', ' (\n\t'].includes(piece) || anchors.has(piece) || piece === '_';
    }
    at = to;
  }
  flush();
  return html`<pre class="code" tabindex="0"><code>${parts}</code></pre>`;
}

/** Code that was cut may end within a string. */
function endOf(code: string, at: number): number {
  try {
    return literalEnd(code, at);
  } catch (error) {
    if (error instanceof SyntaxError) return code.length;
    throw error;
  }
}
