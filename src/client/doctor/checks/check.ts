import type { Facts } from '../facts/facts.ts';
import type { Finding } from '../finding.ts';
import type { Probed } from '../probes/probed.ts';

/** Makes findings of what was found out; nothing else is looked at. */
export type Check = (facts: Facts, probed: Probed) => readonly Finding[];

/** The server's address, for the commands that a finding names. */
export function serverUrl(probed: Probed): string {
  return probed.target?.url ?? 'https://go.corp.example';
}

/** Where the server's own page has the lines to copy. */
export function linesAt(probed: Probed): string {
  return `# the two lines to set are at ${serverUrl(probed)}/`;
}
