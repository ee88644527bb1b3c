import { findingsOf } from './checks/checks.ts';
import { collectFacts } from './facts/collect.ts';
import { withoutSecrets } from './facts/goproxy-list.ts';
import type { Machine } from './machine.ts';
import { type ModuleVersion } from './probes/database.ts';
import { probe } from './probes/probe.ts';
import { Redactor, secretsOf } from './redact.ts';
import { makeReport, type Report } from './report.ts';

export interface DoctorOptions {
  /** Address of the server, instead of the one in GOPROXY. */
  readonly url?: string | undefined;
  /** What to download for a try. */
  readonly module?: ModuleVersion | undefined;
}

/** Milliseconds for everything; a little is left for what is made of it. */
const IN_ALL = 9_500;

/**
 * Looks at a machine as a client of gokeep, tries what `go` would do, and says what is wrong. Changes nothing. What it
 * returns holds no secret that it has read.
 */
export async function examine(machine: Machine, o: DoctorOptions = {}): Promise<Report> {
  const startedAt = performance.now();
  const facts = await collectFacts(machine);
  const url = o.url === undefined ? undefined : withoutSecrets(new URL(o.url));
  const probed = await probe(machine, facts, {
    url,
    module: o.module,
    ms: IN_ALL - (performance.now() - startedAt),
  });
  const redactor = new Redactor([...secretsOf(machine.env, facts), ...secretsIn(o.url), ...probed.secrets]);
  return redactor.value(makeReport(facts, probed, findingsOf(facts, probed)));
}

function secretsIn(url: string | undefined): string[] {
  if (url === undefined) return [];
  const { password, username } = new URL(url);
  return [password, username];
}

/** 0: nothing to change. 1: something is. */
export function exitCodeOf({ findings }: Pick<Report, 'findings'>): 0 | 1 {
  return findings.some(({ harm }) => harm !== 'note') ? 1 : 0;
}
