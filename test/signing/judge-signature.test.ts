import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Artifact } from '../../src/signing/artifact.ts';
import { judgeSignature } from '../../src/signing/judge-signature.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import { formatVerdict, isTrusted, isWorthAnotherLook, parseVerdict } from '../../src/signing/verdict.ts';

/** What cosign wrote for `module.zip`. */
const DIRECTORY = path.join(import.meta.dirname, '../testdata/signatures');
const BUNDLES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.json'));
const read = (name: string) => readFileSync(path.join(DIRECTORY, name), 'utf8');
const artifact = (name: string) => new Artifact(path.join(DIRECTORY, name));
const ZIP = artifact('module.zip');

const trusting = (...names: string[]) => ({
  match: ['corp.test'],
  required: true,
  keys: names.map((name) => parsePublicKey(read(name), name)),
  identities: [],
  trustedRoot: undefined,
});
const keyOf = (bundle: string) => `${bundle.split('.')[0]}.pub`;
const strangerTo = (bundle: string) => trusting(bundle.startsWith('p256') ? 'p384.pub' : 'p256.pub');

describe('what cosign wrote, judged where it comes to', () => {
  it.each(BUNDLES)('is verified where its key is trusted, and kept where it is not: %s', async (name) => {
    const known = await judgeSignature(read(name), ZIP, trusting(keyOf(name)));
    expect(known.signer).toMatchObject({ kind: 'key', name: keyOf(name) });
    for (const rule of [undefined, strangerTo(name)]) {
      const verdict = parseVerdict(formatVerdict(await judgeSignature(read(name), ZIP, rule)));
      expect(verdict).toMatchObject({ kind: known.kind, sha256: known.sha256, signer: { kind: 'unknown' } });
      expect(isTrusted(trusting(keyOf(name)), verdict.signer)).toBe(false);
      expect(isWorthAnotherLook(trusting(keyOf(name)), verdict.signer)).toBe(true);
      expect(isWorthAnotherLook(undefined, verdict.signer)).toBe(false);
    }
    expect(isWorthAnotherLook(trusting(keyOf(name)), known.signer)).toBe(false);
  });

  it.each(BUNDLES)('is refused as of other bytes, as far as it can be told: %s', async (name) => {
    const other = artifact('p256.pub');
    const saysWhatItIsOf = !/\.old\.json$|^ed25519\.json$/.test(name);
    const unknown = judgeSignature(read(name), other, undefined);
    if (saysWhatItIsOf) await expect(unknown).rejects.toMatchObject({ code: 'bad_signature' });
    else expect((await unknown).signer.kind).toBe('unknown');
    const known = judgeSignature(read(name), other, trusting(keyOf(name)));
    // A bare one names no key, so that it may be somebody else's.
    if (!name.endsWith('.old.json')) await expect(known).rejects.toMatchObject({ code: 'bad_signature' });
    else expect((await known).signer.kind).toBe('unknown');
  });
});
