/** One line of the result table. */
export interface Row {
  readonly work: string;
  /** What was measured, as text. */
  readonly measured: string;
  /** What it is compared with, as text. */
  readonly beside: string;
  readonly target: string;
  /** Undefined where there is nothing to meet. */
  readonly met: boolean | undefined;
}

const verdict = (met: boolean | undefined): string => (met === undefined ? '' : met ? 'yes' : '**no**');

/** The rows as a Markdown table. */
export function markdown(rows: readonly Row[]): string {
  const cells = rows.map((row) => [row.work, row.measured, row.beside, row.target, verdict(row.met)]);
  const all = [['work', 'gokeep', 'beside it', 'target', 'met'], ...cells];
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...all.map((line) => line[at]?.length ?? 0)));
  const line = (parts: readonly string[]) =>
    `| ${parts.map((part, at) => part.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = all;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

export const ratio = (a: number, b: number): string => `${(a / b).toFixed(2)} ×`;
export const us = (n: number): string => `${n.toFixed(0)} µs`;
export const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
