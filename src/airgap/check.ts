import { isUtf8 } from 'node:buffer';
import { GokeepError, hasCode } from '../errors.ts';
import { h1OfGoMod } from '../modzip/dirhash.ts';
import type { Verifier } from '../note/verifier.ts';
import { MAX_BUNDLE, MOST_OF_A_VERSION, parseSignatureBundle } from '../signing/signature-bundle.ts';
import type { TreeHead } from '../tlog/tree-note.ts';
import { checkAnswer, MAX_BYTES } from '../upstream/answer-checks.ts';
import { VulndbCheck } from '../vulndb/check.ts';
import { Limit } from '../upstream/limit.ts';
import type { BundleFile, OpenedBundle } from './bundle-reader.ts';
import { wholeOf } from './chunks.ts';
import type { BundlePath } from './bundle-path.ts';
import { ProofCheck } from './proof-check.ts';
import type { ProvenRecords } from './proven.ts';

/** Where the files of a bundle go while it is checked: to a temporary place, or to where an import keeps them. */
export interface FileSink {
  /**
   * Takes a zip to disk. `checked`: it has been found to match its record before, with the same bytes.
   * The bytes have to be taken to their end, which throws where they are not what the manifest names.
   */
  zip(file: BundleFile): Promise<{ readonly file: string; readonly checked: boolean }>;
  /** A zip was found to match its record. */
  zipChecked(file: BundleFile, at: string): Promise<void>;
  /** Any other file, found good. */
  small(file: BundleFile, body: Buffer): Promise<void>;
}

/** Checks the hash of a zip and the rules that it has to keep (proxy/zip-verifier.ts). */
export interface ZipHasher {
  verify(file: string, path: string, version: string): Promise<{ readonly h1: string }>;
}

export interface CheckOptions {
  /** Of every checksum database that may prove anything here. */
  readonly keys: readonly Verifier[];
  readonly proven: ProvenRecords;
  readonly zips: ZipHasher;
  readonly sink: FileSink;
  /** Heads of databases that were seen before, which the bundle's heads have to follow on. */
  readonly seen: (database: string) => readonly TreeHead[];
  readonly report: (problem: string) => void;
  /** Files and bytes so far. */
  readonly progress: (files: number, bytes: number) => void;
}

export interface BundleFacts {
  readonly files: number;
  readonly bytes: number;
  readonly zips: number;
  readonly mods: number;
  readonly signatures: number;
}

export const NO_FACTS: BundleFacts = { files: 0, bytes: 0, zips: 0, mods: 0, signatures: 0 };

type SmallModulePath = Exclude<
  BundlePath,
  { database: string } | { id: string } | { kind: 'vulndb' | 'zip' | 'signature' }
>;

type SignaturePath = Extract<BundlePath, { kind: 'signature' }>;

/** Zips that are hashed, or wait for it, at a time. */
const ZIPS_AT_ONCE = 4;
const MAX_SMALL = 64 * 2 ** 20;
const MOST_CONTRADICTIONS = 100;
const MAX_IN_DATABASE = 1_100_000;

/**
 * Checks a whole bundle in one pass over its bytes: each file is the one that the signed manifest names; each record is
 * proven by its database's signed tree; each go.mod and zip has the hash that its record says; signatures can
 * be read. Memory does not grow with
 * the bundle.
 *
 * Each problem is reported as a sentence that names the file. Throws bad_bundle where the rest cannot be read.
 */
export async function checkBundle(bundle: OpenedBundle, o: CheckOptions): Promise<BundleFacts> {
  return new BundleCheck(bundle, o).run();
}

class BundleCheck {
  readonly #bundle: OpenedBundle;
  readonly #o: CheckOptions;
  readonly #proofs: ReadonlyMap<string, ProofCheck>;
  readonly #places = new Limit(ZIPS_AT_ONCE);
  readonly #underWay = new Set<Promise<void>>();
  #failure: Error | undefined;
  readonly #vulndb = new VulndbCheck();
  #proofsDone = false;
  /** Signatures of one version follow on each other. */
  #ofVersion = { of: '', count: 0 };
  readonly #facts = { ...NO_FACTS };

