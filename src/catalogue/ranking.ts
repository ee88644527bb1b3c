import type { SearchQuery } from './search-query.ts';

/** Where a module fits what was searched for: the smaller, the better. */
export const RANKS = {
  path: 0,
  packagePath: 1,
  lastElement: 2,
  pathPrefix: 3,
  pathElement: 4,
  inPath: 5,
  packageName: 6,
  inPackage: 7,
  synopsis: 8,
  anywhere: 9,
} as const;

/** What a module is ranked by, all in lower case. */
export interface Ranked {
  readonly path: string;
  readonly last: string;
  readonly synopsis: string;
}

/** Ranks a module by its path alone; undefined where that does not fit. */
export function rankByPath(query: SearchQuery, { path, last }: Ranked): number | undefined {
  const { text, words } = query;
  if (path === text) return RANKS.path;
  if (!words.every((word) => path.includes(word))) return undefined;
  if (words.at(-1) === last) return RANKS.lastElement;
  if (path.startsWith(text)) return RANKS.pathPrefix;
  const isElement = (word: string) => path.startsWith(word) || path.includes(`/${word}`);
  return words.every(isElement) ? RANKS.pathElement : RANKS.inPath;
}

/** Ranks one that its path does not rank. @param packages a line each: import path, tab, synopsis; in lower case */
export function rankByText(query: SearchQuery, module: Ranked, packages: string): number | undefined {
  const { text, words } = query;
  const { path, synopsis } = module;
  if (!words.every((word) => path.includes(word) || synopsis.includes(word) || packages.includes(word)))
    return undefined;
  let best: number = words.every((word) => path.includes(word) || synopsis.includes(word))
    ? RANKS.synopsis
    : RANKS.anywhere;
  for (const line of packages.split('\n')) {
    const importPath = line.slice(0, line.indexOf('\t'));
    if (importPath === text) return RANKS.packagePath;
    if (!words.every((word) => importPath.includes(word))) continue;
    best = Math.min(best, importPath.endsWith(`/${words.at(-1)}`) ? RANKS.packageName : RANKS.inPackage);
  }
  return best;
}

/** A package that fits what was searched for. */
export interface FittingPackage {
  readonly importPath: string;
  readonly synopsis: string;
}

/**
 * The packages that fit, best first: that which is called so, then by where it fits, then the shorter. What fits only by the path
 * of the module, as all packages of it do, is left out.
 */
export function fittingPackages(
  query: SearchQuery,
  path: string,
  packages: string,
  most: number,
): FittingPackage[] {
  const found: (FittingPackage & { readonly rank: number })[] = [];
  for (const line of packages.split('\n')) {
    const tab = line.indexOf('\t');
    const importPath = line.slice(0, tab);
    if (tab < 0 || importPath === path) continue;
    const folded = importPath.toLowerCase();
    const own = folded.slice(path.length);
    const synopsis = line.slice(tab + 1);
    const about = synopsis.toLowerCase();
    if (!query.words.every((word) => folded.includes(word) || about.includes(word))) continue;
    const isCalled = query.words.some((word) => own.endsWith(`/${word}`));
    const inPath = query.words.some((word) => own.includes(word));
    if (folded !== query.text && !inPath && !query.words.some((word) => about.includes(word))) continue;
    const rank = folded === query.text ? 0 : isCalled ? 1 : inPath ? 2 : 3;
    found.push({ importPath, synopsis, rank });
  }
  return found
    .sort((a, b) => a.rank - b.rank || a.importPath.length - b.importPath.length || order(a, b))
    .slice(0, most)
    .map(({ importPath, synopsis }) => ({ importPath, synopsis }));
}

function order(a: FittingPackage, b: FittingPackage): number {
  return a.importPath < b.importPath ? -1 : 1;
}
