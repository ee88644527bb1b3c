import { hasCode } from '../errors.ts';
import type { Artifact } from './artifact.ts';
import type { SigningRule } from './rule.ts';
import { claimOf } from './subject.ts';
import type { Verdict } from './verdict.ts';
import { verifySignature } from './verify-signature.ts';

/**
 * Says what a signature is that somebody else has kept: verified, where the rule knows its signer, and otherwise by nobody who is
 * known here, which is no reason to lose it.
 *
 * @param text attacker-controlled
 * @param rule undefined where none is for the module
 * @throws bad_signature where it cannot be read, is of other bytes, or is not by the trusted key that it names
 */
export async function judgeSignature(
  text: string,
  artifact: Artifact,
  rule: SigningRule | undefined,
): Promise<Verdict> {
  const { kind, predicateType, key } = await claimOf(text, artifact);
  const sha256 = (await artifact.digest('sha256')).toString('hex');
  const unknown = (why: string): Verdict => ({
    kind,
    predicateType,
    sha256,
    signer: { kind: 'unknown', key, why },
  });
  if (rule === undefined) return unknown('No [[signing]] rule is for this module.');
  try {
    return await verifySignature(text, artifact, rule);
  } catch (error) {
    if (!hasCode(error, 'bad_signature') || rule.keys.some(({ fingerprint }) => fingerprint === key))
      throw error;
    return unknown(error.message);
  }
}
