import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Config } from '../config/load.ts';
import type { Metrics } from '../http/counters.ts';
import { watchUpstreams } from '../http/upstream-metrics.ts';
import { History } from '../proxy/history.ts';
import { UsageCount } from '../proxy/usage.ts';
import { type Amounts, DAY_MS, type Outcomes } from '../store/history-table.ts';
import type { UpstreamStore } from '../store/upstream-store.ts';
import { parseTree } from '../tlog/tree-note.ts';
import type { DatabaseStatus, HeldBackHost, MonitorStatus, Status } from '../web/status.ts';
import type { ServedLog } from './own-log.ts';
import type { ProvingUpstream, Upstreams } from './upstreams.ts';

export interface StatusParts {
  readonly served: ServedLog;
  readonly remembered: UpstreamStore;
  readonly upstreams: Upstreams;
  readonly catalogue: Catalogue;
  readonly metrics: Metrics;
  readonly monitor: () => MonitorStatus | undefined;
  readonly onHiddenError: (error: unknown, what: string) => void;
}

/**
 * What is known of how the server does, and the samples of it.
 *
 * @param cleanup closes in the reverse of the order in which things are opened here
 */
export function openStatus(config: Config, parts: StatusParts, cleanup: AsyncDisposableStack): Status {
  const { served, remembered, upstreams, catalogue, metrics, monitor, onHiddenError } = parts;
  const outcomes = (): Outcomes => {
    const { counts } = metrics.outcomes;
    return { ...counts, memory: counts.memory + metrics.hot.fast };
  };
  const amounts = (): Amounts => {
    const { modules, versions, bytes } = catalogue.counts();
    // Before it is read nothing seems to be held.
    const isKnown = modules > 0;
    return {
      records: served.keeper.head?.size ?? 0,
      versions: isKnown ? versions : undefined,
      bytes: isKnown ? bytes : undefined,
    };
  };
  const history = new History({
    outcomes,
    amounts,
    write: (sample) => remembered.keepHistory(sample),
    now: Date.now,
    onHiddenError,
  });
  cleanup.defer(() => history.close());
  const usage = new UsageCount({
    served: remembered.servedUsage(),
    today: () => Math.floor(Date.now() / DAY_MS),
    now: () => performance.now(),
  });
  const { direct, proving } = upstreams;
  const heldBack = (): HeldBackHost[] => [
    ...direct.private.failing().map((host) => ({ ...host, private: true })),
    ...direct.open.failing().map((host) => ({ ...host, private: false })),
  ];
  const database = () => (proving === undefined ? undefined : databaseStatus(proving, remembered));
  watchUpstreams(metrics.registry, {
    upstreams: () => [...upstreams.watched, ...(proving === undefined ? [] : [proving.watched])],
    failingHosts: () => heldBack().length,
    database,
  });
  return {
    offline: config.offline,
    // An entry that the program adds by itself says something only once it is used.
    upstreams: () =>
      upstreams.watched
        .map((each) => each.health())
        .filter(
          ({ id, match, condition }) => id !== 'private.1' || match.length > 0 || condition !== 'unused',
        ),
    heldBack,
    database,
    stale: () => metrics.outcomes.stale,
    monitor,
    history: (span, from, to) => remembered.history(span, from, to),
    current: () => ({ at: Date.now(), ...amounts(), ...history.unwritten() }),
    usage: () => usage.usage(),
  };
}

function databaseStatus(
  { name, watched, isForked }: ProvingUpstream,
  remembered: UpstreamStore,
): DatabaseStatus {
  const head = remembered.newestHead(name);
  return {
    name,
    health: watched.health(),
    size: head === undefined ? undefined : sizeIn(head.note),
    seenAt: head?.seenAt,
    forked: isForked(),
  };
}

/** It was verified before it was kept; a file that was damaged since says nothing here. */
function sizeIn(note: Buffer): number | undefined {
  try {
    return parseTree(note.toString()).size;
  } catch {
    return undefined;
  }
}
