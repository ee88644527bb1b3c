import { expect, test } from 'vitest';
import { type NoteSignature, openNote, signatureLine, signNote } from '../../src/note/note.ts';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { parseVerifier } from '../../src/note/verifier.ts';
import { fromBase64, golden } from '../tlog/golden.ts';

interface Golden {
  opened: {
    name: string;
    msg: string;
    known: string[] | null;
    note?: { text: string; signatures: NoteSignature[]; unverified: NoteSignature[] };
  }[];
}
const { opened } = golden('note') as Golden;
const { skey, vkey } = generateKey('sum.example', Buffer.alloc(32, 9));
const signer = parseSigner(skey);
const verifier = parseVerifier(vkey);

test.each(opened)('a note is opened or refused as by x/mod: $name', ({ msg, known, note }) => {
  const open = () => openNote(fromBase64(msg), (known ?? []).map(parseVerifier));
  if (note === undefined) {
    expect(open).toThrow(expect.objectContaining({ code: 'bad_note' }));
  } else {
    expect(open()).toEqual(note);
  }
});

test('what two signers sign, each verifier opens', () => {
  const other = generateKey('other.example/v2', Buffer.alloc(32, 8));
  const text = '\ufeffa tree\n\nand a blank line: \u4e16\n';
  const msg = signNote(text, [signer, parseSigner(other.skey)]);
  for (const v of [verifier, parseVerifier(other.vkey)]) {
    const note = openNote(msg, [v]);
    expect(note.text).toBe(text);
    expect(note.signatures.map((s) => s.name)).toEqual([v.name]);
    expect(note.unverified).toHaveLength(1);
  }
});

test('any flipped bit of a note is noticed', () => {
  const msg = signNote('tree\n5\n', [signer]);
  for (let bit = 0; bit < msg.length * 8; bit++) {
    const bad = Buffer.from(msg);
    bad[Math.floor(bit / 8)]! ^= 2 ** (bit % 8);
    expect(() => openNote(bad, [verifier]), `bit ${bit}`).toThrow(
      expect.objectContaining({ code: 'bad_note' }),
    );
  }
});

test.each(['', 'no newline', 'a\tb\n', 'a\u0000b\n', 'a\rb\n', '\ud800\n'])(
  'text %j is not signed',
  (text) => {
    expect(() => signNote(text, [signer])).toThrow(expect.objectContaining({ code: 'bad_note' }));
  },
);

test('a note without signers is not made', () => {
  expect(() => signNote('a\n', [])).toThrow(expect.objectContaining({ code: 'bad_key' }));
});

test.each(['', 'a b', 'a+b', 'a\nb'])('a signature line is not written for the name %j', (name) => {
  expect(() => signatureLine(name, 1, Buffer.alloc(64))).toThrow(
    expect.objectContaining({ code: 'bad_key' }),
  );
});
