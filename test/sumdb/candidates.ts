import { createHash } from 'node:crypto';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { parseVerifier } from '../../src/note/verifier.ts';
import type { Candidate } from '../../src/sumdb/log-engine.ts';

/** The key of every log that these tests make. */
export const TEST_KEY = generateKey('log.test', Buffer.alloc(32, 7));
export const TEST_SIGNER = parseSigner(TEST_KEY.skey);
export const TEST_VERIFIER = parseVerifier(TEST_KEY.vkey);

export function h1(text: string): string {
  return `h1:${createHash('sha256').update(text).digest('base64')}`;
}

/** The nth module version of the tests, always with the same hashes. */
export function candidate(n: number): Candidate {
  return {
    path: `example.test/m${n}`,
    version: 'v1.0.0',
    zip: h1(`zip ${n}`),
    mod: h1(`mod ${n}`),
    provenance: { source: 'computed', firstSeen: 1_700_000_000, evidence: 'test' },
  };
}

export const candidates = (...numbers: readonly number[]): Candidate[] => numbers.map(candidate);
