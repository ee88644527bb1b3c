/** White space as Go's unicode.IsSpace has it: not JavaScript's `\s`, which takes U+FEFF and leaves U+0085. */
const space = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const leading = new RegExp(`^${space}+`);
const separators = new RegExp(`${space}+`);
const isSpaceCharacter = new RegExp(`^${space}$`);

/** strings.Fields: the words of a text. */
export function fields(text: string): string[] {
  return text.split(separators).filter((word) => word !== '');
}

/** strings.TrimSpace. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && isSpaceCharacter.test(text.charAt(end - 1))) end--;
  return text.slice(0, end).replace(leading, '');
}
