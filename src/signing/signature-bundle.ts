/**
 * The forms in which signatures come: a sigstore bundle (v0.1 to v0.3), and what cosign wrote before there were bundles,
 * `{"base64Signature": "…"}`. Everything in them is attacker-controlled.
 */

import { type Bundle, bundleFromJSON } from '@sigstore/bundle';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { GokeepError } from '../errors.ts';
import type { DigestAlgorithm } from './artifact.ts';

/** A certificate, its log entries and an attestation with a few hundred subjects. */
export const MAX_BUNDLE = 512 * 1024;
/** A version has few signers; whoever sends more has something else in mind. */
export const MOST_OF_A_VERSION = 64;

export type SignatureBundle =
  /** Says neither by which key it is nor of what. */
  | { readonly form: 'bare'; readonly signature: Buffer }
  | {
      readonly form: 'message';
      readonly bundle: Bundle;
      readonly signature: Buffer;
      /** Undefined for Ed25519, as cosign writes it: that signs the bytes. */
      readonly digest: { readonly algorithm: DigestAlgorithm; readonly value: Buffer } | undefined;
    }
  | {
      readonly form: 'envelope';
      readonly bundle: Bundle;
      readonly signature: Buffer;
      readonly payloadType: string;
      readonly payload: Buffer;
    };

const ALGORITHMS: Readonly<Partial<Record<HashAlgorithm, DigestAlgorithm>>> = {
  [HashAlgorithm.SHA2_256]: 'sha256',
  [HashAlgorithm.SHA2_384]: 'sha384',
  [HashAlgorithm.SHA2_512]: 'sha512',
};

/** @throws bad_signature */
export function parseSignatureBundle(text: string): SignatureBundle {
  if (Buffer.byteLength(text) > MAX_BUNDLE) throw malformed(`it is larger than ${MAX_BUNDLE} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed('it is not JSON; cosign writes one with --bundle', cause);
  }
  if (!isObject(value)) throw malformed('it is no JSON object');
  return 'base64Signature' in value ? bare(value) : sigstore(value);
}

function bare(value: Record<string, unknown>): SignatureBundle {
  if (value['cert'] !== undefined && value['cert'] !== '')
    throw malformed(
      'it is of an old form, with a certificate; sign with cosign v3, or with --new-bundle-format',
    );
  return { form: 'bare', signature: base64(value['base64Signature']) };
}

function sigstore(value: Record<string, unknown>): SignatureBundle {
  const digestless = withoutDigest(value);
  let bundle: Bundle;
  try {
    bundle = bundleFromJSON(digestless ?? value);
  } catch (cause) {
    throw malformed('it is no sigstore bundle', cause);
  }
  const { content } = bundle;
  if (content.$case === 'dsseEnvelope') {
    const { payload, payloadType, signatures } = content.dsseEnvelope;
    const signature = signatures[0]?.sig ?? Buffer.alloc(0);
    return { form: 'envelope', bundle, signature, payloadType, payload };
  }
  const { signature, messageDigest } = content.messageSignature;
  if (digestless !== undefined) return { form: 'message', bundle, signature, digest: undefined };
  const algorithm = ALGORITHMS[messageDigest.algorithm];
  if (algorithm === undefined) throw malformed('its digest is neither SHA-256, SHA-384 nor SHA-512');
  return { form: 'message', bundle, signature, digest: { algorithm, value: messageDigest.digest } };
}

/**
 * cosign writes `"messageDigest": {}` for Ed25519, which the library takes for a damaged bundle: a copy with something in its
 * place, which nobody reads; undefined where there is a digest.
 */
function withoutDigest(value: Record<string, unknown>): Record<string, unknown> | undefined {
  const message = value['messageSignature'];
  if (!isObject(message)) return undefined;
  const digest = message['messageDigest'];
  if (isObject(digest) && digest['digest'] !== undefined) return undefined;
  const stand = { algorithm: 'SHA2_256', digest: Buffer.alloc(32).toString('base64') };
  return { ...value, messageSignature: { ...message, messageDigest: stand } };
}

function base64(value: unknown): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0);
  if (bytes.length === 0 || bytes.toString('base64') !== value)
    throw malformed('its signature is not base64');
  return bytes;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(why: string, cause?: unknown): GokeepError {
  return new GokeepError('bad_signature', `The signature cannot be read: ${why}.`, { cause });
}
