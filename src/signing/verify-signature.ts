/**
 * Verifies one signature of one file, offline: by a key that a rule names, or by an identity that the rule's trusted root
 * vouches for.
 */

import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { type SignedEntity, toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';
import type { Artifact, DigestAlgorithm } from './artifact.ts';
import { isIdentity } from './identity-rule.ts';
import type { PublicKey } from './public-key.ts';
import type { Signer, SigningRule } from './rule.ts';
import { parseSignatureBundle, type SignatureBundle } from './signature-bundle.ts';
import { checkSubject } from './subject.ts';

/** A signature that was verified, and by whom it is. */
export interface VerifiedSignature {
  /** A signature of the bytes, or a signed statement about them. */
  readonly kind: 'signature' | 'attestation';
  readonly signer: Signer;
  /** Of an attestation; otherwise undefined. */
  readonly predicateType: string | undefined;
  /** SHA-256, in hex, of the bundle's text: what it is called by. */
  readonly id: string;
  /** SHA-256, in hex, of the signed file. */
  readonly sha256: string;
  /** The bundle, as it came. */
  readonly bundle: string;
}

type Packed = Exclude<SignatureBundle, { form: 'bare' }>;

/**
 * Keys are trusted by the rule alone: what a bundle says of time or of a transparency log beside a key is not looked at.
 * Identities need a certificate, a time and a log entry that the trusted root proves (the thresholds of sigstore).
 *
 * @param text attacker-controlled
 * @throws bad_signature with a sentence that says what is wrong
 */
export async function verifySignature(
  text: string,
  artifact: Artifact,
  rule: Pick<SigningRule, 'keys' | 'identities' | 'trustedRoot'>,
): Promise<VerifiedSignature> {
  const parsed = parseSignatureBundle(text);
  const predicateType = await checkSubject(parsed, artifact);
  const isKeyed = parsed.form === 'bare' || parsed.bundle.verificationMaterial.content.$case === 'publicKey';
  const signer = isKeyed
    ? await byKey(parsed, artifact, rule.keys)
    : await byIdentity(parsed, artifact, rule);
  return {
    kind: parsed.form === 'envelope' ? 'attestation' : 'signature',
    signer,
    predicateType,
    id: createHash('sha256').update(text).digest('hex'),
    sha256: (await artifact.digest('sha256')).toString('hex'),
    bundle: text,
  };
}

async function byKey(
  parsed: SignatureBundle,
  artifact: Artifact,
  keys: readonly PublicKey[],
): Promise<Signer> {
  for (const candidate of candidates(parsed, keys)) {
    const isRight =
      parsed.form === 'envelope'
        ? isEnvelopeSignedBy(parsed, candidate.key)
        : await isBlobSignedBy(parsed, artifact, candidate.key);
    if (!isRight) continue;
    const { name, fingerprint } = candidate;
    return { kind: 'key', name, fingerprint };
  }
  throw new GokeepError(
    'bad_signature',
    'The signature is not of these bytes by a key that is trusted for this module.',
  );
}

function candidates(parsed: SignatureBundle, keys: readonly PublicKey[]): readonly PublicKey[] {
  if (parsed.form === 'bare') return keys;
  const { content } = parsed.bundle.verificationMaterial;
  const hint = content.$case === 'publicKey' ? content.publicKey.hint : '';
  const named = keys.filter(({ fingerprint }) => fingerprint === hint);
  if (named.length > 0) return named;
  throw new GokeepError(
    'bad_signature',
    `The signature is by key ${quote(hint)}, which is none of those trusted for this module.`,
  );
}

async function isBlobSignedBy(
  parsed: Exclude<SignatureBundle, { form: 'envelope' }>,
  artifact: Artifact,
  key: KeyObject,
): Promise<boolean> {
  const { signature } = parsed;
  if (parsed.form === 'message' && key.asymmetricKeyType !== 'ed25519') {
    if (parsed.digest === undefined)
      throw new GokeepError('bad_signature', 'The signature does not say of what digest it is.');
    return artifact.isSignedBy(key, signature, parsed.digest.algorithm);
  }
  for (const algorithm of digestsOf(key))
    if (await artifact.isSignedBy(key, signature, algorithm)) return true;
  return false;
}

/** The pre-authentication encoding of DSSE v1. For Ed25519 cosign signs its SHA-512 (Ed25519ph of RFC 8032), others itself. */
function isEnvelopeSignedBy(
  { payload, payloadType, signature }: Extract<SignatureBundle, { form: 'envelope' }>,
  key: KeyObject,
): boolean {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  const encoded = Buffer.concat([Buffer.from(head), payload]);
  if (key.asymmetricKeyType !== 'ed25519')
    return digestsOf(key).some((algorithm) => verify(algorithm, encoded, key, signature));
  if (verify(null, encoded, key, signature)) return true;
  const point = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
  return signature.length === 64 && ed25519ph.verify(signature, encoded, point);
}

/** What a signature that does not say it may be of: cosign takes the digest of the curve's own size, earlier ones SHA-256. */
function digestsOf(key: KeyObject): readonly DigestAlgorithm[] {
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? ['sha384', 'sha256'] : ['sha256'];
}

async function byIdentity(
  parsed: SignatureBundle,
  artifact: Artifact,
  { identities, trustedRoot }: Pick<SigningRule, 'identities' | 'trustedRoot'>,
): Promise<Signer> {
  if (parsed.form === 'bare') throw new GokeepError('internal', 'a bare signature has no certificate');
  if (trustedRoot === undefined || identities.length === 0)
    throw new GokeepError(
      'bad_signature',
      'The signature is by an identity with a certificate, and no identity is trusted for this module.',
    );
  const identity = await certified(parsed, artifact, trustedRoot);
  if (!identities.some((rule) => isIdentity(rule, identity)))
    throw new GokeepError(
      'bad_signature',
      `The signature is by ${quote(identity.subject)} of ${quote(identity.issuer)}, who is not trusted for this module.`,
    );
  return { kind: 'identity', ...identity };
}

async function certified(parsed: Packed, artifact: Artifact, trustedRoot: string) {
  let identity;
  try {
    const entity = await entityOf(parsed, artifact);
    const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(trustedRoot)), () => {
      throw new GokeepError('bad_signature', 'a key has no place in a signature with a certificate');
    });
    ({ identity } = new Verifier(trust).verify(entity));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'its certificate cannot be read';
    throw new GokeepError(
      'bad_signature',
      `The signature by an identity does not verify against the trusted root: ${why}.`,
      { cause },
    );
  }
  const issuer = identity?.extensions?.issuer;
  const subject = identity?.subjectAlternativeName;
  if (issuer === undefined || subject === undefined)
    throw new GokeepError('bad_signature', 'The certificate of the signature names no issuer or no subject.');
  return { issuer, subject };
}

/** The library wants all bytes at once to verify with; whether they are signed is found out before, in portions. */
async function entityOf(parsed: Packed, artifact: Artifact): Promise<SignedEntity> {
  const entity = toSignedEntity(parsed.bundle, Buffer.alloc(0));
  if (parsed.form === 'envelope' || entity.key.$case !== 'certificate') return entity;
  if (parsed.digest === undefined)
    throw new GokeepError('bad_signature', 'it does not say of what digest it is');
  const { algorithm } = parsed.digest;
  const certified = createPublicKey({ key: entity.key.certificate.publicKey, format: 'der', type: 'spki' });
  const isRight = await artifact.isSignedBy(certified, parsed.signature, algorithm);
  const content = entity.signature;
  return {
    ...entity,
    signature: {
      signature: content.signature,
      compareSignature: (signature) => content.compareSignature(signature),
      compareDigest: (digest) => content.compareDigest(digest),
      compareSignedDigest: (digest) => content.compareSignedDigest(digest),
      verifySignature: (key) => isRight && key.equals(certified),
    },
  };
}
