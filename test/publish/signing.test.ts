import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { Signing } from '../../src/publish/signing.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import type { SigningRule } from '../../src/signing/rule.ts';
import { attestBlob, makeKey, signBlob } from '../signing/made-signatures.ts';
import { CORP, moduleZipOf, PublishingSite } from './publishing-site.ts';

const KEY = makeKey('P-256');
const STRANGER = makeKey('P-256');
const VERSION = 'v1.0.0';
const ZIP = moduleZipOf(CORP, VERSION);
const HOUR = 60 * 60_000;

const rule = (required = true): SigningRule => ({
  match: ['corp.test/lib'],
  required,
  keys: [parsePublicKey(KEY.publicKey, 'release.pub')],
  identities: [],
  trustedRoot: undefined,
});

let site: PublishingSite;
let signing: Signing;
let rules: SigningRule[];
let now: number;
/** As it is before the record is logged. */
let isUnlogged = false;
/** What is done instead of writing signatures beside the log. */
let note: PublishingSite['sequencer']['keepSignatures'] | undefined;

async function open(directory?: string): Promise<void> {
  const late: Pick<Signing, 'checkSent' | 'admit' | 'checkHeld' | 'published'> = {
    checkSent: (...a) => signing.checkSent(...a),
    admit: (...a) => signing.admit(...a),
    checkHeld: (...a) => signing.checkHeld(...a),
    published: (...a) => signing.published(...a),
  };
  site = await PublishingSite.open({ signing: late }, directory);
  const { sequencer } = site;
  const keepSignatures = sequencer.keepSignatures.bind(sequencer);
  sequencer.keepSignatures = (versions) => (note ?? keepSignatures)(versions);
  signing = new Signing({
    rules,
    store: site.store,
    find: (modulePath, version) => (isUnlogged ? undefined : site.log.find(modulePath, version)),
    signatures: (modulePath, version) => site.log.signatures.of(modulePath, version),
    sequencer,
    now: () => now,
  });
}

beforeEach(async () => {
  rules = [rule()];
  now = Date.now();
  note = undefined;
  await open();
});

afterEach(() => site[Symbol.asyncDispose]());

const attach = (text: string, version = VERSION) => signing.attach(CORP, version, text, () => undefined);
const shown = () => signing.show(CORP, VERSION);

describe('a version that has to be signed', () => {
  it('is refused without a signature, before its zip is read and after', async () => {
    expect(() => signing.checkSent(CORP, VERSION)).toThrow(/has to be signed: sign the zip with cosign/);
    await expect(site.publish(CORP, VERSION, ZIP)).rejects.toMatchObject({ code: 'refused' });
    await attach(attestBlob(ZIP, KEY));
    await expect(site.publish(CORP, VERSION, ZIP)).rejects.toMatchObject({ code: 'refused' });
    expect(site.log.find(CORP, VERSION)).toBeUndefined();
    expect(await site.leftovers()).toEqual([]);
  });

  it('is published with signatures that came before it, and shows them', async () => {
    expect(await attach(signBlob(ZIP, KEY))).toMatchObject({ state: 'waiting' });
    await attach(attestBlob(ZIP, KEY));
    expect(await site.publish(CORP, VERSION, ZIP)).toMatchObject({ added: true });
    expect(shown()).toMatchObject({ required: true, signed: true });
    expect(
      shown()
        .signatures.map(({ kind, trusted }) => `${kind} ${trusted}`)
        .sort(),
    ).toEqual(['attestation true', 'signature true']);
    expect(await site.publish(CORP, VERSION, ZIP)).toMatchObject({ added: false });
  });

  it.each([
    ['of other bytes', () => signBlob(Buffer.from('x'), KEY)],
    ['by a stranger', () => signBlob(ZIP, STRANGER)],
  ])('is refused with a signature %s, which then waits no longer', async (_what, make) => {
    await attach(make());
    await expect(site.publish(CORP, VERSION, ZIP)).rejects.toMatchObject({
      code: 'bad_signature',
      message: expect.stringContaining(`${CORP}@${VERSION}: `) as string,
    });
    expect(site.log.find(CORP, VERSION)).toBeUndefined();
    expect(site.hosted(CORP)).toEqual([]);
    await attach(signBlob(ZIP, KEY));
    expect(await site.publish(CORP, VERSION, ZIP)).toMatchObject({ added: true });
  });

  it('is never listed without its signature, whatever interrupts it', async () => {
    await attach(signBlob(ZIP, KEY));
    note = () => Promise.reject(new GokeepError('storage_failed', 'the disk has gone'));
    await expect(site.publish(CORP, VERSION, ZIP)).rejects.toMatchObject({ code: 'storage_failed' });
    expect(site.hosted(CORP)).toEqual([]);
    note = undefined;
    const { directory } = site;
    await site.close();
    await open(directory);
    expect(await site.publishing.recover()).toHaveLength(1);
    expect(site.hosted(CORP)).toEqual([VERSION]);
    expect(shown()).toMatchObject({ signed: true });
  });

  it('is refused when the same files come in a zip that was packed another way, signed', async () => {
    await attach(signBlob(ZIP, KEY));
    await site.publish(CORP, VERSION, ZIP);
    await writeFile(site.store.fileName('zip', CORP, VERSION), 'the same files, packed another way');
    await expect(
      signing.checkHeld(CORP, VERSION, site.log.signatures.of(CORP, VERSION)),
    ).rejects.toMatchObject({
      code: 'bad_signature',
      message: expect.stringContaining('packed another way') as string,
    });
  });
});

