import { isUtf8 } from 'node:buffer';
import { GokeepError } from '../errors.ts';
import { decodeBase64 } from './base64.ts';
import { isValidName, keyHashText } from './key.ts';
import type { Signer } from './signer.ts';
import type { Verifier } from './verifier.ts';

/**
 * Signed notes (x/mod sumdb/note, C2SP signed-note): a text, a blank line, and signature lines
 * `— name base64(key hash ‖ signature)`.
 */
export interface NoteSignature {
  readonly name: string;
  readonly keyHash: number;
  /** Key hash and signature, as it stands in the line. */
  readonly base64: string;
}

export interface Note {
  /** Ends in a newline; the signatures cover exactly these bytes. */
  readonly text: string;
  /** Verified, each key once. */
  readonly signatures: readonly NoteSignature[];
  /** By keys that are not known; anybody may have written these lines. */
  readonly unverified: readonly NoteSignature[];
}

const MAX_SIGNATURES = 100;
const SIGNATURE_PREFIX = '— ';
/** Bytes of the key hash in front of each signature. */
export const KEY_HASH_SIZE = 4;

/**
 * Opens a note (x/mod note.Open). Everything in `msg` is attacker-controlled until a known key vouches for it.
 *
 * Throws `bad_note` where the form is wrong, a known key's signature is false, or no known key has signed.
 */
export function openNote(msg: Buffer, verifiers: readonly Verifier[]): Note {
  if (!isNoteText(msg)) throw malformed('it must be UTF-8 without control characters');
  const split = msg.lastIndexOf('\n\n');
  if (split < 0) throw malformed('there is no blank line before its signatures');
  const text = msg.subarray(0, split + 1);
  const lines = msg.toString('utf8', split + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0) throw malformed('its signature lines are missing or cut off');
  if (lines.length > MAX_SIGNATURES) throw malformed('it has more than 100 signature lines');

  const signatures: NoteSignature[] = [];
  const unverified: NoteSignature[] = [];
  const seen = new Set<string | Verifier>();
  for (const line of lines) {
    const { name, keyHash, base64, signature } = parseSignatureLine(line);
    const known = verifiers.filter((v) => v.name === name && v.keyHash === keyHash);
    const [verifier] = known;
    // Somebody holds two keys with one 32-bit hash: neither can be trusted.
    if (known.length > 1) throw new GokeepError('bad_note', 'two known keys have the same name and hash');
    if (seen.has(verifier ?? line)) continue;
    seen.add(verifier ?? line);
    if (verifier === undefined) {
      unverified.push({ name, keyHash, base64 });
    } else if (verifier.verify(text, signature)) {
      signatures.push({ name, keyHash, base64 });
    } else {
      throw new GokeepError(
        'bad_note',
        `the signature of ${name}+${keyHashText(keyHash)} on a note is false`,
      );
    }
  }
  if (signatures.length === 0) throw new GokeepError('bad_note', 'no known key has signed the note');
  return { text: text.toString(), signatures, unverified };
}

/**
 * Signs `text`, which must be what a note can hold and end in a newline (x/mod note.Sign).
 *
 * Throws `bad_note` for another text, `bad_key` where nobody signs or a signer's name is invalid.
 */
export function signNote(text: string, signers: readonly Signer[]): Buffer {
  const msg = Buffer.from(text);
  if (!text.isWellFormed() || !text.endsWith('\n') || !isNoteText(msg)) {
    throw malformed('a text to sign must be UTF-8, without control characters, and end in a newline');
  }
  if (signers.length === 0) throw new GokeepError('bad_key', 'a note needs at least one signer');
  const lines = signers.map((s) => signatureLine(s.name, s.keyHash, s.sign(msg)));
  return Buffer.from(`${text}\n${lines.join('')}`);
}

/** One signature line with its newline. Throws `bad_key` for an invalid name. */
export function signatureLine(name: string, keyHash: number, signature: Buffer): string {
  if (!isValidName(name)) throw new GokeepError('bad_key', 'the name of a signer is not valid');
  const hash = Buffer.alloc(KEY_HASH_SIZE);
  hash.writeUInt32BE(keyHash);
  return `${SIGNATURE_PREFIX}${name} ${Buffer.concat([hash, signature]).toString('base64')}\n`;
}

function parseSignatureLine(line: string): NoteSignature & { signature: Buffer } {
  const space = line.indexOf(' ', SIGNATURE_PREFIX.length);
  if (!line.startsWith(SIGNATURE_PREFIX) || space < 0) throw malformed('a signature line is not one');
  const name = line.slice(SIGNATURE_PREFIX.length, space);
  const base64 = line.slice(space + 1);
  const bytes = decodeBase64(base64);
  if (!isValidName(name) || bytes === undefined || bytes.length <= KEY_HASH_SIZE) {
    throw malformed('a signature line is not one');
  }
  return { name, keyHash: bytes.readUInt32BE(0), base64, signature: bytes.subarray(KEY_HASH_SIZE) };
}

/** Valid UTF-8, and newline the only control character below U+0020. */
function isNoteText(msg: Buffer): boolean {
  return isUtf8(msg) && msg.every((byte) => byte >= 0x20 || byte === 0x0a);
}

function malformed(why: string): GokeepError {
  return new GokeepError('bad_note', `malformed note: ${why}`);
}
