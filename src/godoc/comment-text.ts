/** The text of a group of comments, without markers and directives (go/ast, CommentGroup.Text). Ends with a new line, or is empty. */
export function commentText(group: readonly { readonly text: string }[]): string {
  const lines: string[] = [];
  for (const { text } of group) {
    const inner = text.startsWith('/*') ? text.slice(2, -2) : text.slice(2);
    const bare = text.startsWith('//') && inner.startsWith(' ') ? inner.slice(1) : inner;
    if (bare === inner && text.startsWith('//') && isDirective(inner)) continue;
    for (const line of bare.split('\n')) lines.push(withoutEnd(line));
  }
  const kept = lines.filter((line, i) => line !== '' || (lines[i - 1] ?? '') !== '');
  return kept.length > 0 && kept.at(-1) !== '' ? `${kept.join('\n')}\n` : kept.join('\n');
}

/** Without spaces at its end. No expression: those take quadratic time on a line of spaces. */
function withoutEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--;
  return line.slice(0, end);
}

function isDirective(text: string): boolean {
  return /^(?:line |extern |export )/.test(text) || /^[a-z0-9]+:[a-z0-9]/.test(text);
}
