import { expect, test } from 'vitest';
import { isValidName } from '../../src/note/key.ts';
import { openNote, signNote } from '../../src/note/note.ts';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { parseVerifier } from '../../src/note/verifier.ts';
import { golden } from '../tlog/golden.ts';

interface Golden {
  keys: {
    seed: string;
    name: string;
    skey: string;
    vkey: string;
    keyHash: number;
    text: string;
    note: string;
  }[];
  verifiers: { vkey: string; ok: boolean }[];
  signers: { skey: string; ok: boolean }[];
}
const { keys, verifiers, signers } = golden('note') as Golden;
const badKey = expect.objectContaining({ code: 'bad_key' });

test.each(keys)('the keys and the signature of $name are those of x/mod', (key) => {
  expect(generateKey(key.name, Buffer.from(key.seed, 'hex'))).toEqual({ skey: key.skey, vkey: key.vkey });
  const signer = parseSigner(key.skey);
  const verifier = parseVerifier(key.vkey);
  for (const half of [signer, verifier]) {
    expect(half.name).toBe(key.name);
    expect(half.keyHash).toBe(key.keyHash);
  }
  expect(signNote(key.text, [signer]).toString()).toBe(key.note);
  expect(openNote(Buffer.from(key.note), [verifier]).text).toBe(key.text);
});

test.each(verifiers)('verifier key $vkey is judged as by x/mod', ({ vkey, ok }) => {
  if (ok) {
    // A key that is no point on the curve is accepted, and verifies nothing.
    expect(parseVerifier(vkey).verify(Buffer.from('a'), Buffer.alloc(64))).toBe(false);
  } else {
    expect(() => parseVerifier(vkey)).toThrow(badKey);
  }
});

test.each(signers)('signer key $skey is judged as by x/mod', ({ skey, ok }) => {
  if (ok) {
    expect(parseSigner(skey).name).toBe('sum.example');
  } else {
    expect(() => parseSigner(skey)).toThrow(badKey);
  }
});

test('a line break in a key, which x/mod skips, is refused', () => {
  const { skey, vkey } = generateKey('sum.example', Buffer.alloc(32, 7));
  expect(() => parseSigner(`${skey}\n`)).toThrow(badKey);
  expect(() => parseVerifier(`${vkey}\n`)).toThrow(badKey);
});

test('no error about a signer key holds a part of it', () => {
  const { skey } = generateKey('sum.example', Buffer.alloc(32, 7));
  const secret = skey.split('+').at(-1)!;
  for (const bad of [`${skey}=`, skey.replace('sum.', 'other.'), skey.slice(0, -4)]) {
    try {
      parseSigner(bad);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain(secret.slice(0, 8));
    }
  }
});

test.each([0, 63, 65])('a signature of %d bytes is false', (length) => {
  const { vkey } = generateKey('sum.example', Buffer.alloc(32, 7));
  expect(parseVerifier(vkey).verify(Buffer.from('a'), Buffer.alloc(length))).toBe(false);
});

test.each([
  ['sum.example', true],
  ['sum.example:8443/v2', true],
  ['x\ufeffy', true],
  ['', false],
  ['a b', false],
  ['a+b', false],
  ['a\u0085b', false],
  ['a\u00a0b', false],
  ['a\u2028b', false],
  ['a\ud800', false],
])('name %j is valid: %s', (name, valid) => {
  expect(isValidName(name)).toBe(valid);
  if (!valid) expect(() => generateKey(name, Buffer.alloc(32))).toThrow(badKey);
});

test.each([0, 31, 33])('a seed of %d bytes is refused', (length) => {
  expect(() => generateKey('sum.example', Buffer.alloc(length))).toThrow(badKey);
});
