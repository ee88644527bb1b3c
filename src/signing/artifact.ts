import { createHash, createVerify, type KeyObject, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { GokeepError } from '../errors.ts';

/** Digests that bundles name. */
export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512';

const PORTION = 256 * 1024;
/** An Ed25519 signature is over the whole bytes, which have to lie in memory for it. */
const MAX_WHOLE = 128 * 2 ** 20;

/** The file that signatures are of. It is read in portions: neither memory nor the event loop notices a large one. */
export class Artifact {
  readonly #file: string;
  readonly #digests = new Map<DigestAlgorithm, Promise<Buffer>>();

  constructor(file: string) {
    this.#file = file;
  }

  digest(algorithm: DigestAlgorithm): Promise<Buffer> {
    const known = this.#digests.get(algorithm);
    if (known !== undefined) return known;
    const computed = (async () => {
      const hash = createHash(algorithm);
      for await (const portion of this.#portions()) hash.update(portion);
      return hash.digest();
    })();
    this.#digests.set(algorithm, computed);
    return computed;
  }

  /**
   * Whether a signature over the bytes is by this key: ECDSA or RSA (PKCS #1 v1.5) over the digest, Ed25519 over the bytes.
   *
   * @throws bad_signature for an Ed25519 signature of a file that is too large for one
   */
  async isSignedBy(key: KeyObject, signature: Buffer, algorithm: DigestAlgorithm): Promise<boolean> {
    if (key.asymmetricKeyType === 'ed25519') {
      if ((await stat(this.#file)).size > MAX_WHOLE)
        throw new GokeepError(
          'bad_signature',
          `a zip of more than ${MAX_WHOLE / 2 ** 20} MiB cannot be verified with an Ed25519 key; sign it with a P-256 key`,
        );
      const bytes = await readFile(this.#file);
      return new Promise((resolve, reject) => {
        verify(null, bytes, key, signature, (error, isRight) =>
          error === null ? resolve(isRight) : reject(error),
        );
      });
    }
    const verification = createVerify(algorithm);
    for await (const portion of this.#portions()) verification.update(portion);
    return verification.verify(key, signature);
  }

  #portions(): AsyncIterable<Buffer> {
    return createReadStream(this.#file, { highWaterMark: PORTION });
  }
}
