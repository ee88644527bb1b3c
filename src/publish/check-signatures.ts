import { createHash } from 'node:crypto';
import { hasCode } from '../errors.ts';
import { Artifact } from '../signing/artifact.ts';
import { ruleFor, type SigningRule } from '../signing/rule.ts';
import { claimOf, type KnownDigests } from '../signing/subject.ts';
import { isTrusted, parseVerdict, type Verdict } from '../signing/verdict.ts';
import { verifySignature } from '../signing/verify-signature.ts';
import type { LogReader } from '../store/log-reader.ts';
import type { ModuleStore } from '../store/module-store.ts';
import type { StoredSignature } from '../store/signature-table.ts';
import type { Finding } from '../sumdb/audit.ts';

export interface CheckSignaturesOptions {
  readonly log: Pick<LogReader, 'find' | 'signatures'>;
  readonly store: Pick<ModuleStore, 'fileName' | 'sizeNow'>;
  readonly rules: readonly SigningRule[];
  /** Whether a zip was found damaged: nothing can be said of what is signed then. */
  readonly isDamaged: (path: string, version: string) => boolean;
  readonly report: (finding: Finding) => void;
  /** Signatures checked so far. */
  readonly progress: (signatures: number) => void;
}

const PORTION = 256;

/**
 * Checks every stored signature: that it is what its id says and can be read, that its version is on record, that it is of the zip
 * where that is held, and, where a rule trusts whom it was found to be by, that it is.
 *
 * @returns how many there are
 */
export async function checkSignatures(o: CheckSignaturesOptions): Promise<number> {
  let count = 0;
  for (let at = { path: '', version: '' }; ; ) {
    const page = o.log.signatures.versionsAfter(at.path, at.version, PORTION);
    const last = page.at(-1);
    if (last === undefined) return count;
    at = last;
    for (const { path, version } of page) {
      const isRecorded = o.log.find(path, version) !== undefined;
      const isHeld = o.store.sizeNow('zip', path, version) !== undefined && !o.isDamaged(path, version);
      const zip = isHeld ? new Artifact(o.store.fileName('zip', path, version)) : undefined;
      for (const stored of o.log.signatures.of(path, version)) {
        const problem = isRecorded
          ? await problemOf(stored, zip, ruleFor(o.rules, path))
          : 'is of a version that has no record in the log';
        if (problem !== undefined)
          o.report({
            kind: 'signature',
            subject: `signature ${stored.id.slice(0, 16)} of ${path}@${version}`,
            problem,
          });
        o.progress(++count);
      }
    }
  }
}

const NOTHING_KNOWN: KnownDigests = { digest: async () => undefined };

async function problemOf(
  { id, bundle, verdict }: StoredSignature,
  zip: Artifact | undefined,
  rule: SigningRule | undefined,
): Promise<string | undefined> {
  if (createHash('sha256').update(bundle).digest('hex') !== id)
    return 'is damaged: it is not the one that its id names';
  const found = verdictIn(verdict);
  if (found === undefined) return 'is damaged: what it was found to be cannot be read';
  try {
    const { kind, predicateType } = await claimOf(bundle, zip ?? NOTHING_KNOWN);
    if (kind !== found.kind || predicateType !== found.predicateType)
      return `is kept as ${found.kind}, and is another thing`;
    if (zip === undefined) return undefined;
    if ((await zip.digest('sha256')).toString('hex') !== found.sha256)
      return 'was found to be of other bytes than the zip that is held';
    if (rule === undefined || !isTrusted(rule, found.signer)) return undefined;
    const { signer } = await verifySignature(bundle, zip, rule);
    return isSame(signer, found.signer) ? undefined : 'is by somebody else than it was found to be';
  } catch (error) {
    if (!hasCode(error, 'bad_signature')) throw error;
    return `is not good: ${error.message}`;
  }
}

function verdictIn(text: string): Verdict | undefined {
  try {
    const verdict = parseVerdict(text);
    return typeof verdict.signer.kind === 'string' ? verdict : undefined;
  } catch {
    return undefined;
  }
}

/** A key may have got another name since. */
function isSame(a: Verdict['signer'], b: Verdict['signer']): boolean {
  if (a.kind === 'key') return b.kind === 'key' && a.fingerprint === b.fingerprint;
  return a.kind === 'identity' && b.kind === 'identity' && a.issuer === b.issuer && a.subject === b.subject;
}
