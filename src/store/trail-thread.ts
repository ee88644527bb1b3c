import { workerData } from 'node:worker_threads';
import { asStorageError, isFatal } from './database.ts';
import { FailStop } from './fail-stop.ts';
import { answerCalls } from './thread.ts';
import type { TrailEvent, TrailHead } from './trail-entry.ts';
import { TrailWriter } from './trail-table.ts';

export type TrailOperations = {
  append: (argument: { readonly events: readonly TrailEvent[]; readonly now: number }) => TrailHead;
  close: (argument: null) => void;
};

/** The thread in which a server adds to the audit trail. */
const trail = new TrailWriter((workerData as { database: string }).database);

const failStop = new FailStop((error) => asStorageError(error, 'audit trail'), isFatal);

answerCalls({
  append: ({ events, now }) => failStop.run(() => trail.append(events, now)),
  close: () => failStop.close(trail),
} satisfies TrailOperations);
