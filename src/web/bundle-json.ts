import type { Job, Outcome } from '../airgap/jobs/job.ts';
import type { MadeBundle } from '../airgap/jobs/made-bundles.ts';
import type { KnownBundle } from '../airgap/jobs/receipt-list.ts';

/** Bundles and jobs as programs read them. */

const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());

export function jobJson(job: Job) {
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    by: job.by.who,
    created: iso(job.createdAt),
    started: iso(job.startedAt),
    ended: iso(job.endedAt),
    progress: job.progress,
    error: job.error,
    problems: job.problems,
    result: job.outcome === undefined ? undefined : outcomeJson(job.outcome),
  };
}

function outcomeJson(outcome: Outcome) {
  switch (outcome.kind) {
    case 'made':
      return { made: madeJson(outcome.made) };
    case 'planned':
      return { planned: outcome.plan };
    case 'verified':
      return { verified: outcome.verified };
    case 'imported': {
      const { id, added, facts } = outcome.imported;
      return { imported: { id, added, ...facts } };
    }
  }
}

export function madeJson({ madeAt, ...made }: MadeBundle) {
  return { ...made, made: iso(madeAt), file: `/api/v1/bundles/${made.id}/file` };
}

export function knownJson(known: KnownBundle, made: MadeBundle | undefined) {
  const { manifest } = known;
  return {
    id: known.id,
    origin: known.origin,
    signer: known.signer,
    since: iso(known.keptAt),
    base: manifest.base ?? null,
    tool: manifest.tool,
    files: manifest.entries.count,
    bytes: manifest.entries.bytes,
    zips: known.zips,
    mods: known.mods,
    signatures: known.signatures,
    databases: manifest.databases.map(({ name, head }) => ({
      name,
      size: head.size,
      root: head.root.toString('base64'),
    })),
    vulndb: manifest.vulndb,
    waiting: made === undefined ? undefined : madeJson(made),
  };
}
