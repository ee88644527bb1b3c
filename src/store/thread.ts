import { parentPort, Worker } from 'node:worker_threads';
import { type ErrorCode, GokeepError } from '../errors.ts';

/** Synchronous, durable commits take milliseconds; they run in threads of their own, called as below. */
interface Call {
  readonly id: number;
  readonly op: string;
  readonly argument: unknown;
}

type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string; readonly detail: string };

/** What a thread can be asked: each operation's argument and result, both structured-cloneable. */
export type Operations = Record<string, (argument: never) => unknown>;

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const below = error.cause === undefined ? '' : ` ← ${describe(error.cause)}`;
  const code = 'code' in error && !(error instanceof GokeepError) ? ` [${String(error.code)}]` : '';
  const own = error instanceof GokeepError && error.detail !== undefined ? ` (${error.detail})` : '';
  return `${error.message}${own}${code}${below}`;
}

/** In the thread: answers calls one after the other, in the order they came. */
export function answerCalls(operations: Operations): void {
  const port = parentPort;
  if (port === null) throw new Error('answerCalls runs in a worker thread only');
  port.on('message', (call: Call) => {
    let reply: Reply;
    try {
      const run = operations[call.op];
      if (run === undefined) throw new Error(`unknown operation ${call.op}`);
      reply = { id: call.id, value: run(call.argument as never) };
    } catch (error) {
      const code = error instanceof GokeepError ? error.code : 'internal';
      const message = error instanceof GokeepError ? error.message : 'an internal error; see the gokeep log';
      reply = { id: call.id, code, message, detail: describe(error) };
    }
    port.postMessage(reply);
  });
}

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * In the main thread: one worker and the calls under way in it.
 *
 * When the thread dies, every call under way is rejected with storage_failed, whose outcome is then unknown, and
 * `onExit` runs once; a new instance has to be made to go on.
 */
export class Thread<O extends Operations> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiter>();
  #nextId = 1;
  #closing = false;
  #ended: Error | undefined;

  constructor(entry: URL, workerData: unknown, onExit: (error: Error) => void) {
    this.#worker = new Worker(entry, { workerData });
    let failure: Error | undefined;
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => {
      failure = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.on('exit', (code) => {
      const error = new GokeepError(
        'storage_failed',
        'a storage thread of the gokeep server ended; try again',
        {
          cause: failure ?? new Error(`worker exited with ${code}`),
        },
      );
      this.#ended = error;
      for (const waiter of this.#waiting.values()) waiter.reject(error);
      this.#waiting.clear();
      if (!this.#closing) onExit(error);
    });
  }

  call<K extends keyof O & string>(op: K, argument: Parameters<O[K]>[0]): Promise<ReturnType<O[K]>> {
    // A message to a thread that has ended is never answered.
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, op, argument } satisfies Call);
    });
  }

  /** Ends the thread. Callers have it close its files first, by an operation of its own. */
  async terminate(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  #settle(reply: Reply): void {
    const waiter = this.#waiting.get(reply.id);
    if (waiter === undefined) return;
    this.#waiting.delete(reply.id);
    if ('code' in reply) waiter.reject(new GokeepError(reply.code, reply.message, { detail: reply.detail }));
    else waiter.resolve(reply.value);
  }
}
