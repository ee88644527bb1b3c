/** What a README in the root can be called, the one that is shown first. */
const KINDS = ['.md', '.markdown', '', '.txt', '.rst', '.adoc', '.org'];

/** @param name within the module */
export function isReadme(name: string): boolean {
  return rank(name) >= 0;
}

/** Between `README.md` and `readme.md`, which one zip cannot hold, the order of bytes decides. */
export function isBetterReadme(name: string, than: string | undefined): boolean {
  return than === undefined || rank(name) < rank(than) || (rank(name) === rank(than) && name < than);
}

function rank(name: string): number {
  return /^readme/i.test(name) ? KINDS.indexOf(name.slice('readme'.length).toLowerCase()) : -1;
}
