import { hasCode } from '../../errors.ts';
import { parseBundlePath, MODULES, sectionOf } from '../bundle-path.ts';
import { entriesIn } from '../bundle-reader.ts';
import type { Manifest } from '../manifest.ts';
import type { Receipts } from '../receipts.ts';

/** What is known of a bundle that was made or imported here, whether or not its file is still there. */
export interface KnownBundle {
  readonly id: string;
  /** Whether our own key signed it. */
  readonly origin: 'made' | 'imported';
  readonly signer: string;
  /** Milliseconds since 1970. */
  readonly keptAt: number;
  readonly manifest: Manifest;
  readonly zips: number;
  readonly mods: number;
  readonly signatures: number;
}

/** A version whose zip, or go.mod alone, is in a bundle. */
export interface BundledVersion {
  readonly path: string;
  readonly version: string;
  readonly zip: boolean;
  readonly size: number;
}

/** Bundles whose lists have been counted; a list may have a hundred thousand lines. */
const MOST_COUNTED = 2_000;

/** The receipts as a person wants to see them. What a receipt says never changes, so it is counted once. */
export class ReceiptList {
  readonly #receipts: Receipts;
  readonly #ownSigner: string | undefined;
  readonly #counted = new Map<string, KnownBundle>();
  readonly #origins = new Map<string, KnownBundle['origin']>();

  /** @param ownSigner name of the key that signs what is made here; undefined in a replica */
  constructor(receipts: Receipts, ownSigner: string | undefined) {
    this.#receipts = receipts;
    this.#ownSigner = ownSigner;
  }

  has(id: string): boolean {
    return this.#receipts.has(id);
  }

  /** In milliseconds since 1970. */
  keptAt(id: string): number {
    return this.#receipts.keptAt(id);
  }

  /** Newest first; only those of one origin, where one is named. */
  ids(origin?: KnownBundle['origin']): readonly string[] {
    return this.#receipts
      .ids()
      .map((id) => ({ id, keptAt: this.#receipts.keptAt(id) }))
      .sort((a, b) => b.keptAt - a.keptAt || (a.id < b.id ? -1 : 1))
      .map(({ id }) => id)
      .filter((id) => origin === undefined || this.#origin(id) === origin);
  }

  /** Undefined for one that was neither made nor imported here. Throws bad_bundle for one that was damaged since. */
  async find(id: string): Promise<KnownBundle | undefined> {
    const known = this.#counted.get(id);
    if (known !== undefined) return known;
    if (!this.#receipts.has(id)) return undefined;
    const { manifest, signer, entriesFile } = this.#receipts.said(id);
    const counts = { zips: 0, mods: 0, signatures: 0 };
    for await (const { path } of entriesIn(entriesFile, manifest)) {
      if (path.startsWith('signatures/')) counts.signatures++;
      else if (sectionOf(path) !== MODULES) continue;
      else if (path.endsWith('.zip')) counts.zips++;
      else if (path.endsWith('.mod')) counts.mods++;
    }
    const found: KnownBundle = {
      id,
      origin: this.#origin(id),
      signer,
      keptAt: this.#receipts.keptAt(id),
      manifest,
      ...counts,
    };
    if (this.#counted.size >= MOST_COUNTED) this.#counted.clear();
    this.#counted.set(id, found);
    return found;
  }

  /** The versions in a bundle, in its order, of which `most` from number `from` on. */
  async versions(
    id: string,
    from: number,
    most: number,
  ): Promise<{ versions: BundledVersion[]; total: number }> {
    const { manifest, entriesFile } = this.#receipts.said(id);
    const databases = manifest.databases.map(({ name }) => name);
    const versions: BundledVersion[] = [];
    let total = 0;
    let alone: BundledVersion | undefined;
    const add = (one: BundledVersion) => {
      if (total >= from && versions.length < most) versions.push(one);
      total++;
    };
    for await (const { path, size } of entriesIn(entriesFile, manifest)) {
      if (sectionOf(path) !== MODULES || !/\.(?:mod|zip)$/.test(path)) continue;
      const at = parseBundlePath(path, databases);
      if (at.kind !== 'mod' && at.kind !== 'zip') continue;
      // In the order of a bundle a version's go.mod comes right before its zip.
      if (alone !== undefined && (at.path !== alone.path || at.version !== alone.version)) add(alone);
      const one = { path: at.path, version: at.version, zip: at.kind === 'zip', size };
      alone = one.zip ? undefined : one;
      if (one.zip) add(one);
    }
    if (alone !== undefined) add(alone);
    return { versions, total };
  }

  #origin(id: string): KnownBundle['origin'] {
    const known = this.#origins.get(id);
    if (known !== undefined) return known;
    try {
      const origin = this.#receipts.said(id).signer === this.#ownSigner ? 'made' : 'imported';
      this.#origins.set(id, origin);
      return origin;
    } catch (error) {
      // One that was damaged is shown as such, and spoils no list.
      if (hasCode(error, 'bad_bundle')) return 'imported';
      throw error;
    }
  }
}
