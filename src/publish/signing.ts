/**
 * Signatures of module versions: what a rule demands of one that is published, those that are attached later, and what is
 * shown of them. What is signed is the zip, byte for byte as it is published and served.
 */

import type { TrailSink } from '../audit/trail.ts';
import { GokeepError, hasCode } from '../errors.ts';
import { Artifact } from '../signing/artifact.ts';
import { ruleFor, type SigningRule } from '../signing/rule.ts';
import { MOST_OF_A_VERSION, parseSignatureBundle } from '../signing/signature-bundle.ts';
import { formatVerdict, isTrusted, parseVerdict, type Verdict } from '../signing/verdict.ts';
import { type VerifiedSignature, verifySignature } from '../signing/verify-signature.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { ModuleStore } from '../store/module-store.ts';
import type { StoredSignature } from '../store/signature-table.ts';
import { type Actor, GOKEEP } from '../store/trail-entry.ts';
import type { Sequencer } from '../sumdb/sequencer.ts';
import { WaitingSignatures } from './waiting-signatures.ts';

export interface SigningOptions {
  readonly rules: readonly SigningRule[];
  readonly store: Pick<ModuleStore, 'fileName' | 'size'>;
  readonly find: (path: string, version: string) => LoggedRecord | undefined;
  readonly signatures: (path: string, version: string) => StoredSignature[];
  /** Undefined in a replica. */
  readonly sequencer: Pick<Sequencer, 'keepSignatures'> | undefined;
  /** What is attached is recorded there first. */
  readonly trail?: TrailSink;
  readonly now: () => number;
}

export interface ShownSignature extends Verdict {
  readonly id: string;
  /** Milliseconds since 1970; undefined where nobody here could verify it. */
  readonly verifiedAt: number | undefined;
  /** Whether today's rule still trusts its signer. */
  readonly trusted: boolean;
  readonly bundle: string;
}

export interface ShownSignatures {
  /** Whether a rule demands a signature of this version. */
  readonly required: boolean;
  /** Whether a signature, which an attestation is not, is by somebody whom the rule trusts. */
  readonly signed: boolean;
  readonly signatures: readonly ShownSignature[];
}

export type Attached =
  | { readonly state: 'waiting'; readonly until: number }
  | { readonly state: 'stored'; readonly added: boolean; readonly signature: VerifiedSignature };

export class Signing {
  readonly #o: SigningOptions;
  readonly #waiting: WaitingSignatures;

  constructor(options: SigningOptions) {
    this.#o = options;
    this.#waiting = new WaitingSignatures(options.now);
  }

