/**
 * Every way in which gokeep says no. Code branches on the code, never on the text.
 *
 * The table that turns a code into an HTTP status is `src/http/status.ts`, and nowhere else.
 */
export type ErrorCode =
  // What a client sent.
  | 'bad_request' // not a request of any protocol we speak
  | 'bad_method' // neither GET nor HEAD
  | 'bad_path' // not a module path
  | 'bad_version' // not a version, or not one that fits its module path
  // Who sent it.
  | 'unauthenticated' // no credentials, or none that are good
  | 'forbidden' // known, and without the right
  // What is, or is not, there.
  | 'not_found' // an authoritative party says: it does not exist (404)
  | 'gone' // an authoritative party says: it no longer exists (410)
  | 'not_stored' // offline or cached-only, and we do not hold it
  | 'refused' // policy: we could, and will not
  // What upstream did.
  | 'upstream_refused' // upstream answered 401 or 403
  | 'upstream_failed' // upstream answered another failure, or something that is no answer to the question
  | 'upstream_unreachable' // no connection, or it broke
  | 'loop' // a request that we sent upstream came back to us
  | 'upstream_timeout' // deadline or minimum rate missed
  | 'no_go' // `direct` was asked for and there is no usable go command or git
  // Verification.
  | 'bad_zip' // breaks a rule of golang.org/x/mod/zip
  | 'bad_mod_file' // not a go.mod
  | 'bad_note' // malformed note, or no signature that we can verify
  | 'bad_key' // malformed signer or verifier key, or the wrong one
  | 'bad_tile' // malformed tile coordinates, path or data
  | 'bad_proof' // an inclusion or consistency proof that does not prove
  | 'bad_record' // malformed or unrelated go.sum record
  | 'mismatch' // bytes or a record that differ from what is recorded: a security incident
  | 'fork' // two tree heads of one log that cannot both be true: a security incident
  | 'bad_bundle' // an air-gap bundle that is not what it says, or does not follow on what is here
  | 'bad_upload' // a zip or what came with it that cannot be published, or a yank that cannot be
  | 'bad_signature' // a signature bundle that is none, is for other bytes, or is by nobody who is trusted
  | 'too_large' // an upload beyond what a module zip may have
  | 'taken' // a version that was published, or recorded, with other bytes
  | 'bad_source' // a directory or git repository to publish from that is none, or cannot be read
  // Ourselves.
  | 'bad_config'
  | 'log_frozen' // our log refuses to sign: rolled back, forked, or its mark is missing
  | 'busy' // shutting down or over a limit; try again
  | 'storage_full'
  | 'storage_failed'
  | 'internal';

/** What an error may carry beside its sentence. */
export interface ErrorDetail {
  /** The lower error. Logged, never shown to a client. */
  cause?: unknown;
  /** For the log only: may name hosts, paths on disk, bytes seen. */
  detail?: string;
  /**
   * The body of an authentic 404 or 410, byte for byte: the go command composes its own messages from it,
   * so it is passed on with nothing in front.
   */
  verbatim?: string;
}

/**
 * The one error class.
 *
 * `message` is for the person at the terminal: one plain sentence that says what happened, to which module,
 * and what to do. It holds no secrets, no control characters, and no paths on disk but those that the configuration
 * names.
 */
export class GokeepError extends Error {
  override readonly name = 'GokeepError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly verbatim: string | undefined;

  constructor(code: ErrorCode, message: string, more: ErrorDetail = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.detail = more.detail;
    this.verbatim = more.verbatim;
  }
}

/** True for a GokeepError with one of the given codes. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is GokeepError {
  return error instanceof GokeepError && codes.includes(error.code);
}
