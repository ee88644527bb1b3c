import nacl from 'tweetnacl';
import { GokeepError } from '../errors.ts';
import { ALGORITHM_ED25519, isValidName, keyHash, keyHashText, splitKey } from './key.ts';

/** Signs with one key. Takes about 6 ms a signature: once a batch, in a worker, never in a request. */
export interface Signer {
  readonly name: string;
  /** 32 bits, unsigned; of the public key. */
  readonly keyHash: number;
  /** The 64 bytes of the signature. */
  sign(msg: Buffer): Buffer;
}

const PRIVATE_PREFIX = 'PRIVATE+KEY+';
const SEED_SIZE = 32;

/**
 * Reads a signer key: `PRIVATE+KEY+name+%08x+base64(0x01 ‖ seed)` (x/mod note.NewSigner).
 *
 * Throws `bad_key`; the message never holds a part of the key.
 */
export function parseSigner(skey: string): Signer {
  const parts = skey.startsWith(PRIVATE_PREFIX) ? splitKey(skey.slice(PRIVATE_PREFIX.length)) : undefined;
  if (parts === undefined) {
    throw new GokeepError(
      'bad_key',
      'malformed signer key: it must look like PRIVATE+KEY+name+01234567+base64',
    );
  }
  const { name, key } = parts;
  if (key[0] !== ALGORITHM_ED25519) {
    throw new GokeepError('bad_key', 'signer key is of an unknown algorithm: only Ed25519 is known');
  }
  if (key.length !== 1 + SEED_SIZE) {
    throw new GokeepError('bad_key', 'malformed signer key: Ed25519 seeds have 32 bytes');
  }
  const pair = nacl.sign.keyPair.fromSeed(new Uint8Array(key.subarray(1)));
  if (parts.keyHash !== keyHash(name, withAlgorithm(pair.publicKey))) {
    throw new GokeepError(
      'bad_key',
      'signer key does not match its own hash: check that it was copied whole',
    );
  }
  return {
    name,
    keyHash: parts.keyHash,
    sign: (msg) => Buffer.from(nacl.sign.detached(msg, pair.secretKey)),
  };
}

/**
 * The key pair of a 32-byte seed, encoded (x/mod note.GenerateKey). The seed is the secret: it comes from a
 * cryptographic source and is not used again. Throws `bad_key` for a name or seed that cannot be used.
 */
export function generateKey(name: string, seed: Buffer): { skey: string; vkey: string } {
  if (!isValidName(name)) {
    throw new GokeepError(
      'bad_key',
      'a key name must not be empty and must hold no spaces and no plus signs',
    );
  }
  if (seed.length !== SEED_SIZE) throw new GokeepError('bad_key', 'a key is generated from 32 random bytes');
  const publicKey = withAlgorithm(nacl.sign.keyPair.fromSeed(new Uint8Array(seed)).publicKey);
  const hash = keyHashText(keyHash(name, publicKey));
  return {
    skey: `${PRIVATE_PREFIX}${name}+${hash}+${withAlgorithm(seed).toString('base64')}`,
    vkey: `${name}+${hash}+${publicKey.toString('base64')}`,
  };
}

function withAlgorithm(key: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(ALGORITHM_ED25519), key]);
}
