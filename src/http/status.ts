import { type ErrorCode, GokeepError } from '../errors.ts';

/**
 * The only table from code to HTTP status.
 *
 * 404 and 410 make `go` move on to its next proxy or to `direct`, so they are said only when we know that the thing
 * does not exist. A refusal is 403; trouble is 5xx.
 */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  bad_request: 400,
  bad_method: 405,
  // A path or version that cannot exist: an authentic "not found", and `go` does ask for such parents of a package.
  bad_path: 404,
  bad_version: 404,
  unauthenticated: 401,
  // Never 404: that would send `go` on to the next proxy or to `direct`, past whatever is refused here.
  forbidden: 403,
  not_found: 404,
  gone: 410,
  not_stored: 404,
  refused: 403,
  upstream_refused: 403,
  upstream_failed: 502,
  upstream_unreachable: 502,
  loop: 508,
  upstream_timeout: 504,
  no_go: 502,
  bad_zip: 502,
  bad_mod_file: 502,
  bad_note: 502,
  bad_key: 500,
  bad_tile: 502,
  bad_proof: 502,
  bad_record: 502,
  mismatch: 502,
  fork: 502,
  bad_bundle: 422,
  bad_upload: 422,
  bad_signature: 422,
  too_large: 413,
  taken: 409,
  bad_source: 422,
  bad_config: 500,
  log_frozen: 503,
  busy: 503,
  storage_full: 503,
  storage_failed: 503,
  internal: 500,
};

export function statusOf(error: unknown): number {
  return error instanceof GokeepError ? STATUS[error.code] : 500;
}
