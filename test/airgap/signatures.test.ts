import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatBundlePath } from '../../src/airgap/bundle-path.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import type { SigningRule } from '../../src/signing/rule.ts';
import { parseVerdict } from '../../src/signing/verdict.ts';
import { attestBlob, makeKey, signBare, signBlob } from '../signing/made-signatures.ts';
import { unpack } from './chain.ts';
import { ClosedSite } from './closed-site.ts';
import { ingredients, LEAF, MAIN, type Packed, pack } from './made-bundle.ts';

const KEY = makeKey('P-256');
const ED25519 = makeKey('Ed25519');
const STRANGER = makeKey('P-256');
const SUBJECT = `${MAIN}@v1.1.0`;

let made: Awaited<ReturnType<typeof ingredients>>;
let site: ClosedSite;
let zip: Buffer;

beforeEach(async () => {
  made = await ingredients();
  site = await ClosedSite.for(made);
  zip = made.modules[1]!.zip;
});

afterEach(() => site[Symbol.asyncDispose]());

function rule(required: boolean, ...keys: (typeof KEY)[]): SigningRule {
  return {
    match: [MAIN],
    required,
    keys: keys.map((key, at) => parsePublicKey(key.publicKey, `${at}.pub`)),
    identities: [],
    trustedRoot: undefined,
  };
}

const idOf = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');

/** Puts a signature of MAIN among the files. */
function sign(text: string | Buffer, o: { path?: string; version?: string; id?: string } = {}): string {
  const at = { path: MAIN, version: 'v1.1.0', id: idOf(text), ...o };
  const name = formatBundlePath({ kind: 'signature', ...at });
  made.files.set(name, Buffer.from(text));
  return name;
}

/** A bundle on top of another that has signatures alone, as one has that were given later. */
function later(base: Packed): Packed {
  const files = new Map(
    [...made.files].filter(([name]) => !name.includes('/@v/v') || name.startsWith('sig')),
  );
  return pack({ ...made, files, base: base.id });
}

const kept = () =>
  (site.signatures.get(SUBJECT) ?? []).map(({ verdict }) => {
    const { kind, signer } = parseVerdict(verdict);
    return `${kind} ${signer.kind}`;
  });

describe('signatures in a bundle', () => {
  it('are verified by the rules of the site and kept as they came', async () => {
    site.rules.push(rule(true, KEY, ED25519));
    const texts = [signBlob(zip, KEY), signBlob(zip, ED25519), attestBlob(zip, KEY), signBare(zip, KEY)];
    for (const text of texts) sign(text);
    const { bytes } = pack(made);
    expect(await site.verify(bytes)).toEqual([]);
    expect(await site.import(bytes)).toMatchObject({ added: true, facts: { signatures: 4 } });
    expect(kept().toSorted()).toEqual(['attestation key', 'signature key', 'signature key', 'signature key']);
    const stored = site.signatures.get(SUBJECT)!;
    expect(stored.map(({ bundle }) => bundle).toSorted()).toEqual(texts.toSorted());
    for (const { id, bundle } of stored) expect(id).toBe(idOf(bundle));
    expect(await site.import(bytes)).toMatchObject({ added: false });
  });

  it('are kept where nobody here is trusted or known, and count for nothing', async () => {
    sign(signBlob(zip, STRANGER));
    const { bytes } = pack(made);
    expect(await site.import(bytes)).toMatchObject({ added: true });
    expect(kept()).toEqual(['signature unknown']);
    expect(await site.import(bytes)).toMatchObject({ added: false });
    site.rules.push(rule(false, KEY));
    expect(await site.import(bytes)).toMatchObject({ added: false });
    site.rules[0] = rule(false, STRANGER);
    expect(await site.import(bytes)).toMatchObject({ added: true });
  });

  it('of a version that has to be signed are demanded, by somebody whom this site trusts', async () => {
    site.rules.push(rule(true, KEY));
    const sentence = /example\.test\/tree@v1\.1\.0 has to be signed/;
    await site.refuses(pack(made).bytes, sentence);
    sign(attestBlob(zip, KEY));
    await site.refuses(pack(made).bytes, sentence);
    sign(signBlob(zip, STRANGER));
    await site.refuses(pack(made).bytes, sentence);
    sign(signBlob(zip, KEY));
    expect(await site.import(pack(made).bytes)).toMatchObject({ added: true });
    expect(kept().toSorted()).toEqual(['attestation key', 'signature key', 'signature unknown']);
  });

  it('are demanded of nothing that was here before the rule', async () => {
    await site.import(pack(made).bytes);
    site.rules.push(rule(true, KEY));
    const again = pack(made, { manifest: (m) => ({ ...m, tool: 'another' }) });
    expect(await site.import(again.bytes)).toMatchObject({ added: true });
  });

  it('come in a later bundle, for a zip that an earlier one brought', async () => {
    const first = pack(made);
    sign(signBlob(zip, KEY));
    const second = later(first);
    site.rules.push(rule(false, KEY));
    expect((await site.refusal(second.bytes)).message).toContain('follows on bundle');
    await site.import(first.bytes);
    expect(await site.import(second.bytes)).toMatchObject({ added: true });
    expect(kept()).toEqual(['signature key']);
    const file = path.join(site.data, 'second.tar');
    await writeFile(file, second.bytes);
    expect(await site.verified(file)).toMatchObject({
      problems: [],
      signatures: { trusted: 0, unchecked: 1 },
    });
    const directory = await unpack(path.join(site.data, 'unpacked'), first, second);
    expect(await site.verified(directory)).toMatchObject({
      problems: [],
      facts: { signatures: 1 },
      signatures: { trusted: 1, unchecked: 0 },
    });
  });

  it('of the bundle’s zip are left out where the version is held packed another way', async () => {
    await site.store.keep('zip', MAIN, 'v1.1.0', Buffer.from('the same files, packed another way'));
    site.rules.push(rule(false, KEY));
    sign(signBlob(zip, KEY));
    expect(await site.import(pack(made).bytes)).toMatchObject({ added: true });
    expect(kept()).toEqual([]);
  });

  it('that were lost come back with the same bundle', async () => {
    sign(signBlob(zip, KEY));
    const { bytes } = pack(made);
    await site.import(bytes);
    site.signatures.clear();
    expect(await site.import(bytes)).toMatchObject({ added: true });
    expect(kept()).toEqual(['signature unknown']);
  });
});

