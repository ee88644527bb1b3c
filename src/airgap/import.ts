import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { TrailSink } from '../audit/trail.ts';
import { GokeepError } from '../errors.ts';
import type { Verifier } from '../note/verifier.ts';
import { storageError } from '../store/database.ts';
import { type Actor, GOKEEP } from '../store/trail-entry.ts';
import type { TreeHead } from '../tlog/tree-note.ts';
import { plainChunks } from './archive.ts';
import { openBundle, type OpenedBundle } from './bundle-reader.ts';
import { type BundleFacts, checkBundle, NO_FACTS, type ZipHasher } from './check.ts';
import { judgeSignatures, keepSignatures, type SignatureSite } from './import-signatures.ts';
import { JudgedSignatures } from './judged-signatures.ts';
import type { ManifestDatabase } from './manifest.ts';
import { ProvenRecords } from './proven.ts';
import type { Receipts } from './receipts.ts';
import type { SiteSignatures } from './site-signatures.ts';
import { isStillHere } from './still-here.ts';
import { stagedBytes, Staging } from './staging.ts';
import { type FileTarget, takeOver } from './take-over.ts';

/** Where proven records go: this site's own log, a replica's copy of the origin's, or the memory of a public database. */
export interface RecordTarget {
  /** Name of the database whose every head it knows itself; of others the receipts of bundles tell. */
  readonly follows: string | undefined;
  /** Heads that the bundle's have to follow on. */
  seen(database: string): Promise<readonly TreeHead[]>;
  /** Reports what contradicts what is here; changes nothing but what is known of a public database's heads. */
  check(proven: ProvenRecords, report: (problem: string) => void): Promise<void>;
  /** Whether what a bundle with these heads brought can still be here, as far as is seen at a glance. */
  holds(databases: readonly ManifestDatabase[]): Promise<boolean>;
  /** Takes everything, durably. Doing it again changes nothing. */
  commit(proven: ProvenRecords, bundle: OpenedBundle): Promise<void>;
}

export interface ImportOptions extends FileTarget {
  readonly data: string;
  readonly receipts: Receipts;
  /** What is taken in is recorded there first. */
  readonly trail?: TrailSink;
  readonly zips: ZipHasher;
  /** Whose bundles are taken. */
  readonly trusted: readonly Verifier[];
  /** Of the checksum databases that may prove anything here. */
  readonly keys: readonly Verifier[];
  readonly targets: readonly RecordTarget[];
  readonly signatures: SiteSignatures;
  /** Bytes of disk that have to stay free. */
  readonly diskReserve: number;
  /** Something was taken in: what was answered before may be out of date. */
  readonly onImported: () => void;
}

export interface Imported {
  readonly id: string;
  /** False: this very bundle had been imported before, and nothing was done. */
  readonly added: boolean;
  readonly facts: BundleFacts;
}

/** What is being done, and how many files and bytes of it. */
export type Progress = (what: string, files: number, bytes: number) => void;

export interface ImportRun {
  readonly onProgress?: Progress;
  /** Who brings it. */
  readonly by?: Actor;
}

function busy(): GokeepError {
  return new GokeepError('busy', 'another bundle is being imported; try again when that is done');
}

/** What was found wrong with a bundle, all of it. */
export class BadBundle extends GokeepError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const [first = ''] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super('bad_bundle', `${first}${more}; nothing was imported`, { detail: problems.join('\n') });
    this.problems = problems;
  }
}

const MOST_PROBLEMS = 1_000;
/** Bundles of which the beginning is read at a time. */
const MOST_OPENING = 16;
/** Bytes of database that a record takes at the most. */
const RECORD_BYTES = 1_000;
/**
 * Brings bundles in, one at a time: all of it is checked before anything changes, in a staging directory that a later run
 * goes on with; then records, signatures, files and proofs are taken over, each step safe to be done again. A kill, a full disk or a bad
 * bundle leave log, signatures and store as they were, or, once everything was found good, somewhere on the way to the end, which
 * importing the same bundle again reaches.
 */
export class BundleImport {
  readonly #o: ImportOptions;
  #opening = 0;
  /** Files that hold the lists of bundles whose beginning has been read. */
  readonly #lists = new Set<string>();
  #running = false;
  #run: ImportRun = {};

  constructor(options: ImportOptions) {
    this.#o = options;
  }

  /** Throws refused where nobody is trusted, BadBundle or bad_bundle, busy while another is imported, storage_full and storage_failed. */
  async run(chunks: AsyncIterable<Buffer>, run: ImportRun = {}): Promise<Imported> {
    if (this.#opening >= MOST_OPENING) throw busy();
    this.#opening++;
    try {
      return await this.#import(chunks, run);
    } catch (error) {
      throw error instanceof Error && 'code' in error && !(error instanceof GokeepError)
        ? storageError(error, 'import')
        : error;
    } finally {
      this.#opening--;
    }
  }

  async #import(chunks: AsyncIterable<Buffer>, run: ImportRun): Promise<Imported> {
    const { data, trusted } = this.#o;
    const root = path.join(data, 'import');
    await mkdir(root, { recursive: true });
    const entriesFile = path.join(root, `${randomUUID()}.entries`);
    this.#lists.add(path.basename(entriesFile));
    if (trusted.length === 0)
      throw new GokeepError(
        'refused',
        'no bundle is taken here: have the operator put the GOSUMDB key of the server that makes them into bundles.trust',
      );
    try {
      const bundle = await openBundle(plainChunks(chunks), trusted, entriesFile);
      // Not before: anybody may begin to send, and only who has a trusted key's bundle may keep others waiting.
      if (this.#running) {
        await bundle.close();
        throw busy();
      }
      this.#running = true;
      this.#run = run;
      try {
        return await this.#importOpened(bundle, root);
      } finally {
        this.#running = false;
        await bundle.close();
      }
    } finally {
      this.#lists.delete(path.basename(entriesFile));
      await rm(entriesFile, { force: true });
    }
  }

