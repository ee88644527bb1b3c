/** How much of a bundle there is, as a person reads it. */
export function shownCounts(o: { zips: number; mods: number; signatures: number }): string {
  return o.signatures === 0
    ? `${o.zips} zips and ${o.mods} go.mod files`
    : `${o.zips} zips, ${o.mods} go.mod files and ${o.signatures} signatures`;
}
