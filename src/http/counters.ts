import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { OutcomeName, Outcomes } from '../store/history-table.ts';
import { LastHour } from '../upstream/last-hour.ts';

/** Plain numbers for what is counted in every request: a prom-client call per request would cost more than the answer. */
export class HotCounters {
  /** Served without any lookup, from prepared answers. */
  fast = 0;
  fastBytes = 0;
}

/** Kinds of requests that builds send; pages and the rest are not counted among them. */
const BUILDS: ReadonlySet<string> = new Set([
  'module',
  'list',
  'latest',
  'info',
  'mod',
  'zip',
  'sumdb',
  'lookup',
  'tile',
]);

/** How requests of builds ended, since the start: plain numbers, of those that no prepared answer was sent to. */
export class OutcomeCounts {
  readonly #counts: Record<OutcomeName, number> = {
    memory: 0,
    store: 0,
    upstream: 0,
    stale: 0,
    absent: 0,
    refused: 0,
    failed: 0,
  };
  readonly #stale = new LastHour(['stale'], () => performance.now());

  count(kind: string, status: number, from: string): void {
    const outcome = outcomeOf(kind, status, from);
    if (outcome === undefined) return;
    this.#counts[outcome]++;
    if (outcome === 'stale') this.#stale.add('stale');
  }

  get counts(): Outcomes {
    return this.#counts;
  }

  /** Of the last hour. */
  get stale(): number {
    return this.#stale.sum('stale');
  }
}

function outcomeOf(kind: string, status: number, from: string): OutcomeName | undefined {
  if (from === 'memory' || from === 'cache') return 'memory';
  if (from === 'store' || from === 'upstream' || from === 'stale') return from;
  if (!BUILDS.has(kind)) return undefined;
  if (status === 404 || status === 410) return 'absent';
  if (status === 401 || status === 403) return 'refused';
  return status >= 500 ? 'failed' : undefined;
}

/** Numbers read at scrape time. */
export interface Gauges {
  readonly logSize: () => number;
  readonly headSignedAt: () => number;
  readonly waitingMs: () => number;
  readonly memoryBytes: () => number;
  readonly prefetched: () => number;
  readonly droppedLogLines: () => number;
}

/** All metrics of one server, in a registry of its own. */
export class Metrics {
  readonly registry = new Registry();
  readonly hot = new HotCounters();
  readonly outcomes = new OutcomeCounts();
  readonly requests = new Counter({
    name: 'gokeep_requests_total',
    help: 'Requests answered, by kind, status and where the answer came from',
    labelNames: ['kind', 'status', 'from'],
    registers: [this.registry],
  });
  readonly duration = new Histogram({
    name: 'gokeep_request_seconds',
    help: 'Time to answer requests that were not served from prepared answers',
    labelNames: ['kind'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [this.registry],
  });
  readonly stale = new Counter({
    name: 'gokeep_stale_answers_total',
    help: 'Refreshable answers served beyond their TTL because upstream could not be asked',
    registers: [this.registry],
  });
  readonly incidents = new Counter({
    name: 'gokeep_incidents_total',
    help: 'What differed from what is recorded: bytes and records, which were refused, and tags and repositories',
    labelNames: ['kind'],
    registers: [this.registry],
  });
  readonly hiddenErrors = new Counter({
    name: 'gokeep_background_errors_total',
    help: 'Failures that no client saw: background refreshes and the like',
    registers: [this.registry],
  });
  readonly monitored = new Gauge({
    name: 'gokeep_monitor_versions',
    help: 'Private versions in the last round of the monitor: same, untagged, unknown, or differ',
    labelNames: ['state'],
    registers: [this.registry],
  });
  readonly monitorTroubles = new Gauge({
    name: 'gokeep_monitor_troubles',
    help: 'Repositories that could not be compared in the last round of the monitor',
    registers: [this.registry],
  });
  readonly monitorEnded = new Gauge({
    name: 'gokeep_monitor_round_seconds',
    help: 'When the last round of the monitor ended; 0 before the first',
    registers: [this.registry],
  });

  /** Registers the numbers that are read when somebody asks. */
  watch(gauges: Gauges): void {
    const { registry, hot } = this;
    const gauge = (name: string, help: string, read: () => number) => {
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    };
    gauge('gokeep_log_size', 'Records in the published log', gauges.logSize);
    gauge(
      'gokeep_head_signed_seconds',
      'When the published head was signed',
      () => gauges.headSignedAt() / 1000,
    );
    gauge(
      'gokeep_log_waiting_seconds',
      'How long the oldest record waits for its head',
      () => gauges.waitingMs() / 1000,
    );
    gauge('gokeep_memory_cache_bytes', 'Bytes of prepared answers', gauges.memoryBytes);
    gauge('gokeep_prefetched_total', 'go.mod files fetched ahead of a client', gauges.prefetched);
    gauge(
      'gokeep_dropped_log_lines_total',
      'Log lines lost because standard output took none',
      gauges.droppedLogLines,
    );
    gauge('gokeep_fast_answers_total', 'Requests answered from prepared answers', () => hot.fast);
    gauge('gokeep_fast_answer_bytes_total', 'Bytes of them', () => hot.fastBytes);
    gauge('gokeep_resident_bytes', 'Resident memory of the process', () => process.memoryUsage.rss());
  }
}