  async #importOpened(bundle: OpenedBundle, root: string): Promise<Imported> {
    const { receipts, store, targets, signatures, vulndbModified } = this.#o;
    const { id, manifest } = bundle;
    const modified = await vulndbModified();
    const site = { store, targets, signatures, hasVulndb: () => modified !== undefined };
    if (receipts.has(id) && (await isStillHere(bundle, site))) {
      // A run that was killed behind its receipt has left it.
      await this.#dropOthers(root, '');
      return { id, added: false, facts: NO_FACTS };
    }
    if (manifest.base !== undefined && !receipts.has(manifest.base))
      throw new GokeepError(
        'bad_bundle',
        `bundle ${id} follows on bundle ${manifest.base}, which has not been imported here; import that first`,
      );
    await this.#dropOthers(root, id);
    const directory = path.join(root, id);
    await mkdir(path.join(directory, 'files'), { recursive: true });
    const here = await stagedBytes(directory, bundle);
    await this.#checkRoom(manifest.entries.bytes - here + manifest.entries.count * RECORD_BYTES, directory);
    for (const name of ['proven.db', 'judged.db']) await rm(path.join(directory, name), { force: true });
    using proven = new ProvenRecords(path.join(directory, 'proven.db'));
    using judged = new JudgedSignatures(path.join(directory, 'judged.db'));
    const signed = { store, signatures, directory, judged };
    const facts = await this.#check(bundle, proven, signed);
    try {
      await this.#commit(bundle, proven, signed, facts);
    } finally {
      this.#o.onImported();
    }
    await receipts.keep(bundle);
    await rm(directory, { recursive: true, force: true });
    return { id, added: true, facts };
  }

  async #check(bundle: OpenedBundle, proven: ProvenRecords, signed: SignatureSite): Promise<BundleFacts> {
    const { targets, keys, zips, receipts, trusted } = this.#o;
    const problems: string[] = [];
    const report = (problem: string) => {
      if (problems.length < MOST_PROBLEMS) problems.push(problem);
    };
    const seen = new Map<string, TreeHead[]>();
    const isFollowed = (name: string) => targets.some(({ follows }) => follows === name);
    for (const { name } of bundle.manifest.databases) {
      const heads = await Promise.all(targets.map((target) => target.seen(name)));
      const newest = receipts.newestHead(name, trusted, bundle.id);
      if (receipts.has(bundle.id)) continue;
      seen.set(
        name,
        [...heads.flat(), ...(newest === undefined || isFollowed(name) ? [] : [newest])].filter(
          ({ size }) => size > 0,
        ),
      );
    }
    const facts = await checkBundle(bundle, {
      keys,
      proven,
      zips,
      sink: new Staging(signed.directory),
      seen: (database) => seen.get(database) ?? [],
      report,
      progress: (files, bytes) => this.#run.onProgress?.('checking', files, bytes),
    });
    for (const target of targets) await target.check(proven, report);
    // Of zips that were found good.
    if (problems.length === 0) await judgeSignatures(bundle, signed, report);
    if (problems.length > 0) throw new BadBundle(problems);
    return facts;
  }

  async #commit(
    bundle: OpenedBundle,
    proven: ProvenRecords,
    signed: SignatureSite,
    facts: BundleFacts,
  ): Promise<void> {
    const { directory } = signed;
    const { targets, trail } = this.#o;
    const { by = GOKEEP } = this.#run;
    const { count } = bundle.manifest.entries;
    await this.#checkRoom(count * RECORD_BYTES, directory);
    await trail?.record({ ...by, kind: 'import', facts: { bundle: bundle.id, ...facts } });
    // Records before files, which wait on the same disk: a file that is not on record is an error, and another record of its
    // version could come in meanwhile.
    const databases = bundle.manifest.databases;
    // Taken before, and newer ones since: only what of it is lost comes back.
    const again = this.#o.receipts.has(bundle.id);
    for (const target of targets)
      if (!again || !(await target.holds(databases))) await target.commit(proven, bundle);
    // No zip is served that waits for its signature.
    await keepSignatures(signed);
    await takeOver(bundle, directory, this.#o, (files) => this.#run.onProgress?.('taking over', files, 0));
  }

  /** What an import of another bundle has left, which would never be used again. */
  async #dropOthers(root: string, id: string): Promise<void> {
    for (const name of await readdir(root))
      if (name !== id && !this.#lists.has(name))
        await rm(path.join(root, name), { recursive: true, force: true });
  }

  async #checkRoom(bytes: number, directory: string): Promise<void> {
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize - this.#o.diskReserve >= bytes) return;
    throw new GokeepError(
      'storage_full',
      `the bundle needs ${Math.ceil(bytes / 2 ** 20)} MiB on the disk of the gokeep server beside its reserve, and there is less; make room and import it again`,
      { detail: `${bavail * bsize} bytes free, ${this.#o.diskReserve} reserved` },
    );
  }
}
