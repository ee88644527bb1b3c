import { GokeepError } from '../errors.ts';
import { HASH_SIZE, type Hash, parseHash } from './hash.ts';
import { isCount, MAX_TREE_SIZE } from './tree.ts';

/** What a log commits to: how many records it has, and the root of the tree over them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Hash;
}

/** Names the format, not the log; who speaks is in the signature line. */
const FIRST_LINE = 'go.sum database tree';
const MAX_TEXT = 1_000_000;

/** The three lines that a log signs (x/mod tlog.FormatTree). */
export function formatTree(head: TreeHead): string {
  if (!isCount(head.size) || head.size > MAX_TREE_SIZE || head.root.length !== HASH_SIZE) {
    throw new GokeepError('bad_note', 'not a tree head that can be signed');
  }
  return `${FIRST_LINE}\n${head.size}\n${head.root.toString('base64')}\n`;
}

/**
 * Reads a tree head from the text of an *opened* note (x/mod tlog.ParseTree). Lines after the third are allowed
 * and say nothing. Throws `bad_note`, for a size beyond {@link MAX_TREE_SIZE} too.
 */
export function parseTree(text: string): TreeHead {
  const [first, size = '', hash = '', ...rest] = text.length > MAX_TEXT ? [] : text.split('\n', 4);
  const root = parseHash(hash);
  if (
    first !== FIRST_LINE ||
    rest.length === 0 ||
    root === undefined ||
    !/^(?:0|[1-9][0-9]*)$/.test(size) ||
    Number(size) > MAX_TREE_SIZE
  ) {
    throw new GokeepError('bad_note', 'malformed tree head: not the three lines of a go.sum database tree');
  }
  return { size: Number(size), root };
}
