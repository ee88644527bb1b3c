import type { Usage } from '../proxy/usage.ts';
import type { HistoryRow, HistorySample } from '../store/history-table.ts';
import type { FailingHost } from '../upstream/failing-hosts.ts';
import type { UpstreamHealth } from '../upstream/watched.ts';

/** A repository host that did not answer. */
export interface HeldBackHost extends FailingHost {
  /** It was asked about private paths. */
  readonly private: boolean;
}

/** The foreign checksum database that proves public modules. */
export interface DatabaseStatus {
  readonly name: string;
  readonly health: UpstreamHealth;
  /** Records of the newest head that was verified; undefined before the first. */
  readonly size: number | undefined;
  /** When that head was first seen, in ms since 1970; undefined where that was not noted. */
  readonly seenAt: number | undefined;
  /** It has contradicted itself. */
  readonly forked: boolean;
}

/** A round of the monitor that ended: in ms since 1970, and counts of versions, repositories and troubles. */
export interface MonitorRound {
  readonly at: number;
  readonly repositories: number;
  readonly same: number;
  readonly untagged: number;
  readonly unknown: number;
  readonly differ: number;
  readonly troubles: number;
}

export interface MonitorStatus {
  /** Milliseconds between two rounds. */
  readonly every: number;
  readonly last: MonitorRound | undefined;
}

/** How this server does, and did. Nothing of it is cut down to what its reader may know: that is up to who shows it. */
export interface Status {
  /** Nothing is ever asked upstream. */
  readonly offline: boolean;
  readonly upstreams: () => readonly UpstreamHealth[];
  readonly heldBack: () => readonly HeldBackHost[];
  /** Undefined where there is none. */
  readonly database: () => DatabaseStatus | undefined;
  /** Answers of the last hour that were older than they should be. */
  readonly stale: () => number;
  /** Undefined where no rounds are done here. */
  readonly monitor: () => MonitorStatus | undefined;
  /** Hours or days that begin in a time, in order, as they were written down. */
  readonly history: (span: 'hour' | 'day', from: number, to: number) => readonly HistoryRow[];
  /** What there is now, and the requests that are not written down yet. */
  readonly current: () => HistorySample;
  readonly usage: () => Promise<Usage>;
}
