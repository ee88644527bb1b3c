import type { Catalogue, ZipFiles } from './catalogue.ts';

/** A catalogue of nothing: what is known before one was made. */
export const NOTHING_KNOWN: Catalogue & ZipFiles = {
  search: () => ({ modules: [], total: 0, next: undefined }),
  list: () => ({ modules: [], total: 0, next: undefined }),
  versions: () => [],
  facts: () => undefined,
  dependents: () => [],
  counts: () => ({ modules: 0, versions: 0, bytes: 0 }),
  files: async () => undefined,
  read: async () => undefined,
};
