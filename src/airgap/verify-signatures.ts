import { existsSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../errors.ts';
import { Artifact } from '../signing/artifact.ts';
import { judgeSignature } from '../signing/judge-signature.ts';
import { ruleFor, type SigningRule } from '../signing/rule.ts';
import { claimOf } from '../signing/subject.ts';
import { isTrusted } from '../signing/verdict.ts';
import { formatBundlePath, MODULES, parseBundlePath, SIGNATURES } from './bundle-path.ts';
import type { BundleFile } from './bundle-reader.ts';
import type { Composition } from './composition.ts';

/** What was found out of the signatures in a bundle. */
export interface SignatureFacts {
  /** By somebody whom the rules that were given trust, and verified. */
  readonly trusted: number;
  /** Of a zip that an earlier bundle brought and that is not at hand: nothing could be said of these. */
  readonly unchecked: number;
}

export interface SignatureOptions {
  /** Of the site that the bundle is for; without any, only what signatures say of themselves is looked at. */
  readonly rules: readonly SigningRule[];
  readonly held: Composition;
  /** Whether the bundle follows on others, which may have brought a zip. */
  readonly hasBase: boolean;
  /** Where zips were put by {@link keptZip}. */
  readonly scratch: string;
}

const PORTION = 256;

/** Where a zip stays until signatures are looked at; undefined where no rule wants it for that. */
export function keptZip(
  { entry, at }: BundleFile,
  { rules, scratch }: Pick<SignatureOptions, 'rules' | 'scratch'>,
): string | undefined {
  return at.kind === 'zip' && ruleFor(rules, at.path) !== undefined
    ? fileOf(scratch, entry.sha256)
    : undefined;
}

function fileOf(scratch: string, sha256: string): string {
  return path.join(scratch, `signed-${sha256}.zip`);
}

/**
 * Checks the signatures of a bundle, or of a chain, once all of it was read: that each is of its version's zip, and with rules also
 * by whom it is, and that no version lacks one that has to have it.
 */
export async function verifySignatures(
  o: SignatureOptions,
  report: (problem: string) => void,
): Promise<SignatureFacts> {
  const facts = { trusted: 0, unchecked: 0 };
  const signed = new Set<string>();
  for await (const { name, modulePath, version } of versionsIn(o.held, SIGNATURES, 'signature')) {
    const zip = o.held.sha256Of(formatBundlePath({ kind: 'zip', path: modulePath, version }));
    if (zip === undefined) {
      if (o.hasBase) facts.unchecked++;
      else report(`${name}: the bundle has no zip of ${modulePath}@${version}`);
      continue;
    }
    const text = o.held.body(name)?.toString() ?? '';
    const rule = ruleFor(o.rules, modulePath);
    const file = fileOf(o.scratch, zip);
    try {
      await claimOf(text, { digest: async (of) => (of === 'sha256' ? Buffer.from(zip, 'hex') : undefined) });
      if (rule === undefined) continue;
      if (!existsSync(file)) {
        facts.unchecked++;
        continue;
      }
      const { kind, signer } = await judgeSignature(text, new Artifact(file), rule);
      if (!isTrusted(rule, signer)) continue;
      facts.trusted++;
      if (kind === 'signature' && rule.required) signed.add(`${modulePath}@${version}`);
    } catch (error) {
      if (!hasCode(error, 'bad_signature')) throw error;
      report(`${name}: ${error.message}`);
    }
  }
  if (!o.rules.some(({ required }) => required)) return facts;
  for await (const { modulePath, version } of versionsIn(o.held, MODULES, 'zip'))
    if (ruleFor(o.rules, modulePath)?.required === true && !signed.has(`${modulePath}@${version}`))
      report(
        `${modulePath}@${version} has to be signed by the [[signing]] rules here, and the bundle has no signature of it by anybody whom they trust`,
      );
  return facts;
}

async function* versionsIn(held: Composition, section: number, kind: 'signature' | 'zip') {
  for (let before = ''; ; ) {
    const page = held.pathsAfter(section, before, PORTION);
    const last = page.at(-1);
    if (last === undefined) return;
    before = last;
    for (const name of page) {
      const at = parseBundlePath(name, []);
      if (at.kind === kind) yield { name, modulePath: at.path, version: at.version };
    }
  }
}
