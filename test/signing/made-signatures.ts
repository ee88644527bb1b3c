import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** The kinds of keys that may sign. */
export const KEY_KINDS = ['P-256', 'P-384', 'Ed25519', 'RSA'] as const;

export interface TestKey {
  /** PEM. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
  readonly fingerprint: string;
}

export function makeKey(kind: (typeof KEY_KINDS)[number]): TestKey {
  const { publicKey, privateKey } =
    kind === 'Ed25519'
      ? generateKeyPairSync('ed25519')
      : kind === 'RSA'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: kind });
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return {
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }),
    privateKey,
    fingerprint: createHash('sha256').update(der).digest('base64'),
  };
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();

const signed = (bytes: Buffer, { privateKey }: TestKey): string =>
  sign(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, privateKey).toString('base64');

/** What `cosign sign-blob --bundle` writes with a key, where it does not upload anything. */
export function signBlob(bytes: Buffer, key: TestKey): string {
  const isPure = key.privateKey.asymmetricKeyType === 'ed25519';
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: key.fingerprint }, tlogEntries: [] },
    messageSignature: {
      messageDigest: isPure ? {} : { algorithm: 'SHA2_256', digest: sha256(bytes).toString('base64') },
      signature: signed(bytes, key),
    },
  });
}

/** What cosign wrote before there were bundles. */
export function signBare(bytes: Buffer, key: TestKey): string {
  return JSON.stringify({ base64Signature: signed(bytes, key) });
}

export const PROVENANCE = 'https://slsa.dev/provenance/v1';

/** What `cosign attest-blob --bundle` writes with a key. */
export function attestBlob(bytes: Buffer, key: TestKey, predicateType = PROVENANCE): string {
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'module.zip', digest: { sha256: sha256(bytes).toString('hex') } }],
      predicateType,
      predicate: {},
    }),
  );
  const payloadType = 'application/vnd.in-toto+json';
  const encoded = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: key.fingerprint }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ sig: signed(encoded, key) }],
    },
  });
}