describe('a signature', () => {
  it('may be demanded of nobody, and is verified all the same', async () => {
    rules = [rule(false)];
    await site[Symbol.asyncDispose]();
    await open();
    expect(await site.publish(CORP, VERSION, ZIP)).toMatchObject({ added: true });
    expect(shown()).toEqual({ required: false, signed: false, signatures: [] });
    await expect(attach(signBlob(ZIP, STRANGER))).rejects.toMatchObject({ code: 'bad_signature' });
    await expect(attach(signBlob(Buffer.from('x'), KEY))).rejects.toMatchObject({ code: 'bad_signature' });
    expect(await attach(signBlob(ZIP, KEY))).toMatchObject({ state: 'stored', added: true });
    expect(shown()).toMatchObject({ signed: true });
  });

  it('is kept once, however often it comes', async () => {
    const bundle = signBlob(ZIP, KEY);
    await attach(bundle);
    await site.publish(CORP, VERSION, ZIP);
    expect(await attach(bundle)).toMatchObject({ state: 'stored', added: false });
    expect(shown().signatures).toHaveLength(1);
  });

  it('that comes while its zip is being published is not lost, if it is right', async () => {
    await attach(signBlob(ZIP, KEY));
    note = async (versions) => {
      note = undefined;
      isUnlogged = true;
      for (const key of [KEY, STRANGER]) await attach(attestBlob(ZIP, key));
      isUnlogged = false;
      await site.sequencer.keepSignatures(versions);
    };
    expect(await site.publish(CORP, VERSION, ZIP)).toMatchObject({ added: true });
    expect(
      shown()
        .signatures.map(({ kind }) => kind)
        .sort(),
    ).toEqual(['attestation', 'signature']);
  });

  it('that came in a bundle and that nobody vouched for counts once it was verified here, and not before', async () => {
    rules = [rule(false)];
    await site[Symbol.asyncDispose]();
    await open();
    await site.publish(CORP, VERSION, ZIP);
    const bundle = signBlob(ZIP, KEY);
    const signer = { kind: 'unknown', key: KEY.fingerprint, why: 'No rule.' };
    const verdict = JSON.stringify({ kind: 'signature', signer, sha256: '' });
    const id = createHash('sha256').update(bundle).digest('hex');
    const signatures = [{ id, bundle, verdict, verifiedAt: 1 }];
    await site.sequencer.keepSignatures([{ path: CORP, version: VERSION, signatures }]);
    expect(shown()).toMatchObject({ signed: false, signatures: [{ trusted: false, verifiedAt: undefined }] });
    expect(await attach(bundle)).toMatchObject({ state: 'stored', added: true });
    expect(shown()).toMatchObject({ signed: true, signatures: [{ id, trusted: true }] });
    expect(await attach(bundle)).toMatchObject({ state: 'stored', added: false });
  });

  it('by somebody whom the rule no longer trusts counts no longer', async () => {
    await attach(signBlob(ZIP, KEY));
    await site.publish(CORP, VERSION, ZIP);
    rules[0] = { ...rule(), keys: [parsePublicKey(STRANGER.publicKey, 'new.pub')] };
    expect(shown()).toMatchObject({ signed: false, signatures: [{ trusted: false }] });
  });

  it('of a module that nobody may sign is refused, and so is what is none', async () => {
    const other = signing.attach('corp.test/other', VERSION, signBlob(ZIP, KEY), () => undefined);
    await expect(other).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('[[signing]]') as string,
    });
    await expect(attach('{}')).rejects.toMatchObject({ code: 'bad_signature' });
  });

  it('for a version that cannot be published does not wait', async () => {
    const refusal = new GokeepError('bad_upload', 'no such version');
    const attached = signing.attach(CORP, 'v2.0.0', signBlob(ZIP, KEY), () => {
      throw refusal;
    });
    await expect(attached).rejects.toBe(refusal);
    expect(() => signing.checkSent(CORP, 'v2.0.0')).toThrow(/has to be signed/);
  });

  it('waits for an hour, beside at most fifteen others', async () => {
    await attach(signBlob(ZIP, KEY));
    expect(() => signing.checkSent(CORP, VERSION)).not.toThrow();
    now += HOUR;
    expect(() => signing.checkSent(CORP, VERSION)).toThrow(/has to be signed/);
    for (let at = 0; at < 16; at++) await attach(signBlob(Buffer.from(`${at}`), KEY));
    await expect(attach(signBlob(ZIP, KEY))).rejects.toMatchObject({ code: 'busy' });
  });
});
