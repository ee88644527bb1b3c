import type { Logger } from 'pino';
import type { BundleImport } from '../airgap/import.ts';
import { BundleDesk } from '../airgap/jobs/desk.ts';
import { JobQueue } from '../airgap/jobs/job-queue.ts';
import { MadeBundles } from '../airgap/jobs/made-bundles.ts';
import { ReceiptList } from '../airgap/jobs/receipt-list.ts';
import { Receipts } from '../airgap/receipts.ts';
import type { TrailSink } from '../audit/trail.ts';
import type { Config } from '../config/load.ts';
import { threadEntry } from '../thread-entry.ts';
import { readWishes } from './bundle-wishlist.ts';
import type { ServedLog } from './own-log.ts';

export interface BundleParts {
  readonly served: ServedLog;
  readonly importer: BundleImport;
  readonly trail: TrailSink;
  readonly log: Logger;
  /** The port that we listen on; known only once we do. */
  readonly port: () => number;
}

/**
 * What makes, checks and imports bundles for who asks over the network. Whatever a job that was killed has left is gone afterwards.
 *
 * @param cleanup ends jobs that are under way then
 */
export async function openBundles(
  config: Config,
  { served, importer, trail, log, port }: BundleParts,
  cleanup: AsyncDisposableStack,
): Promise<BundleDesk> {
  const { data, bundles, replica, offline, listen } = config;
  const made = new MadeBundles({
    data,
    mostBytes: bundles.madeSize,
    mostAgeMs: bundles.madeAge,
    now: Date.now,
  });
  await made.open();
  const pruning = setInterval(
    () => void made.prune(0).catch((error: unknown) => log.warn({ err: error }, 'old bundles')),
    HOUR_MS,
  );
  pruning.unref();
  cleanup.defer(() => clearInterval(pruning));
  const queue = cleanup.use(
    new JobQueue({
      now: Date.now,
      onEnd: ({ id, kind, state, by, error: said }, error) => {
        const facts = { job: id, kind, state, by: by.who, ...(error === undefined ? {} : { err: error }) };
        log.info(said === undefined ? facts : { ...facts, said }, 'bundle job');
      },
    }),
  );
  return new BundleDesk({
    queue,
    made,
    receipts: new ReceiptList(new Receipts(data), replica ? undefined : served.name),
    importer,
    trail,
    program: {
      main: threadEntry('../main', import.meta.url),
      args: [`--data=${data}`, ...(config.file === undefined ? [] : [`--config=${config.file}`])],
      // Any port was good enough, and the command has to find us.
      env: () => ({ ...process.env, GOKEEP_LISTEN: `${bracketed(listen.host)}:${port()}` }),
    },
    data,
    offline,
    canMake: !replica,
    trusts: bundles.trust,
    diskReserve: config.cache.diskReserve,
    mostBytes: bundles.madeSize,
    wishes: async () => (await readWishes(config)).unmet,
    now: Date.now,
  });
}

const HOUR_MS = 3_600_000;

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
