import { createHash } from 'node:crypto';
import { GokeepError } from '../errors.ts';
import type { DigestAlgorithm } from './artifact.ts';
import { parseSignatureBundle, type SignatureBundle } from './signature-bundle.ts';
import { parseStatement } from './statement.ts';

/** What is known of the file that a signature has to be of; undefined for a digest that is not known. */
export interface KnownDigests {
  digest(algorithm: DigestAlgorithm): Promise<Buffer | undefined>;
}

/** What a signature says of itself, which can be told without knowing anybody's key. */
export interface Claim {
  /** A signature of the bytes, or a signed statement about them. */
  readonly kind: 'signature' | 'attestation';
  /** Of an attestation; otherwise undefined. */
  readonly predicateType: string | undefined;
  /** SHA-256, in hex, of the bundle's text: what it is called by. */
  readonly id: string;
  /** Base64 of the SHA-256 of the public key that it says it is by; undefined where it names none. */
  readonly key: string | undefined;
}

/**
 * Reads a signature and what it says of itself, as far as that is said: a bare one, and one by an Ed25519 key, name no digest.
 *
 * @param text attacker-controlled
 * @throws bad_signature where it cannot be read, or says that it is of another file
 */
export async function claimOf(text: string, of: KnownDigests): Promise<Claim> {
  const parsed = parseSignatureBundle(text);
  return {
    kind: parsed.form === 'envelope' ? 'attestation' : 'signature',
    predicateType: await checkSubject(parsed, of),
    id: createHash('sha256').update(text).digest('hex'),
    key: hintOf(parsed),
  };
}

/**
 * Whether the bundle says that it is of this file, before whether that is true.
 *
 * @returns the type of an attestation
 * @throws bad_signature
 */
export async function checkSubject(parsed: SignatureBundle, of: KnownDigests): Promise<string | undefined> {
  if (parsed.form === 'envelope') {
    const { predicateType, subjects } = parseStatement(parsed.payloadType, parsed.payload);
    const sha256 = await of.digest('sha256');
    if (sha256 !== undefined && !subjects.includes(sha256.toString('hex'))) throw otherBytes('attestation');
    return predicateType;
  }
  if (parsed.form === 'message' && parsed.digest !== undefined) {
    const { algorithm, value } = parsed.digest;
    const known = await of.digest(algorithm);
    if (known !== undefined && !known.equals(value)) throw otherBytes('signature');
  }
  return undefined;
}

function hintOf(parsed: SignatureBundle): string | undefined {
  if (parsed.form === 'bare') return undefined;
  const { content } = parsed.bundle.verificationMaterial;
  return content.$case === 'publicKey' ? content.publicKey.hint : undefined;
}

function otherBytes(what: string): GokeepError {
  return new GokeepError(
    'bad_signature',
    `The ${what} is of other bytes than the module's zip: sign the zip exactly as it is published or served.`,
  );
}