  constructor(bundle: OpenedBundle, options: CheckOptions) {
    this.#bundle = bundle;
    this.#o = options;
    this.#proofs = new Map(
      bundle.manifest.databases.map((database) => {
        const key = options.keys.find(({ name }) => name === database.name);
        if (key === undefined) {
          throw new GokeepError(
            'bad_bundle',
            `the bundle has proofs of ${database.name}, whose key is not known here; give its GOSUMDB key`,
          );
        }
        return [database.name, new ProofCheck(database, key, options.proven)];
      }),
    );
  }

  async run(): Promise<BundleFacts> {
    try {
      for await (const file of this.#bundle.files()) {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#orReport(file, () => this.#take(file));
        this.#facts.files++;
        this.#facts.bytes += file.entry.size;
        this.#o.progress(this.#facts.files, this.#facts.bytes);
      }
      await this.#finishProofs();
    } finally {
      await Promise.all(this.#underWay);
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#finishVulndb();
    return this.#facts;
  }

  async #take(file: BundleFile): Promise<void> {
    const { at } = file;
    if ('database' in at) {
      const body = await collect(file, MAX_IN_DATABASE);
      this.#proofs.get(at.database)?.add(at, body);
      return this.#o.sink.small(file, body);
    }
    await this.#finishProofs();
    if (at.kind === 'zip') return this.#takeZip(file, { path: at.path, version: at.version });
    if (at.kind === 'signature') return this.#takeSignature(file, at);
    if (at.kind === 'vulndb') {
      const body = await collect(file, MAX_SMALL);
      this.#vulndb.add(at.name, body);
      return this.#o.sink.small(file, body);
    }
    if ('id' in at) throw new GokeepError('bad_bundle', `${file.entry.path}: a bundle has one manifest`);
    const body = await collect(file, at.kind === 'query' ? MAX_BYTES.info : MAX_BYTES[at.kind]);
    this.#checkSmall(at, body);
    if (at.kind === 'mod') this.#facts.mods++;
    await this.#o.sink.small(file, body);
  }

  /** Its form alone: what it is of, and by whom, is looked at when all zips are there. */
  async #takeSignature(file: BundleFile, at: SignaturePath): Promise<void> {
    const body = await collect(file, MAX_BUNDLE);
    this.#facts.signatures++;
    const of = `${at.path}@${at.version}`;
    this.#ofVersion = this.#ofVersion.of === of ? { of, count: this.#ofVersion.count + 1 } : { of, count: 1 };
    if (this.#ofVersion.count > MOST_OF_A_VERSION)
      throw new GokeepError(
        'bad_bundle',
        `${of} has more than ${MOST_OF_A_VERSION} signatures in the bundle`,
      );
    if (!this.#bundle.manifest.signed)
      throw new GokeepError('bad_bundle', 'the manifest does not say that there are signatures');
    if (at.id !== file.entry.sha256 || !isUtf8(body))
      throw new GokeepError('bad_bundle', 'it is not the signature that its name says');
    parseSignatureBundle(body.toString());
    await this.#o.sink.small(file, body);
  }

  #checkSmall(at: SmallModulePath, body: Buffer): void {
    if (at.kind === 'mod') return this.#compare(at.path, at.version, 'mod', h1OfGoMod(body));
    try {
      if (!('version' in at)) checkAnswer({ kind: at.kind, path: at.path }, body, 'the bundle');
      else checkAnswer({ kind: 'info', path: at.path, version: at.version }, body, 'the bundle');
    } catch (error) {
      if (hasCode(error, 'upstream_failed'))
        throw new GokeepError('bad_bundle', error.message, { cause: error });
      throw error;
    }
  }

  async #takeZip(file: BundleFile, { path, version }: { path: string; version: string }): Promise<void> {
    this.#facts.zips++;
    const leave = await this.#places.enter(undefined);
    let disk: { file: string; checked: boolean };
    try {
      disk = await this.#o.sink.zip(file);
    } catch (error) {
      leave();
      throw error;
    }
    if (disk.checked) return leave();
    const work = this.#orReport(file, async () => {
      const { h1 } = await this.#o.zips.verify(disk.file, path, version);
      this.#compare(path, version, 'zip', h1);
      await this.#o.sink.zipChecked(file, disk.file);
    })
      .catch((error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        leave();
        this.#underWay.delete(work);
      });
    this.#underWay.add(work);
  }

  /** Throws bad_bundle unless every database in the bundle that has a record of this version says this hash. */
  #compare(path: string, version: string, what: 'zip' | 'mod', seen: string): void {
    const hashes = this.#o.proven.hashes(path, version);
    if (hashes.length === 0)
      throw new GokeepError(
        'bad_bundle',
        `no checksum database in the bundle proves anything of ${path}@${version}`,
      );
    for (const record of hashes) {
      if (record[what] === seen) continue;
      throw new GokeepError(
        'bad_bundle',
        `SECURITY: it has ${seen}, the record of ${path}@${version} in ${record.database} says ${record[what]}`,
      );
    }
  }

  /** It has no proof but the manifest's signature; but it is whole, and the one that the manifest speaks of. */
  #finishVulndb(): void {
    const { vulndb } = this.#bundle.manifest;
    if (vulndb === undefined) {
      if (this.#vulndb.modified !== undefined)
        this.#o.report('the bundle holds a vulnerability database that its manifest does not speak of');
      return;
    }
    for (const problem of this.#vulndb.finish()) this.#o.report(`vulndb: ${problem}`);
    if (this.#vulndb.modified !== vulndb.modified)
      this.#o.report(
        `vulndb: it is of ${this.#vulndb.modified ?? 'no time'}, the manifest says ${vulndb.modified}`,
      );
  }

  async #finishProofs(): Promise<void> {
    if (this.#proofsDone) return;
    this.#proofsDone = true;
    for (const [database, check] of this.#proofs) {
      await check.finish(this.#o.report);
      for (const head of this.#o.seen(database)) await check.consistentWith(head, this.#o.report);
    }
    // Whether or not the files themselves are in the bundle: the records are kept.
    for (const { path, version, databases } of this.#o.proven.contradictions(MOST_CONTRADICTIONS)) {
      this.#o.report(
        `SECURITY: ${path}@${version}: the checksum databases ${databases} contradict each other; find out which is right before anybody uses it`,
      );
    }
  }

  /** What is wrong with one file is reported, so that the others are looked at too. */
  async #orReport(file: BundleFile, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (
        !hasCode(
          error,
          'bad_bundle',
          'bad_record',
          'bad_note',
          'bad_zip',
          'bad_path',
          'bad_version',
          'bad_request',
          'bad_signature',
        )
      )
        throw error;
      const { path } = file.entry;
      this.#o.report(error.message.startsWith(path) ? error.message : `${path}: ${error.message}`);
    }
  }
}

async function collect(file: BundleFile, max: number): Promise<Buffer> {
  if (file.entry.size > max)
    throw new GokeepError('bad_bundle', `${file.entry.path}: is larger than such a file can be`);
  return wholeOf(file.body, file.entry.size);
}
