import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isToken, newToken, TOKEN_ENTROPY, tokenDigest } from '../../src/access/token.ts';

const made = () => newToken(randomBytes(TOKEN_ENTROPY))!;

describe('a token (case 84)', () => {
  it('has the form that secret scanners are told', () => {
    for (let at = 0; at < 200; at++) expect(made()).toMatch(/^gokeep_[0-9A-Za-z]{38}$/);
  });

  it('is made of the randomness given, and of no character more often than of another', () => {
    const bytes = Buffer.from(Array.from({ length: TOKEN_ENTROPY }, (_, at) => at));
    expect(newToken(bytes)).toBe(newToken(bytes));
    expect(newToken(bytes)!.slice(7, 39)).toBe('0123456789ABCDEFGHIJKLMNOPQRSTUV');
    // Bytes that would make the first characters likelier are left out, and too few of the others are no token.
    expect(newToken(Buffer.alloc(TOKEN_ENTROPY, 255))).toBeUndefined();
    expect(newToken(Buffer.concat([Buffer.alloc(32, 248), Buffer.alloc(32, 247)]))).toMatch(/^gokeep_z{32}/);
  });

  it('carries its checksum, so that a mistyped one is told from one that is unknown', () => {
    const token = made();
    expect(isToken(token)).toBe(true);
    for (let at = 7; at < token.length; at++) {
      const other = token[at] === 'a' ? 'b' : 'a';
      expect(isToken(token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
    }
    for (const text of [token.slice(0, -1), `${token}a`, ` ${token}`, token.toUpperCase(), 'gokeep_', ''])
      expect(isToken(text)).toBe(false);
  });

  it('is kept as its SHA-256', () => {
    expect(tokenDigest('gokeep_x')).toBe('3c0108a9e9d52d38fb58a34fbb2a375601f7b29c1d9cf248016e40b469b9a7e2');
  });
});
