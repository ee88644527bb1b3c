import type { Facts } from './facts/facts.ts';
import { type Finding } from './finding.ts';
import { originText } from './fixes.ts';
import type { Probed } from './probes/probed.ts';
import { shownSettings } from './redact.ts';

/** Everything that a run found, in the form that --json prints. */
export interface Report {
  readonly server: string | undefined;
  readonly database: string | undefined;
  readonly platform: string;
  readonly go: string;
  readonly settings: readonly { readonly name: string; readonly value: string; readonly from: string }[];
  /** What `go env -changed` names, where this go knows it. */
  readonly changed: readonly string[] | undefined;
  readonly tried: readonly string[];
  /** What could not be tried, and why. */
  readonly notTried: readonly string[];
  readonly findings: readonly Finding[];
  readonly ms: number;
}

export function makeReport(facts: Facts, probed: Probed, findings: readonly Finding[]): Report {
  const { target } = probed;
  return {
    server: target?.url,
    database: target?.identity.kind === 'gokeep' ? target.identity.database : undefined,
    platform: facts.platform,
    go: facts.go.kind === 'runs' ? facts.go.version : facts.go.kind,
    settings: shownSettings(facts).map(({ name, value }) => ({
      name,
      value,
      from: originText(facts.variables.get(name)?.origin ?? { kind: 'default' }),
    })),
    changed: facts.changed,
    tried: tried(probed),
    notTried: notTried(probed),
    findings,
    ms: Math.round(probed.ms),
  };
}

function tried({ target, access, database, download }: Probed): string[] {
  const lines: string[] = [];
  if (target?.identity.kind === 'gokeep') lines.push(`${target.url} answers, and is a gokeep`);
  if (access?.kind === 'open') lines.push('it lets this machine read everything');
  if (access?.kind === 'limited') lines.push('it lets this machine read some modules');
  if (database.kind === 'proven') {
    const since =
      database.remembered === undefined
        ? 'go remembers none here'
        : `it continues the one of ${database.remembered} that go remembers here`;
    lines.push(`its checksum database has a tree head of ${database.size} records; ${since}`);
    if (database.lookup !== undefined) lines.push(`the record of ${database.lookup} is proven`);
  }
  if (download.kind === 'downloaded')
    lines.push(`go downloaded ${download.module} in ${(download.ms / 1000).toFixed(1)} s, and verified it`);
  return lines;
}

function notTried({ database, download }: Probed): string[] {
  const lines: string[] = [];
  if (database.kind === 'not asked') lines.push(`the checksum database: ${database.why}`);
  if (database.kind === 'proven' && database.lookup === undefined)
    lines.push('a lookup: no module is known to look up');
  if (download.kind === 'not tried') lines.push(`a download: ${download.why}`);
  return lines;
}

const LABEL: Readonly<Record<Finding['harm'], string>> = {
  unsafe: 'UNSAFE',
  broken: 'BROKEN',
  risk: 'RISK',
  note: 'NOTE',
};

/** For a person: what was tried, and what is wrong, the worst first. */
export function reportLines(report: Report): string[] {
  const lines = report.tried.map((each) => `ok: ${each}`);
  for (const each of report.notTried) lines.push(`not tried: ${each}`);
  for (const [at, { id, harm, what, why, fix }] of report.findings.entries())
    lines.push(
      '',
      `${at + 1}. ${LABEL[harm]}: ${what}  [${id}]`,
      `   ${why}`,
      ...fix.map((each) => `     ${each}`),
    );
  lines.push('', verdict(report));
  return lines;
}

/** "All is well" is said only where go itself has downloaded and verified something. */
export function verdict({ findings, notTried }: Pick<Report, 'findings' | 'notTried'>): string {
  const wrong = findings.filter(({ harm }) => harm !== 'note').length;
  if (wrong > 0)
    return `${wrong} ${wrong === 1 ? 'thing is' : 'things are'} to be changed; begin with the first.`;
  return notTried.length === 0
    ? 'All is well.'
    : 'Nothing wrong was found, but not everything could be tried.';
}

/** The text of a file for a ticket: what was found, and the settings that it was found with. */
export function ticketText(report: Report): string {
  return [
    'gokeep doctor: passwords, tokens and query strings are left out',
    '',
    `platform: ${report.platform}`,
    `go: ${report.go}`,
    `server: ${report.server ?? 'none'}`,
    `database: ${report.database ?? 'none'}`,
    '',
    ...report.settings.map(({ name, value, from }) => `${name}=${value}  (${from})`),
    '',
    ...reportLines(report),
    '',
  ].join('\n');
}
