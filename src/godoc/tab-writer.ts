/**
 * Text in columns, as gofmt aligns fields and values (go/printer, text/tabwriter with `DiscardEmptyColumns` and `TabIndent`): a cell is as
 * wide as the widest of those above and below it in one run of lines that have it.
 */

interface Cell {
  readonly text: string;
  readonly width: number;
  /** Ended by a tab that is none of a column that may be left out. */
  readonly isHard: boolean;
}

/** Nothing is aligned over longer texts; what they are put beside is attacker-controlled, too. */
const WIDEST = 500;
const TAB = 8;

export class TabWriter {
  #done = '';
  #lines: Cell[][] = [];
  #cells: Cell[] = [];
  #text = '';
  #isEmpty = true;
  indent = 0;

  write(text: string): void {
    if (this.#isEmpty && this.indent > 0) for (let level = 0; level < this.indent; level++) this.#end(true);
    this.#isEmpty = false;
    this.#text += text;
  }

  /** Ends a cell. */
  column(isHard = false): void {
    this.write('');
    this.#end(isHard);
  }

  /** @param breaks ends what is aligned with each other */
  newline(count = 1, breaks = false): void {
    for (let n = 0; n < count; n++) {
      this.#cells.push(cell(this.#text, false));
      this.#lines.push(this.#cells);
      this.#cells = [];
      this.#text = '';
      this.#isEmpty = true;
      if (breaks) this.#flush();
    }
  }

  toString(): string {
    this.newline();
    this.#flush();
    return this.#done.replace(/\n+$/, '');
  }

  #end(isHard: boolean): void {
    this.#cells.push(cell(this.#text, isHard));
    this.#text = '';
  }

  #flush(): void {
    const lines = this.#lines;
    this.#lines = [];
    this.#format(lines, 0, lines.length, []);
  }

  #format(lines: readonly Cell[][], from: number, to: number, widths: readonly number[]): void {
    const column = widths.length;
    let first = from;
    for (let at = from; at < to; at++) {
      if (column >= (lines[at]?.length ?? 0) - 1) continue;
      this.#put(lines, first, at, widths);
      first = at;
      let width = 0;
      let discardable = true;
      for (; at < to; at++) {
        const line = lines[at] ?? [];
        if (column >= line.length - 1) break;
        const c = line[column];
        if (c === undefined) break;
        width = Math.max(width, c.width + 1);
        if (c.width > 0 || c.isHard) discardable = false;
      }
      this.#format(lines, first, at, [...widths, discardable ? 0 : width]);
      first = at;
    }
    this.#put(lines, first, to, widths);
  }

  #put(lines: readonly Cell[][], from: number, to: number, widths: readonly number[]): void {
    for (let at = from; at < to; at++) {
      let text = '';
      let isIndent = true;
      for (const [n, c] of (lines[at] ?? []).entries()) {
        const width = widths[n];
        if (c.text !== '') isIndent = false;
        text += c.text;
        if (width === undefined) continue;
        text += isIndent ? '\t'.repeat(Math.ceil(width / TAB)) : ' '.repeat(Math.max(width - c.width, 0));
      }
      this.#done += `${withoutEnd(text)}\n`;
    }
  }
}

function cell(text: string, isHard: boolean): Cell {
  return { text, width: text.length > WIDEST ? WIDEST : Array.from(text).length, isHard };
}

/** Without white space at its end. No expression: those take quadratic time on a line of spaces. */
function withoutEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--;
  return line.slice(0, end);
}
