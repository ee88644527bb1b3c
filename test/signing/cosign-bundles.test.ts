import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Artifact } from '../../src/signing/artifact.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import { verifySignature } from '../../src/signing/verify-signature.ts';

/** What cosign v3.1.3 wrote, offline, for `module.zip`: `.json` sign-blob, `.old.json` without bundles, `.att.json` attest-blob. */
const DIRECTORY = path.join(import.meta.dirname, '../testdata/signatures');
const BUNDLES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.json'));
const read = (name: string) => readFileSync(path.join(DIRECTORY, name), 'utf8');
const artifact = (name: string) => new Artifact(path.join(DIRECTORY, name));
const keys = readdirSync(DIRECTORY)
  .filter((name) => name.endsWith('.pub'))
  .map((name) => parsePublicKey(read(name), name));
const trusting = (which: typeof keys) => ({ keys: which, identities: [], trustedRoot: undefined });

describe('what cosign writes', () => {
  it('is here for every kind of key, in every form that it has', () => {
    expect(keys.map(({ name }) => name).toSorted()).toEqual([
      'ed25519.pub',
      'p256.pub',
      'p384.pub',
      'rsa.pub',
    ]);
    expect(BUNDLES.length).toBe(11);
  });

  it.each(BUNDLES)('verifies by the key that made it, and by no other: %s', async (name) => {
    const by = `${name.split('.')[0]!}.pub`;
    const isAttestation = name.endsWith('.att.json');
    expect(await verifySignature(read(name), artifact('module.zip'), trusting(keys))).toMatchObject({
      kind: isAttestation ? 'attestation' : 'signature',
      signer: { kind: 'key', name: by },
      predicateType: isAttestation ? 'https://slsa.dev/provenance/v1' : undefined,
    });
    const others = keys.filter((key) => key.name !== by);
    await expect(verifySignature(read(name), artifact('module.zip'), trusting(others))).rejects.toMatchObject(
      {
        code: 'bad_signature',
      },
    );
    await expect(verifySignature(read(name), artifact('p256.pub'), trusting(keys))).rejects.toMatchObject({
      code: 'bad_signature',
    });
  });
});
