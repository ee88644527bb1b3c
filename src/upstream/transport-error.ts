import { GokeepError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { ForbiddenAddress } from './address-rules.ts';

interface Reading {
  readonly code: ErrorCode;
  /** Completes "… could not be fetched from X: ". */
  readonly why: string;
}

/** Failures in which no byte of a response arrived, so that asking again is asking once. */
const UNANSWERED = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_PRX_CONN',
]);

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection broke',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no network',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_ABORTED: 'the egress proxy refused to connect',
  UND_ERR_PRX_CONN: 'the egress proxy broke the connection',
  UND_ERR_PRX_TLS: 'the egress proxy has no trusted TLS certificate',
  UND_ERR_SOCKS5: 'the SOCKS5 proxy refused to connect',
};

/** True when a request failed before any response to it, for a reason that may pass. */
export function isUnanswered(error: unknown): boolean {
  return UNANSWERED.has(codeOf(error));
}

/**
 * What an exception of the HTTP client means, as one sentence about `subject` (a module, a database file) and
 * `from` (an upstream's display name). A GokeepError passes unchanged.
 */
export function transportError(error: unknown, subject: string, from: string): GokeepError {
  if (error instanceof GokeepError) return error;
  const { code, why } = read(error);
  return new GokeepError(code, `${subject} could not be fetched from ${from}: ${why}.`, {
    cause: error,
    detail: describe(error),
  });
}

function read(error: unknown): Reading {
  if (error instanceof ForbiddenAddress) {
    return {
      code: 'upstream_failed',
      why: 'it has, or redirects to, an address that is not public; if that is meant, add the address to the allowed ones',
    };
  }
  const code = codeOf(error);
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return { code: 'upstream_timeout', why: 'no connection could be made in time' };
  }
  if (/^(?:CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    return {
      code: 'upstream_unreachable',
      why: `its TLS certificate or handshake is not accepted (${code}); a private CA has to be configured`,
    };
  }
  // The parser does not always give a code. A body that ends early has one of its own.
  const unparsable =
    error instanceof Error && error.name === 'HTTPParserError' && code !== 'HPE_INVALID_EOF_STATE';
  if (unparsable || /^(?:UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_)/.test(code)) {
    return { code: 'upstream_failed', why: 'its answer is not valid HTTP' };
  }
  return { code: 'upstream_unreachable', why: UNREACHABLE[code] ?? 'the connection failed' };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return '';
  return code.startsWith('UND_ERR_SOCKS5') ? 'UND_ERR_SOCKS5' : code;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${codeOf(error)} ${error.message}`.trim() : String(error);
}