  /**
   * What can be said of a version that is to be published before its zip is here.
   *
   * @throws refused where a signature is demanded and none is here
   */
  checkSent(path: string, version: string): void {
    if (ruleFor(this.#o.rules, path)?.required !== true) return;
    if (this.#waiting.of(path, version).length > 0 || this.show(path, version).signed) return;
    throw unsigned(path, version);
  }

  /**
   * Verifies the signatures that wait for a zip that is being published.
   *
   * @param file the zip
   * @returns those to be kept with it
   * @throws refused where a signature is demanded and none of them is one; bad_signature where one of them is wrong, and then
   * none waits any longer
   */
  async admit(path: string, version: string, file: string): Promise<StoredSignature[]> {
    const rule = ruleFor(this.#o.rules, path);
    const bundles = this.#waiting.of(path, version);
    const verified: VerifiedSignature[] = [];
    const artifact = new Artifact(file);
    try {
      for (const bundle of bundles) verified.push(await this.#verify(path, version, bundle, artifact, rule));
    } catch (error) {
      this.#waiting.drop(path, version);
      throw error;
    }
    const isSigned = verified.some(({ kind }) => kind === 'signature');
    if (rule?.required === true && !isSigned && !this.show(path, version).signed)
      throw unsigned(path, version);
    return verified.map((each) => this.#stored(each));
  }

  /**
   * Signatures of a zip with the same files as the one that is held may be of other bytes: it was packed another way.
   *
   * @throws bad_signature
   */
  async checkHeld(path: string, version: string, signatures: readonly StoredSignature[]): Promise<void> {
    if (signatures.length === 0) return;
    const held = await new Artifact(this.#o.store.fileName('zip', path, version)).digest('sha256');
    if (signatures.every(({ verdict }) => parseVerdict(verdict).sha256 === held.toString('hex'))) return;
    this.#waiting.drop(path, version);
    throw new GokeepError(
      'bad_signature',
      `${path}@${version} is here with the same files, but its zip was packed another way: sign the zip that is served.`,
    );
  }

  /**
   * The version is published: nothing waits for it any longer. What came after `admit` is attached, if it is right.
   *
   * @param kept those that were admitted
   */
  async published(
    path: string,
    version: string,
    kept: readonly StoredSignature[],
    by: Actor = GOKEEP,
  ): Promise<void> {
    const late = this.#waiting
      .of(path, version)
      .filter((text) => kept.every(({ bundle }) => bundle !== text));
    this.#waiting.drop(path, version);
    for (const text of late)
      try {
        await this.attach(path, version, text, () => undefined, by);
      } catch (error) {
        // Whoever sent it was told that it waits, and not that it is right.
        if (!hasCode(error, 'bad_signature')) throw error;
      }
  }

  /**
   * Takes a signature of a version: one that is here gets it once it is verified, durably; otherwise it waits for the zip.
   *
   * @param text attacker-controlled
   * @param by whose request it is
   * @param check what is said of a version that is not here and cannot be published
   * @throws refused in a replica, and for modules that nobody is trusted for; bad_signature; busy; not_stored for a version on
   * record whose zip is not held; what check throws
   */
  async attach(
    path: string,
    version: string,
    text: string,
    check: () => void,
    by: Actor = GOKEEP,
  ): Promise<Attached> {
    const { rules, store, find, sequencer, signatures } = this.#o;
    const rule = ruleFor(rules, path);
    if (sequencer === undefined)
      throw new GokeepError(
        'refused',
        'This gokeep is a replica of another log: sign at the gokeep that signs it.',
      );
    if (rule === undefined)
      throw new GokeepError(
        'refused',
        `Nobody is trusted to sign ${path} here: have its path and a key or identity added to gokeep's [[signing]] rules.`,
      );
    parseSignatureBundle(text);
    if (find(path, version) === undefined) {
      check();
      return { state: 'waiting', until: this.#waiting.add(path, version, text) };
    }
    if ((await store.size('zip', path, version)) === undefined)
      throw new GokeepError(
        'not_stored',
        `The zip of ${path}@${version} is not held here yet: fetch it once, sign it, and send the signature again.`,
      );
    const artifact = new Artifact(store.fileName('zip', path, version));
    const signature = await this.#verify(path, version, text, artifact, rule);
    const before = signatures(path, version);
    const known = before.find(({ id }) => id === signature.id);
    const added = known === undefined || parseVerdict(known.verdict).signer.kind === 'unknown';
    if (known === undefined && before.length >= MOST_OF_A_VERSION)
      throw new GokeepError(
        'bad_signature',
        `${path}@${version} has ${MOST_OF_A_VERSION} signatures already.`,
      );
    if (added) {
      const { id, kind, signer } = signature;
      await this.#o.trail?.record({
        ...by,
        kind: 'sign',
        path,
        version,
        facts: { id, signature: kind, signer },
      });
      await sequencer.keepSignatures([{ path, version, signatures: [this.#stored(signature)] }]);
    }
    return { state: 'stored', added, signature };
  }

  /** What is kept of a version, whether it is on record or not. */
  show(path: string, version: string): ShownSignatures {
    const rule = ruleFor(this.#o.rules, path);
    const signatures = this.#o.signatures(path, version).map(({ id, bundle, verdict, verifiedAt }) => {
      const { kind, signer, predicateType, sha256 } = parseVerdict(verdict);
      return {
        id,
        kind,
        signer,
        predicateType,
        sha256,
        verifiedAt: signer.kind === 'unknown' ? undefined : verifiedAt,
        trusted: isTrusted(rule, signer),
        bundle,
      };
    });
    const signed = signatures.some(({ kind, trusted }) => kind === 'signature' && trusted);
    return { required: rule?.required ?? false, signed, signatures };
  }

  async #verify(
    path: string,
    version: string,
    text: string,
    artifact: Artifact,
    rule: SigningRule | undefined,
  ): Promise<VerifiedSignature> {
    try {
      return await verifySignature(
        text,
        artifact,
        rule ?? { keys: [], identities: [], trustedRoot: undefined },
      );
    } catch (error) {
      if (!(error instanceof GokeepError) || error.code !== 'bad_signature') throw error;
      throw new GokeepError('bad_signature', `${path}@${version}: ${error.message}`, { cause: error });
    }
  }

  #stored({ id, bundle, ...verdict }: VerifiedSignature): StoredSignature {
    return { id, bundle, verdict: formatVerdict(verdict), verifiedAt: this.#o.now() };
  }
}

function unsigned(path: string, version: string): GokeepError {
  return new GokeepError(
    'refused',
    `${path}@${version} has to be signed: sign the zip with cosign sign-blob --bundle, and send the bundle before the zip (gokeep publish --signature).`,
  );
}
