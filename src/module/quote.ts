/**
 * Shows untrusted text inside a sentence: quoted, cut to 120 characters, with everything escaped that could
 * move a terminal's cursor, reverse the reading direction or break a log line.
 */
export function quote(text: string): string {
  const cut = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return `"${cut.replace(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, escapeCharacter)}"`;
}

/** The same for what is shown whole and without quotes: what is no letter, digit, sign or space is escaped, and so is the backslash. */
export function escapeInvisible(text: string): string {
  return text.replace(/\\|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
