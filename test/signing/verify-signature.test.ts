import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Artifact } from '../../src/signing/artifact.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import type { SigningRule } from '../../src/signing/rule.ts';
import { verifySignature } from '../../src/signing/verify-signature.ts';
import { MadeSigstore } from './made-sigstore.ts';
import {
  attestBlob,
  KEY_KINDS,
  makeKey,
  PROVENANCE,
  signBare,
  signBlob,
  type TestKey,
} from './made-signatures.ts';

const BYTES = Buffer.from('the bytes of a zip'.repeat(50_000));
const OTHER = Buffer.from('other bytes');
const CI = {
  issuer: 'https://gitlab.test',
  subject: 'https://gitlab.test/group/lib//.gitlab-ci.yml@refs/tags/v1',
};

let directory: string;
let file: string;
let sigstore: MadeSigstore;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-signing-'));
  file = path.join(directory, 'module.zip');
  await writeFile(file, BYTES);
  sigstore = await MadeSigstore.create();
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const trusting = (...keys: TestKey[]): Pick<SigningRule, 'keys' | 'identities' | 'trustedRoot'> => ({
  keys: keys.map(({ publicKey }, at) => parsePublicKey(publicKey, `key-${at}.pub`)),
  identities: [],
  trustedRoot: undefined,
});
const verify = (text: string, rule: ReturnType<typeof trusting>) =>
  verifySignature(text, new Artifact(file), rule);
const refused = (message: string) => ({
  code: 'bad_signature',
  message: expect.stringContaining(message) as string,
});
/** The bundle with one thing changed. */
const changed = (text: string, change: (bundle: Record<string, Record<string, unknown>>) => void): string => {
  const bundle = JSON.parse(text) as Record<string, Record<string, unknown>>;
  change(bundle);
  return JSON.stringify(bundle);
};

describe.each(KEY_KINDS)('a signature by a %s key', (kind) => {
  const key = makeKey(kind);
  const stranger = makeKey(kind);

  it.each([
    ['a bundle', signBlob],
    ['the old form', signBare],
  ])('verifies as %s when the rule names the key', async (_form, make) => {
    expect(await verify(make(BYTES, key), trusting(stranger, key))).toMatchObject({
      kind: 'signature',
      signer: { kind: 'key', name: 'key-1.pub', fingerprint: key.fingerprint },
    });
  });

  it('is refused when it is of other bytes, by another key, or cut off', async () => {
    const rule = trusting(key);
    await expect(verify(signBlob(OTHER, key), rule)).rejects.toMatchObject({ code: 'bad_signature' });
    await expect(verify(signBare(OTHER, key), rule)).rejects.toMatchObject(refused('not of these bytes'));
    await expect(verify(signBlob(BYTES, stranger), rule)).rejects.toMatchObject(
      refused('none of those trusted'),
    );
    await expect(verify(signBare(BYTES, stranger), rule)).rejects.toMatchObject(
      refused('not of these bytes'),
    );
    await expect(verify(signBlob(BYTES, key).slice(0, -5), rule)).rejects.toMatchObject(refused('not JSON'));
  });

  it('is refused when it names a trusted key that has not made it', async () => {
    const lie = changed(signBlob(BYTES, stranger), (bundle) => {
      bundle['verificationMaterial']!['publicKey'] = { hint: key.fingerprint };
    });
    await expect(verify(lie, trusting(key))).rejects.toMatchObject(refused('not of these bytes by a key'));
  });

  it('is refused when it says that it is of these bytes and is of others', async () => {
    const right = JSON.parse(signBlob(BYTES, key)) as { messageSignature: { messageDigest: unknown } };
    const lie = changed(signBlob(OTHER, key), (bundle) => {
      bundle['messageSignature']!['messageDigest'] = right.messageSignature.messageDigest;
    });
    await expect(verify(lie, trusting(key))).rejects.toMatchObject(refused('not of these bytes by a key'));
  });

  it('on an attestation shows of what kind that is, and counts only for the bytes it names', async () => {
    const rule = trusting(key);
    expect(await verify(attestBlob(BYTES, key), rule)).toMatchObject({
      kind: 'attestation',
      predicateType: PROVENANCE,
    });
    await expect(verify(attestBlob(OTHER, key), rule)).rejects.toMatchObject(refused('of other bytes'));
    const lie = changed(attestBlob(OTHER, key), (bundle) => {
      const right = JSON.parse(attestBlob(BYTES, key)) as typeof bundle;
      bundle['dsseEnvelope']!['payload'] = right['dsseEnvelope']!['payload'];
    });
    await expect(verify(lie, rule)).rejects.toMatchObject(refused('not of these bytes'));
  });
});