describe('a bundle is refused, whole, with a signature', () => {
  const refuses = (sentence: RegExp) => site.refuses(pack(made).bytes, sentence);

  it('of another version or of other bytes, whoever made it', async () => {
    sign(signBlob(made.modules[0]!.zip, KEY));
    await refuses(/^signatures\/example\.test\/tree\/@v\/v1\.1\.0\/.*other bytes/);
    made = await ingredients();
    sign(attestBlob(made.modules[0]!.zip, KEY));
    await refuses(/attestation is of other bytes/);
  });

  it('that is not by the trusted key that it names', async () => {
    site.rules.push(rule(false, KEY, ED25519));
    // This one does not say what it is of.
    sign(signBlob(made.modules[0]!.zip, ED25519));
    await refuses(/not of these bytes by a key that is trusted/);
    made = await ingredients();
    const forged = JSON.parse(signBlob(zip, STRANGER)) as { verificationMaterial: object };
    forged.verificationMaterial = { publicKey: { hint: KEY.fingerprint }, tlogEntries: [] };
    sign(JSON.stringify(forged));
    await refuses(/not of these bytes by a key that is trusted/);
  });

  it('of a version that it does not bring', async () => {
    sign(signBlob(zip, KEY), { path: LEAF, version: 'v1.9.0' });
    const error = await site.refusal(pack(made).bytes);
    expect(error.message).toMatch(/zip of example\.test\/leaf@v1\.9\.0 is neither in the bundle nor held/);
    site.expectUnchanged();
    expect(await site.verify(pack(made).bytes)).toEqual([expect.stringMatching(/has no zip of .*v1\.9\.0/)]);
  });

  it.each([
    ['that is not JSON', 'x', /it is not JSON/],
    ['that is no signature', '{"a":1}', /no sigstore bundle/],
    ['that is not text', Buffer.from([0x7b, 0xff, 0x7d]), /not the signature that its name says/],
    ['that is too large', ' '.repeat(512 * 1024 + 1), /is larger than such a file can be/],
  ])('%s', async (_what, text, sentence) => {
    sign(text);
    await refuses(sentence);
  });

  it('that cannot be read, though the zip that it is of came earlier and is not at hand', async () => {
    const first = pack(made);
    sign('{"a":1}');
    expect(await site.verify(later(first).bytes)).toEqual([expect.stringMatching(/no sigstore bundle/)]);
  });

  it('under another name than its own', async () => {
    sign(signBlob(zip, KEY), { id: idOf('another') });
    await refuses(/not the signature that its name says/);
  });

  it('that the manifest does not speak of', async () => {
    sign(signBlob(zip, KEY));
    const { bytes } = pack(made, { manifest: (m) => ({ ...m, signed: false }) });
    await site.refuses(bytes, /manifest does not say that there are signatures/);
  });

  it('and sixty-four others of the same version, here and there together too', async () => {
    for (let n = 0; n < 65; n++) sign(`${' '.repeat(n)}${signBare(zip, STRANGER)}`);
    await refuses(/has more than 64 signatures in the bundle/);
    made = await ingredients();
    await site.import(pack(made).bytes);
    const one = { bundle: '{}', verdict: '{"signer":{"kind":"key"}}', verifiedAt: 1 };
    const here = Array.from({ length: 64 }, (_, n) => ({ ...one, id: String(n) }));
    site.signatures.set(SUBJECT, here);
    sign(signBlob(zip, KEY));
    const { message } = await site.refusal(pack(made).bytes);
    expect(message).toMatch(/would have more than 64 signatures here/);
  });
});
