import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../access/principal.ts';

/** One request, parsed as far as all protocols share. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** performance.now() when the request's head was there. */
  readonly startedAt: number;
  /** The raw path below the base, with its leading slash and without query; still escaped. Attacker-controlled. */
  readonly path: string;
  /** Answer from the store only. */
  readonly cachedOnly: boolean;
  /** Who asks. A handler demands (access/demand.ts) what its answer needs before it looks anything up. */
  readonly principal: Principal;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** Answers a request completely, or throws before anything is written. */
export type Handler = (asked: Asked) => Promise<void>;
