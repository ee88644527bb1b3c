import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hasCode } from '../errors.ts';
import { Artifact } from '../signing/artifact.ts';
import { judgeSignature } from '../signing/judge-signature.ts';
import { MOST_OF_A_VERSION } from '../signing/signature-bundle.ts';
import { formatVerdict, isTrusted } from '../signing/verdict.ts';
import type { ModuleStore } from '../store/module-store.ts';
import type { SignedVersion } from '../store/signature-table.ts';
import { type BundlePath, formatBundlePath, parseBundlePath } from './bundle-path.ts';
import { entriesIn, type OpenedBundle } from './bundle-reader.ts';
import type { JudgedSignatures } from './judged-signatures.ts';
import type { SiteSignatures } from './site-signatures.ts';
import { stagedFile } from './staging.ts';

const PORTION = 64;
const MOST_LACKING = 100;

/** What the signatures of a bundle are judged by. */
export interface SignatureSite {
  readonly store: Pick<ModuleStore, 'fileName' | 'sizeNow'>;
  readonly signatures: SiteSignatures;
  /** Where the files of the bundle wait. */
  readonly directory: string;
  readonly judged: JudgedSignatures;
}

/**
 * Judges the signatures of a bundle whose zips were found good, by the rules of this site, and reports those that are not of
 * their version's zip, and versions that have to be signed and are not. Changes nothing.
 *
 * What is signed is the zip that is served: the one that is held, where a version is held already.
 */
export async function judgeSignatures(
  bundle: OpenedBundle,
  site: SignatureSite,
  report: (problem: string) => void,
): Promise<void> {
  const { store, signatures, judged } = site;
  if (!bundle.manifest.signed && !signatures.demandAny) return;
  let version: VersionSignatures | undefined;
  const databases = bundle.manifest.databases.map(({ name }) => name);
  for await (const entry of entriesIn(bundle.entriesFile, bundle.manifest)) {
    const at = parseBundlePath(entry.path, databases);
    // What was here before is served as it was: a rule takes nothing back.
    if (at.kind === 'zip' && signatures.lacks(at.path, at.version))
      if (store.sizeNow('zip', at.path, at.version) === undefined) judged.want(at.path, at.version);
    if (at.kind !== 'signature') continue;
    if (version?.isOf(at) !== true) version = new VersionSignatures(at, site);
    await version.judge(at, entry.path, report);
  }
  for (const { path, version } of judged.lacking(MOST_LACKING))
    report(
      `${path}@${version} has to be signed here, and the bundle has no signature of it by anybody whom the [[signing]] rule trusts; have it signed where the bundle is made, and the bundle made anew`,
    );
}

type SignaturePath = Extract<BundlePath, { kind: 'signature' }>;

/** The signatures of one version, which follow on each other. */
class VersionSignatures {
  readonly #of: { readonly path: string; readonly version: string };
  readonly #site: SignatureSite;
  readonly #artifact: Artifact | undefined;
  /** Held already, and packed another way than the bundle's. */
  readonly #staged: Artifact | undefined;
  readonly #ids = new Set<string>();
  #isFull = false;

  constructor({ path, version }: SignaturePath, site: SignatureSite) {
    this.#of = { path, version };
    this.#site = site;
    const staged = stagedFile(site.directory, formatBundlePath({ kind: 'zip', path, version }));
    const isStaged = existsSync(staged);
    const isHeld = site.store.sizeNow('zip', path, version) !== undefined;
    const held = isHeld ? new Artifact(site.store.fileName('zip', path, version)) : undefined;
    this.#artifact = held ?? (isStaged ? new Artifact(staged) : undefined);
    this.#staged = isHeld && isStaged ? new Artifact(staged) : undefined;
  }

  isOf({ path, version }: SignaturePath): boolean {
    return path === this.#of.path && version === this.#of.version;
  }

  async judge({ path, version, id }: SignaturePath, name: string, report: (problem: string) => void) {
    const { signatures, judged, directory } = this.#site;
    const rule = signatures.ruleFor(path);
    if (this.#artifact === undefined) {
      report(
        `${name}: the zip of ${path}@${version} is neither in the bundle nor held here; import the bundle that brought it again`,
      );
      return;
    }
    const text = await readFile(stagedFile(directory, name), 'utf8');
    try {
      // What is of the bundle's zip alone says nothing of the one that is served here, and is left out.
      if (await this.#isOfOtherPacking()) {
        if (this.#staged !== undefined) await judgeSignature(text, this.#staged, rule);
        return;
      }
      const verdict = await judgeSignature(text, this.#artifact, rule);
      this.#ids.add(id);
      judged.add({ path, version, id, verdict: formatVerdict(verdict) });
      if (verdict.kind === 'signature' && isTrusted(rule, verdict.signer)) judged.hasOne(path, version);
    } catch (error) {
      if (!hasCode(error, 'bad_signature')) throw error;
      report(`${name}: ${error.message}`);
    }
    const count = signatures.countBeside(path, version, this.#ids) + this.#ids.size;
    if (count > MOST_OF_A_VERSION && !this.#isFull) {
      this.#isFull = true;
      report(`${path}@${version} would have more than ${MOST_OF_A_VERSION} signatures here`);
    }
  }

  async #isOfOtherPacking(): Promise<boolean> {
    const here = await this.#artifact?.digest('sha256');
    const staged = await this.#staged?.digest('sha256');
    return here !== undefined && staged !== undefined && !here.equals(staged);
  }
}

/** Stores what was judged, in portions, each durable. Doing it again changes nothing. */
export async function keepSignatures({ signatures, judged, directory }: SignatureSite): Promise<void> {
  for (let n = 0; ; ) {
    const page = judged.after(n, PORTION);
    const last = page.at(-1);
    if (last === undefined) return;
    ({ n } = last);
    const versions: SignedVersion[] = [];
    for (const { path, version, id, verdict } of page) {
      const name = formatBundlePath({ kind: 'signature', path, version, id });
      const bundle = await readFile(stagedFile(directory, name), 'utf8');
      versions.push({
        path,
        version,
        signatures: [{ id, bundle, verdict, verifiedAt: signatures.now() }],
      });
    }
    await signatures.keep(versions);
  }
}
