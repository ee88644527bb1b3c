import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import type { ZipHasher } from '../../src/airgap/check.ts';
import { BadBundle, BundleImport, type ImportOptions, type RecordTarget } from '../../src/airgap/import.ts';
import { Receipts } from '../../src/airgap/receipts.ts';
import { SiteSignatures } from '../../src/airgap/site-signatures.ts';
import { type VerifiedBundle, verifyBundle } from '../../src/airgap/verify.ts';
import type { Input } from '../../src/airgap/want/input.ts';
import { GokeepError } from '../../src/errors.ts';
import type { Verifier } from '../../src/note/verifier.ts';
import { verifyZipFile } from '../../src/proxy/zip-worker.ts';
import type { SigningRule } from '../../src/signing/rule.ts';
import { ModuleStore } from '../../src/store/module-store.ts';
import type { StoredSignature } from '../../src/store/signature-table.ts';
import type { TreeHead } from '../../src/tlog/tree-note.ts';

/** The databases that a bundle was made with. */
interface MadeFor {
  readonly own: { readonly verifier: Verifier };
  readonly second: { readonly verifier: Verifier };
}

/** An importer without a server: a store, receipts, and a log that only counts what it is given. */
export class ClosedSite implements AsyncDisposable {
  readonly data: string;
  readonly store: ModuleStore;
  readonly receipts: Receipts;
  /** Bundles that came as far as the log. */
  readonly commits: string[] = [];
  readonly hashed: string[] = [];
  /** Heads that were seen before, by database. */
  readonly seen = new Map<string, TreeHead[]>();
  /** Signatures that were kept, by module and version. */
  readonly signatures = new Map<string, StoredSignature[]>();
  readonly rules: SigningRule[] = [];
  readonly bundles: BundleImport;
  readonly #keys: readonly Verifier[];
  readonly #trusted: readonly Verifier[];
  #jobs = 0;

  private constructor(
    data: string,
    trusted: readonly Verifier[],
    keys: readonly Verifier[],
    diskReserve: number,
  ) {
    this.data = data;
    this.#trusted = trusted;
    this.#keys = keys;
    this.store = new ModuleStore(data);
    this.receipts = new Receipts(data);
    const target: RecordTarget = {
      seen: async (database) => this.seen.get(database) ?? [],
      check: async () => undefined,
      follows: undefined,
      holds: async () => true,
      commit: async (_proven, { id }) => void this.commits.push(id),
    };
    const options: ImportOptions = {
      data,
      store: this.store,
      receipts: this.receipts,
      zips: this.zips,
      trusted,
      keys,
      targets: [target],
      signatures: new SiteSignatures({
        rules: this.rules,
        stored: (modulePath, version) => this.signatures.get(`${modulePath}@${version}`) ?? [],
        keep: async (versions) => {
          for (const { path: modulePath, version, signatures } of versions) {
            const key = `${modulePath}@${version}`;
            this.signatures.set(key, [...(this.signatures.get(key) ?? []), ...signatures]);
          }
        },
        now: Date.now,
      }),
      diskReserve,
      keepQuery: async () => undefined,
      vulndbModified: async () => undefined,
      keepVulndb: async () => undefined,
      onImported: () => undefined,
    };
    this.bundles = new BundleImport(options);
  }

  static async open(
    trusted: readonly Verifier[],
    keys: readonly Verifier[],
    o: { readonly diskReserve?: number } = {},
  ): Promise<ClosedSite> {
    const data = await mkdtemp(path.join(tmpdir(), 'gokeep-closed-'));
    const site = new ClosedSite(data, trusted, keys, o.diskReserve ?? 0);
    await site.store.clearTemporary();
    return site;
  }

  /** One that knows both databases of a made bundle, and trusts the one that signs it. */
  static for(made: MadeFor, o: { readonly diskReserve?: number } = {}): Promise<ClosedSite> {
    return ClosedSite.open([made.own.verifier], [made.own.verifier, made.second.verifier], o);
  }

  get zips(): ZipHasher {
    return {
      verify: async (file, modulePath, version) => {
        this.hashed.push(`${modulePath}@${version}`);
        const verdict = await verifyZipFile({ file, path: modulePath, version, wantsGoMod: false });
        if ('h1' in verdict) return verdict;
        throw new GokeepError(verdict.code, verdict.message);
      },
    };
  }

  import(bytes: Buffer) {
    return this.bundles.run(inPieces(bytes));
  }

  /** What import says against a bundle; fails where it says nothing. */
  async refusal(bytes: Buffer | AsyncIterable<Buffer>): Promise<GokeepError> {
    try {
      await this.bundles.run(Buffer.isBuffer(bytes) ? inPieces(bytes) : bytes);
    } catch (error) {
      if (error instanceof GokeepError) return error;
      throw error;
    }
    throw new Error('the bundle was taken');
  }

  /** The sentences that verify says of a bundle. */
  async verify(bytes: Buffer): Promise<readonly string[]> {
    const file = path.join(this.data, `bundle-${this.#jobs++}`);
    await writeFile(file, bytes);
    try {
      return (await this.verified(file)).problems;
    } finally {
      await rm(file);
    }
  }

  /** What verify finds out about a file, or a directory. */
  async verified(
    bundle: string,
    o: { readonly after?: readonly string[]; readonly inputs?: readonly Input[] } = {},
  ): Promise<VerifiedBundle> {
    const scratch = path.join(this.data, `verify-${this.#jobs++}`);
    await mkdir(scratch);
    try {
      return await verifyBundle({
        bundle,
        after: o.after ?? [],
        signers: this.#trusted,
        databases: this.#keys,
        zips: this.zips,
        rules: this.rules,
        scratch,
        inputs: o.inputs ?? [],
        tests: false,
        onProgress: () => undefined,
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /** Both import and verify refuse it with such a sentence, and nothing changes. */
  async refuses(bytes: Buffer, sentence: RegExp): Promise<void> {
    const error = await this.refusal(bytes);
    expect(error.code).toBe('bad_bundle');
    expect(error instanceof BadBundle ? error.problems.join('\n') : error.message).toMatch(sentence);
    this.expectUnchanged();
    expect((await this.verify(bytes)).join('\n')).toMatch(sentence);
  }

  expectUnchanged(): void {
    expect(this.commits).toEqual([]);
    expect(this.receipts.ids()).toEqual([]);
    expect([...this.signatures]).toEqual([]);
    expect(readdirSync(this.store.root)).toEqual([]);
    expect(existsSync(path.join(this.data, 'bundles'))).toBe(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.data, { recursive: true, force: true });
  }
}

/** As a network or a disk would give it: headers and bodies torn apart. */
export async function* inPieces(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
