import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { GokeepError } from '../errors.ts';

/** A public key that signatures are verified with. */
export interface PublicKey {
  /** What people call it: the name of its file, without directory. */
  readonly name: string;
  /** Base64 of the SHA-256 of the SubjectPublicKeyInfo: what cosign writes into `publicKey.hint`. */
  readonly fingerprint: string;
  readonly key: KeyObject;
}

const CURVES = new Set(['prime256v1', 'secp384r1']);
const MIN_RSA_BITS = 2048;

/**
 * Reads a public key as `cosign generate-key-pair` and openssl write it: PEM of a SubjectPublicKeyInfo, of a key on P-256 or
 * P-384, Ed25519, or RSA of at least 2048 bits.
 *
 * @param name for sentences, and kept
 * @throws bad_config
 */
export function parsePublicKey(pem: string, name: string): PublicKey {
  if (pem.includes('PRIVATE KEY'))
    throw new GokeepError('bad_config', `${name}: it holds a private key; here belongs the public one`);
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new GokeepError('bad_config', `${name}: it is no public key in PEM form`, { cause });
  }
  if (!isUsable(key))
    throw new GokeepError(
      'bad_config',
      `${name}: it is a key of a kind that is not used here; P-256, P-384, Ed25519 and RSA from ${MIN_RSA_BITS} bits are`,
    );
  const der = key.export({ format: 'der', type: 'spki' });
  return { name, fingerprint: createHash('sha256').update(der).digest('base64'), key };
}

function isUsable({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === 'ed25519') return true;
  if (type === 'ec') return CURVES.has(details?.namedCurve ?? '');
  return type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS;
}
