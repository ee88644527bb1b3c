/** What somebody typed into a search box, taken apart. */
export interface SearchQuery {
  /** All of it, in lower case. */
  readonly text: string;
  readonly words: readonly string[];
  /** Groups of three characters that stand in whatever fits; empty when all words are shorter. */
  readonly trigrams: readonly string[];
}

/** What is longer is cut, and more words are passed over: a path has no more. */
const LONGEST = 200;
const MOST_WORDS = 8;
/** Enough to tell by: whatever they find is compared with the words themselves. */
const MOST_TRIGRAMS = 16;

/** @returns undefined where there is nothing to search for */
export function parseQuery(typed: string): SearchQuery | undefined {
  const words = typed
    .slice(0, LONGEST)
    .toWellFormed()
    .toLowerCase()
    .split(/[\s\p{Cc}]+/u)
    .filter((word) => word !== '')
    .slice(0, MOST_WORDS);
  if (words.length === 0) return undefined;
  const trigrams = new Set<string>();
  for (const word of words) {
    const characters = Array.from(word);
    for (let i = 0; i + 3 <= characters.length; i++) trigrams.add(characters.slice(i, i + 3).join(''));
  }
  return { text: words.join(' '), words, trigrams: someOf([...trigrams]) };
}

/** From all over: the beginnings of paths, which come first, are the same for most modules. */
function someOf(trigrams: readonly string[]): string[] {
  const every = Math.max(1, trigrams.length / MOST_TRIGRAMS);
  return Array.from(
    { length: Math.min(trigrams.length, MOST_TRIGRAMS) },
    (_, i) => trigrams[trigrams.length - 1 - Math.floor(i * every)] ?? '',
  );
}
