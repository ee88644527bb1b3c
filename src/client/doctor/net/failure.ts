import type { TlsTrouble } from './certificates.ts';

/** Why there is no answer: the step that failed, and how. */
export interface Failure {
  readonly stage: 'egress' | 'dns' | 'connect' | 'tls' | 'answer';
  /** ENOTFOUND, ECONNREFUSED, a TLS code, or one of ours: TIMEOUT, TOO_LARGE, REDIRECTS, NOT_HTTP. */
  readonly code: string;
  readonly detail: string;
  /** The variable that names the proxy that was used, where one was. */
  readonly egress: string | undefined;
  readonly tls?: TlsTrouble;
}

export class Unreached extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(`${failure.stage}: ${failure.code}`);
    this.failure = failure;
  }
}
