/** `module@query`, and lists of it. */

import { GokeepError } from '../../errors.ts';
import { trimSpace } from '../../modfile/space.ts';
import { checkPath } from '../../module/path.ts';
import { quote } from '../../module/quote.ts';
import { canonical, isValid } from '../../module/semver.ts';
import type { QueryInput } from './input.ts';

/** Beyond any branch that a proxy would look up. */
const MAX_QUERY = 240;

/** What `go get` makes of the versions that it has, and cannot be asked of a proxy. */
const clientQueries = new Set(['upgrade', 'patch', 'none']);

/** What neither a git ref nor a version has in it; comparisons such as `<v1.2` among it. */
const notInAnyRevision = /[^\p{L}\p{M}\p{N}\p{P}\p{S}]|[@~^:?*[\]\\<>]|\.\./u;

/**
 * Reads `<module>@<query>`. Undefined when there is no `@`.
 *
 * @throws bad_path, bad_version
 */
export function parseModuleQuery(text: string): { path: string; query: string } | undefined {
  const at = text.indexOf('@');
  if (at < 0) return undefined;
  const path = text.slice(0, at);
  const query = text.slice(at + 1);
  checkPath(path);
  // The query ends up in a request, and maybe at a version control tool: nothing may pass that reads as an option.
  if (
    query === '' ||
    query.length > MAX_QUERY ||
    query.startsWith('-') ||
    clientQueries.has(query) ||
    notInAnyRevision.test(query)
  ) {
    throw new GokeepError(
      'bad_version',
      `${quote(query)} is no version of ${path} to fetch: use a version such as v1.2.3, v1, latest, a branch or a commit.`,
    );
  }
  return { path, query };
}

/** True for `latest` and for prefixes such as `v1` and `v1.2`, which go resolves from the list of versions. */
export function isResolvedFromList(query: string): boolean {
  return query === 'latest' || (isValid(query) && canonical(query) !== query && /^v[0-9.]+$/.test(query));
}

/**
 * Reads a list: one `module@query` a line, `?` before a wish, `#` before a comment.
 *
 * @param name of the file, as the person would name it
 * @throws bad_request with the line's number
 */
export function parseList(name: string, text: string): QueryInput[] {
  const inputs: QueryInput[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    const entry = trimSpace(line.replace(/(^|[ \t])#.*$/s, ''));
    if (entry === '') continue;
    const isWish = entry.startsWith('?');
    inputs.push({
      kind: 'query',
      name: `${name} line ${number}`,
      isWish,
      ...readEntry(name, number, isWish ? trimSpace(entry.slice(1)) : entry),
    });
  }
  return inputs;
}

function readEntry(name: string, number: number, entry: string): { path: string; query: string } {
  let problem = `${quote(entry)} is not module@version, such as example.com/mod@v1.2.3.`;
  try {
    const query = parseModuleQuery(entry);
    if (query !== undefined) return query;
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    problem = error.message;
  }
  throw new GokeepError('bad_request', `${name} line ${number}: ${problem}`);
}