describe('a signature by an identity', () => {
  const by = (identity: Partial<SigningRule['identities'][number]>, root = sigstore) => ({
    keys: [],
    identities: [{ issuer: CI.issuer, subject: undefined, subjectPattern: undefined, ...identity }],
    trustedRoot: root.trustedRoot,
  });

  it('verifies when the rule names issuer and subject, whole or by a pattern', async () => {
    const bundle = await sigstore.signBlob(BYTES, CI);
    for (const rule of [
      by({ subject: CI.subject }),
      by({ subjectPattern: '^https://gitlab\\.test/group/lib//\\.gitlab-ci\\.yml@refs/tags/.*$' }),
    ])
      expect(await verify(bundle, rule)).toMatchObject({
        kind: 'signature',
        signer: { kind: 'identity', ...CI },
      });
  });

  it('is refused when issuer or subject are others', async () => {
    const bundle = await sigstore.signBlob(BYTES, CI);
    for (const rule of [
      by({ subject: CI.subject, issuer: 'https://gitlab.test.evil' }),
      by({ subject: CI.subject.slice(0, -1) }),
      by({ subjectPattern: '^https://gitlab\\.test/other/.*$' }),
    ])
      await expect(verify(bundle, rule)).rejects.toMatchObject(refused('who is not trusted'));
  });

  it('is refused when the trusted root does not vouch for it', async () => {
    const bundle = await sigstore.signBlob(BYTES, CI);
    const elsewhere = await MadeSigstore.create();
    await expect(verify(bundle, by({ subject: CI.subject }, elsewhere))).rejects.toMatchObject(
      refused('does not verify against the trusted root'),
    );
    await expect(verify(bundle, trusting(makeKey('P-256')))).rejects.toMatchObject(
      refused('no identity is trusted'),
    );
  });

  it('is refused when it is of other bytes, or says that it is of these', async () => {
    const rule = by({ subject: CI.subject });
    await expect(verify(await sigstore.signBlob(OTHER, CI), rule)).rejects.toMatchObject(
      refused('of other bytes'),
    );
    const right = JSON.parse(await sigstore.signBlob(BYTES, CI)) as Record<string, Record<string, unknown>>;
    const lie = changed(await sigstore.signBlob(OTHER, CI), (bundle) => {
      bundle['messageSignature']!['messageDigest'] = right['messageSignature']!['messageDigest'];
    });
    await expect(verify(lie, rule)).rejects.toMatchObject(refused('trusted root'));
    const logged = await sigstore.signBlob(BYTES, CI, OTHER);
    await expect(verify(logged, rule)).rejects.toMatchObject(refused('signature verification failed'));
  });

  it.each(['tlogEntries', 'inclusionPromise'])(
    'is refused without its %s, which alone prove when it was made',
    async (what) => {
      const bare = changed(await sigstore.signBlob(BYTES, CI), (bundle) => {
        const material = bundle['verificationMaterial']! as { tlogEntries: Record<string, unknown>[] };
        if (what === 'tlogEntries') material.tlogEntries = [];
        else delete material.tlogEntries[0]!['inclusionPromise'];
      });
      await expect(verify(bare, by({ subject: CI.subject }))).rejects.toMatchObject(refused('trusted root'));
    },
  );
});

describe('what is no signature', () => {
  it.each([
    '',
    '[]',
    'null',
    '{}',
    '{"base64Signature": "!"}',
    '{"base64Signature": "MEUC", "cert": "LS0t"}',
    '{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}',
    '{"mediaType": 1, "messageSignature": {"messageDigest": {}}, "verificationMaterial": {"publicKey": {}}}',
    '{"__proto__": {"base64Signature": "MEUC"}}',
    `"${'x'.repeat(600_000)}"`,
  ])('is refused with a sentence: %#', async (text) => {
    await expect(verify(text, trusting(makeKey('P-256')))).rejects.toMatchObject(refused('cannot be read'));
  });
});
