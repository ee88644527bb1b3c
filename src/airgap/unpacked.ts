import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import type { Verifier } from '../note/verifier.ts';
import type { Database } from '../store/database.ts';
import { openScratch } from '../store/scratch.ts';
import { parseRecord } from '../tlog/record.ts';
import { type BundlePath, formatBundlePath, parseBundlePath } from './bundle-path.ts';
import { bundleFile, type BundleFile, entriesIn, type OpenedBundle } from './bundle-reader.ts';
import { diskChunks } from './chunks.ts';
import type { Entry } from './entry.ts';
import { chainOf, type Receipt, Receipts } from './receipts.ts';

/**
 * A directory that bundles of one chain were unpacked to, one over the other. Each file belongs to the newest of them that
 * names it, and has to be what that one says. What a newer one has replaced is no part of an older one any more, but for its
 * proofs: a lookup that no newer bundle brought carries the tree head of its own, and is proven by that and by the tiles
 * of its own, which newer ones replace by the same.
 */
export class UnpackedBundles implements Disposable {
  /** The oldest one first. */
  readonly chain: readonly Receipt[];
  readonly #directory: string;
  readonly #newer: Database;

  private constructor(directory: string, chain: readonly Receipt[], scratch: string) {
    this.#directory = directory;
    this.chain = chain;
    this.#newer = openScratch(
      path.join(scratch, 'newer.db'),
      'CREATE TABLE named (path TEXT PRIMARY KEY) WITHOUT ROWID',
    );
  }

  /** Throws bad_bundle where the directory holds no bundle, or such as do not follow on each other. */
  static async open(directory: string, keys: readonly Verifier[], scratch: string): Promise<UnpackedBundles> {
    return new UnpackedBundles(
      directory,
      chainOf(await Receipts.readFrom(directory, keys, scratch)),
      scratch,
    );
  }

  /** What is left of each bundle, the newest first, whole. Each has to be read to its end before the next. */
  async *bundles(report: (problem: string) => void): AsyncGenerator<OpenedBundle> {
    let vulndb = false;
    for (const receipt of this.chain.toReversed()) {
      const { manifest } = receipt;
      const heads = await this.#heads(receipt, report);
      yield {
        ...receipt,
        manifest: {
          ...manifest,
          databases: manifest.databases.filter(({ name }) => heads.has(name)),
          vulndb: vulndb ? undefined : manifest.vulndb,
        },
        files: () => this.#files(receipt, heads),
        close: async () => undefined,
      };
      vulndb ||= manifest.vulndb !== undefined;
      await this.#remember(receipt);
    }
  }

  [Symbol.dispose](): void {
    this.#newer.close();
  }

  async *#files(
    receipt: Receipt,
    heads: ReadonlyMap<string, Buffer | undefined>,
  ): AsyncGenerator<BundleFile> {
    for await (const { entry, at, own } of this.#entries(receipt)) {
      const head = at.kind === 'head' ? heads.get(at.database) : undefined;
      if (head !== undefined) yield bundleFile(entry, at, only(head));
      else if (own || at.kind === 'tile' || at.kind === 'supported')
        yield bundleFile(entry, at, this.#bytes(entry, at));
    }
  }

  /** What the manifest names, and whether no newer bundle names it too. */
  async *#entries(receipt: Receipt): AsyncGenerator<{ entry: Entry; at: BundlePath; own: boolean }> {
    const databases = receipt.manifest.databases.map(({ name }) => name);
    const named = this.#newer.prepare<[string], number>('SELECT 1 FROM named WHERE path = ?').pluck();
    for await (const entry of entriesIn(receipt.entriesFile, receipt.manifest))
      yield { entry, at: parseBundlePath(entry.path, databases), own: named.get(entry.path) === undefined };
  }

  async #remember(receipt: Receipt): Promise<void> {
    const put = this.#newer.prepare<[string]>('INSERT OR IGNORE INTO named VALUES (?)');
    for await (const { path: name } of entriesIn(receipt.entriesFile, receipt.manifest)) put.run(name);
  }

  /**
   * The databases that prove something of this bundle: with the tree head where a newer bundle has replaced the file, since
   * every lookup carries it too. The manifest names its hash, so it does not matter where it is found.
   */
  async #heads(
    receipt: Receipt,
    report: (problem: string) => void,
  ): Promise<Map<string, Buffer | undefined>> {
    const heads = new Map<string, Buffer | undefined>();
    const replaced = new Map<string, Entry>();
    const unproven = new Set<string>();
    for await (const { entry, at, own } of this.#entries(receipt)) {
      if (at.kind === 'head' && own) heads.set(at.database, undefined);
      else if (at.kind === 'head') replaced.set(at.database, entry);
      if (at.kind !== 'lookup' || !own || heads.has(at.database)) continue;
      const head = await this.#headOf(at);
      if (head !== undefined && sha256(head) === replaced.get(at.database)?.sha256)
        heads.set(at.database, head);
      else unproven.add(at.database);
    }
    for (const database of unproven)
      if (!heads.has(database))
        report(
          `no lookup of ${database} that bundle ${receipt.id} brought carries the tree head that its manifest names`,
        );
    return heads;
  }

  async #headOf(at: BundlePath): Promise<Buffer | undefined> {
    try {
      return parseRecord(await readFile(path.join(this.#directory, formatBundlePath(at)))).rest;
    } catch {
      // What is wrong with this file is said when it is checked.
      return undefined;
    }
  }

  async *#bytes(entry: Entry, at: BundlePath): AsyncGenerator<Buffer> {
    const file = path.join(this.#directory, formatBundlePath(at));
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) throw new GokeepError('bad_bundle', `${entry.path}: is missing`);
    if (stat.size !== entry.size)
      throw new GokeepError('bad_bundle', `${entry.path}: has another size than the manifest says`);
    try {
      yield* diskChunks(file, stat.size);
    } catch (error) {
      throw new GokeepError('bad_bundle', `${entry.path}: cannot be read; see to its permissions`, {
        cause: error,
      });
    }
  }
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
