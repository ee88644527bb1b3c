import { explain } from '../explain/explain.ts';
import type { Facts } from '../facts/facts.ts';
import { type Finding, rank } from '../finding.ts';
import type { Probed } from '../probes/probed.ts';
import { access } from './access.ts';
import { chain } from './chain.ts';
import type { Check } from './check.ts';
import { database } from './database.ts';
import { goCommand, toolchain } from './go-command.ts';
import { myths, places } from './places.ts';
import { reach } from './reach.ts';
import { verification } from './verification.ts';

/** go's own words about the download, where nothing else has said why. */
const download: Check = (_, probed) => {
  const { download: tried } = probed;
  if (tried.kind !== 'failed') return [];
  const known = explain(tried.said)[0];
  return [
    {
      id: 'download-failed',
      harm: 'broken',
      what: `go cannot download ${tried.module}: ${tried.timedOut ? 'it did not end in time' : lastLine(tried.said)}`,
      why: known?.cause ?? 'go says so itself, with the settings of this machine and empty caches.',
      fix: known?.fix ?? [`go mod download -x ${tried.module}`],
    },
  ];
};

function lastLine(said: string): string {
  return (said.trim().split('\n').at(-1) ?? '').slice(0, 400);
}

/** Causes before their effects: of two findings that do the same harm the first is told first. */
const CHECKS: readonly Check[] = [
  goCommand,
  toolchain,
  database,
  verification,
  chain,
  reach,
  access,
  places,
  download,
  myths,
];

/** All that is wrong, the worst first. */
export function findingsOf(facts: Facts, probed: Probed): Finding[] {
  return rank(CHECKS.flatMap((check) => check(facts, probed)));
}
