import { randomBytes } from 'node:crypto';
import { GokeepError } from '../../errors.ts';
import type { Actor } from '../../store/trail-entry.ts';
import { isOver, type Job, type JobKind, type JobProgress, type Outcome } from './job.ts';

/** What the work of a job has to do with. */
export interface Running {
  readonly id: string;
  /** Aborts when the job is cancelled, or the server stops. */
  readonly signal: AbortSignal;
  readonly progress: (progress: JobProgress) => void;
}

export interface Work {
  run(running: Running): Promise<Outcome>;
  /** Removes what was prepared for it, however it ended, also where it never began. */
  clear?(id: string): Promise<void>;
}

export interface QueueOptions {
  readonly now: () => number;
  readonly onEnd: (job: Job, error: unknown) => void;
}

/** Jobs that wait, those that their uploads are still coming for among them. */
const MOST_WAITING = 8;
/** Jobs that are over and can still be looked at. */
const MOST_OVER = 50;

type Mutable = { -readonly [K in keyof Job]: Job[K] };

interface Entry {
  readonly job: Mutable;
  readonly abort: AbortController;
}

/** Runs jobs, one at a time, and remembers for a while what came of them. */
export class JobQueue implements AsyncDisposable {
  readonly #o: QueueOptions;
  /** In the order in which they were begun. */
  readonly #jobs = new Map<string, Entry>();
  #last: Promise<void> = Promise.resolve();
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  constructor(options: QueueOptions) {
    this.#o = options;
  }

  /** Newest first. */
  list(): readonly Job[] {
    return [...this.#jobs.values()].map(({ job }) => job).toReversed();
  }

  find(id: string): Job | undefined {
    return this.#jobs.get(id)?.job;
  }

  /** Has a job wait for its turn. Throws busy where too many wait. */
  add(kind: JobKind, by: Actor, work: Work): Job {
    const waiting = [...this.#jobs.values()].filter(({ job }) => job.state === 'waiting').length;
    if (waiting >= MOST_WAITING)
      throw new GokeepError('busy', `${waiting} jobs wait already; try again when some of them are done`);
    const entry = this.#enter(kind, by);
    this.#last = this.#last.then(() => this.#run(entry, work));
    this.#hold(this.#last);
    return entry.job;
  }

  /** Begins a job at once: what it works on comes by itself. `ended` resolves when it is over. */
  begin(kind: JobKind, by: Actor, work: Work): { readonly job: Job; readonly ended: Promise<void> } {
    const entry = this.#enter(kind, by);
    const ended = this.#run(entry, work);
    this.#hold(ended);
    return { job: entry.job, ended };
  }

  /** Ends a job that is not over. False for one that is, or is none. */
  cancel(id: string): boolean {
    const entry = this.#jobs.get(id);
    if (entry === undefined || isOver(entry.job)) return false;
    entry.abort.abort(new GokeepError('busy', 'the job was cancelled'));
    if (entry.job.state === 'waiting') this.#end(entry, 'cancelled');
    return true;
  }

  /** Takes no more jobs, and ends those that would keep the server from stopping. What is being imported may come to its end. */
  stop(): void {
    this.#closed = true;
    for (const { job } of this.#jobs.values()) if (job.kind !== 'import') this.cancel(job.id);
  }

  /** Ends all jobs, and waits until nothing of them is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const id of this.#jobs.keys()) this.cancel(id);
    await Promise.all(this.#running);
  }

  #enter(kind: JobKind, by: Actor): Entry {
    if (this.#closed) throw new GokeepError('busy', 'the gokeep server is stopping; try again in a moment');
    const job: Mutable = {
      id: randomBytes(16).toString('hex'),
      kind,
      by,
      state: 'waiting',
      createdAt: this.#o.now(),
      startedAt: undefined,
      endedAt: undefined,
      progress: undefined,
      outcome: undefined,
      error: undefined,
      problems: [],
    };
    const entry = { job, abort: new AbortController() };
    this.#jobs.set(job.id, entry);
    return entry;
  }

  #hold(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  /** Never rejects. */
  async #run(entry: Entry, work: Work): Promise<void> {
    const { job, abort } = entry;
    let failure: unknown;
    try {
      if (abort.signal.aborted) return;
      job.state = 'running';
      job.startedAt = this.#o.now();
      job.outcome = await work.run({
        id: job.id,
        signal: abort.signal,
        progress: (progress) => (job.progress = progress),
      });
    } catch (error) {
      failure = error;
    } finally {
      await work.clear?.(job.id).catch((error: unknown) => (failure ??= error));
      if (!isOver(job)) this.#end(entry, abort.signal.aborted ? 'cancelled' : undefined, failure);
    }
  }

  #end({ job }: Entry, state?: 'cancelled', failure?: unknown): void {
    job.endedAt = this.#o.now();
    // What was done before somebody cancelled it is done.
    if (job.outcome !== undefined && failure === undefined) job.state = 'done';
    else if (state === 'cancelled') job.state = state;
    else {
      job.state = 'failed';
      job.error =
        failure instanceof GokeepError ? failure.message : 'the gokeep server failed; its log says why';
      job.problems = problemsOf(failure);
    }
    const over = [...this.#jobs.values()].filter((each) => isOver(each.job));
    for (const each of over.slice(0, Math.max(over.length - MOST_OVER, 0))) this.#jobs.delete(each.job.id);
    this.#o.onEnd(job, failure);
  }
}

/** What errors about bundles have, a sentence each. */
function problemsOf(error: unknown): readonly string[] {
  return error instanceof GokeepError && 'problems' in error ? (error.problems as readonly string[]) : [];
}
