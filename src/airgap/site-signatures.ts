import { ruleFor, type SigningRule } from '../signing/rule.ts';
import { isTrusted, isWorthAnotherLook, parseVerdict } from '../signing/verdict.ts';
import type { SignedVersion, StoredSignature } from '../store/signature-table.ts';

export interface SiteSignaturesOptions {
  readonly rules: readonly SigningRule[];
  readonly stored: (path: string, version: string) => readonly StoredSignature[];
  /** Durable when it resolves: all of them, or none. */
  readonly keep: (versions: readonly SignedVersion[]) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The signatures of the site that a bundle comes to, and its rules, which are the ones that decide. */
export class SiteSignatures {
  readonly #o: SiteSignaturesOptions;

  constructor(options: SiteSignaturesOptions) {
    this.#o = options;
  }

  ruleFor(path: string): SigningRule | undefined {
    return ruleFor(this.#o.rules, path);
  }

  /** False where no version needs a signature, whatever its path. */
  get demandAny(): boolean {
    return this.#o.rules.some(({ required }) => required);
  }

  /** True when a rule wants a signature of a version, and none that it trusts is here. */
  lacks(path: string, version: string): boolean {
    const rule = this.ruleFor(path);
    if (rule?.required !== true) return false;
    return !this.#o.stored(path, version).some(({ verdict }) => {
      const { kind, signer } = parseVerdict(verdict);
      return kind === 'signature' && isTrusted(rule, signer);
    });
  }

  /** True when a signature is here, and today's rule has no more to say of it than was found when it came. */
  has({ path, version, id }: { path: string; version: string; id: string }): boolean {
    const found = this.#o.stored(path, version).find((each) => each.id === id);
    return found !== undefined && !isWorthAnotherLook(this.ruleFor(path), parseVerdict(found.verdict).signer);
  }

  /** How many a version has that are not among these. */
  countBeside(path: string, version: string, ids: ReadonlySet<string>): number {
    return this.#o.stored(path, version).filter(({ id }) => !ids.has(id)).length;
  }

  keep(versions: readonly SignedVersion[]): Promise<void> {
    return this.#o.keep(versions);
  }

  now(): number {
    return this.#o.now();
  }
}
