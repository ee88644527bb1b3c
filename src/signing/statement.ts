import { GokeepError } from '../errors.ts';

/** What an attestation says, as far as it is understood here (in-toto Statement v0.1 and v1). */
export interface Statement {
  /** A URI that says what kind of statement it is: for example https://slsa.dev/provenance/v1. */
  readonly predicateType: string;
  /** SHA-256 digests, in hex, of what it is about. */
  readonly subjects: readonly string[];
}

export const STATEMENT_TYPE = 'application/vnd.in-toto+json';

/** @throws bad_signature */
export function parseStatement(payloadType: string, payload: Buffer): Statement {
  if (payloadType !== STATEMENT_TYPE) throw malformed(`it does not hold ${STATEMENT_TYPE}`);
  let value: unknown;
  try {
    value = JSON.parse(payload.toString());
  } catch {
    throw malformed('what it holds is not JSON');
  }
  const { _type: type, predicateType, subject } = (value ?? {}) as Record<string, unknown>;
  if (typeof type !== 'string' || !/^https:\/\/in-toto\.io\/Statement\/v[01](?:\.[0-9]+)?$/.test(type))
    throw malformed('it is no in-toto statement');
  if (typeof predicateType !== 'string' || predicateType === '' || predicateType.length > 500)
    throw malformed('it does not say what kind of statement it is');
  if (!Array.isArray(subject)) throw malformed('it is about nothing');
  const subjects = subject.flatMap((each: unknown) => {
    const { digest } = (each ?? {}) as { digest?: { sha256?: unknown } };
    const sha256 = digest?.sha256;
    return typeof sha256 === 'string' ? [sha256] : [];
  });
  return { predicateType, subjects };
}

function malformed(why: string): GokeepError {
  return new GokeepError('bad_signature', `The attestation cannot be read: ${why}.`);
}
