/**
 * What stands at the beginning of a Go file: its package clause, the comment that documents the package, and whether the file
 * counts (go/parser, go/build). The text is attacker-controlled.
 */

import { commentText } from '../godoc/comment-text.ts';
import { mayHold, oldMayHold, type Tag } from './build-constraint.ts';

export interface GoFile {
  /** As the package clause says. */
  readonly name: string;
  /** The comment right above the clause, without its markers; empty where there is none. */
  readonly doc: string;
  /** Left out on every system, by a build constraint or since its package is called `documentation`. */
  readonly ignored: boolean;
}

interface Comment {
  readonly text: string;
  readonly line: number;
  readonly endLine: number;
}

const CLAUSE = /package[ \t\r\n]+([\p{L}_][\p{L}\p{Nd}_]*)/uy;

/**
 * @param text the file, or its beginning; undefined where no package clause follows the comments in it
 * @param tag what is known of the system that it is built on; nothing unless it is given
 */
export function readGoFile(text: string, tag?: Tag): GoFile | undefined {
  const { comments, at, line } = leadingComments(text);
  CLAUSE.lastIndex = at;
  const [, name] = CLAUSE.exec(text) ?? [];
  if (name === undefined || name === '_') return undefined;
  return {
    name,
    doc: docOf(comments, line),
    ignored: name === 'documentation' || isLeftOut(comments, line, tag),
  };
}

/** Comments before anything else, and where that begins. */
function leadingComments(text: string): { comments: Comment[]; at: number; line: number } {
  const comments: Comment[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  for (; at < text.length; ) {
    const c = text[at];
    if (c === '\n') line++;
    if (c === '\n' || c === ' ' || c === '\t' || c === '\r') {
      at++;
      continue;
    }
    const isLong = text.startsWith('/*', at);
    if (!isLong && !text.startsWith('//', at)) break;
    const found = text.indexOf(isLong ? '*/' : '\n', at + 2);
    if (isLong && found < 0) return { comments, at: text.length, line };
    const end = isLong ? found + 2 : found < 0 ? text.length : found;
    const comment = text.slice(at, end).replaceAll('\r', '');
    const endLine = isLong ? line + comment.split('\n').length - 1 : line;
    comments.push({ text: comment, line, endLine });
    line = endLine;
    at = end;
  }
  return { comments, at, line };
}

/** The last group of comments, if the clause is on the line after it. Blank lines end a group. */
function docOf(comments: readonly Comment[], clauseLine: number): string {
  let next = clauseLine;
  const group: Comment[] = [];
  for (const comment of comments.toReversed()) {
    const adjoins = group.length === 0 ? comment.endLine + 1 === next : comment.endLine + 1 >= next;
    if (!adjoins) break;
    group.push(comment);
    next = comment.line;
  }
  return commentText(group.toReversed());
}

function isLeftOut(comments: readonly Comment[], clauseLine: number, tag: Tag | undefined): boolean {
  // Behind another comment on its line it is none.
  const short = comments.filter(
    ({ text, line }, i) => text.startsWith('//') && comments[i - 1]?.endLine !== line,
  );
  const constraint = short.find(({ text }) => /^\/\/go:build(?:\s|$)/.test(text));
  if (constraint !== undefined) return !mayHold(constraint.text.slice('//go:build'.length), tag);
  // The older form counts only above a blank line, so that it is not taken for documentation.
  const above = blankAbove(comments, clauseLine);
  return short.some(({ text, line }) => {
    const found = /^\/\/\s*\+build(?:\s+(.*))?$/.exec(text);
    return found !== null && line < above && !oldMayHold(found[1] ?? '', tag);
  });
}

/** The last blank line before the clause; 0 where there is none. */
function blankAbove(comments: readonly Comment[], clauseLine: number): number {
  let next = clauseLine;
  for (const comment of comments.toReversed()) {
    if (comment.endLine + 1 < next) return next - 1;
    next = comment.line;
  }
  return 0;
}
