import { Gauge, type Registry } from 'prom-client';
import type { WatchedUpstream } from '../upstream/watched.ts';

export interface WatchedUpstreams {
  readonly upstreams: () => readonly WatchedUpstream[];
  readonly failingHosts: () => number;
  /** Of the foreign checksum database: records, and when its newest head was first seen, in ms since 1970. */
  readonly database: () =>
    | { readonly size: number | undefined; readonly seenAt: number | undefined }
    | undefined;
}

/**
 * How upstreams do, read when somebody asks. Upstreams are named by their place in the configuration: metrics may be read by
 * everybody, and hosts that serve private modules are nobody else's business.
 */
export function watchUpstreams(registry: Registry, o: WatchedUpstreams): void {
  const each = (name: string, help: string, read: (upstream: WatchedUpstream) => number | undefined) => {
    new Gauge({
      name,
      help,
      labelNames: ['upstream', 'kind', 'private'],
      registers: [registry],
      collect() {
        this.reset();
        for (const upstream of o.upstreams()) {
          const { id, kind, private: isPrivate } = upstream.name;
          const value = kind === 'off' ? undefined : read(upstream);
          if (value !== undefined) this.set({ upstream: id, kind, private: String(isPrivate) }, value);
        }
      },
    });
  };
  each(
    'gokeep_upstream_up',
    'Whether an upstream answered last: 1 or 0, nothing before it was asked',
    (one) => {
      const { condition } = one.health();
      return condition === 'unused' ? undefined : Number(condition === 'works');
    },
  );
  each(
    'gokeep_upstream_requests_total',
    'Requests that an upstream answered or failed',
    (one) => one.totals.requests,
  );
  each('gokeep_upstream_failures_total', 'Requests that an upstream failed', (one) => one.totals.failures);
  each(
    'gokeep_upstream_fall_throughs_total',
    'Requests that went on to the next upstream of the list',
    (one) => one.totals.fellThrough,
  );
  each(
    'gokeep_upstream_seconds_total',
    'Time that answers of an upstream took',
    (one) => one.totals.ms / 1000,
  );
  each('gokeep_upstream_waiting', 'Requests that wait for an upstream now', (one) => one.health().waiting);
  const single = (name: string, help: string, read: () => number | undefined) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read() ?? 0);
      },
    });
  };
  single('gokeep_failing_hosts', 'Repository hosts that have not answered since they failed', o.failingHosts);
  single(
    'gokeep_upstream_log_size',
    'Records in the newest verified head of the upstream database',
    () => o.database()?.size,
  );
  single('gokeep_upstream_head_seconds', 'When that head was first seen; 0 where that is not known', () => {
    const at = o.database()?.seenAt;
    return at === undefined ? undefined : at / 1000;
  });
}
