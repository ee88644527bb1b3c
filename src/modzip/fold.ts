/**
 * Makes names that differ only in case equal, by Unicode simple case folding, as the collision check of
 * golang.org/x/mod/zip does (strToFold). Meant for comparing: the result is not fit to be shown.
 */
export function foldCase(name: string): string {
  if (/^[ -~]*$/.test(name)) return name.toLowerCase();
  let folded = '';
  for (const character of name) folded += foldCharacter(character);
  return folded;
}

function foldCharacter(character: string): string {
  // Its upper case is I, but simple folding keeps the dotless i apart.
  if (character === '\u0131') return character;
  // Upper case first: it unites ſ with s, and the Greek final sigma with the other one.
  const upper = ifSingle(character.toUpperCase(), character);
  return ifSingle(upper.toLowerCase(), upper);
}

/** Simple folding maps one character to one: a result such as SS does not count. */
function ifSingle(converted: string, original: string): string {
  const first = String.fromCodePoint(converted.codePointAt(0) ?? 0);
  return first === converted ? converted : original;
}
