/** What a terminal would act on, or a damaged record could smuggle into it. */
const INVISIBLE = /(?!\n)\p{C}/gu;

/** Prints lines for a person on stdout. */
export function printLines(lines: readonly string[]): void {
  for (const line of lines) console.log(line.replace(INVISIBLE, '\ufffd'));
}

/** Prints a command's result for a program on stdout. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** Says that a command ran and found something that is not as it should be. */
export function exitFound(): void {
  process.exitCode = 1;
}

/** An ISO time in UTC, to the second. */
export function isoTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
