import { createHash } from 'node:crypto';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import { formatModuleRequest } from '../module/request-path.ts';
import type { Signer } from '../note/signer.ts';
import type { Verifier } from '../note/verifier.ts';
import type { LogReader } from '../store/log-reader.ts';
import type { ModuleStore } from '../store/module-store.ts';
import type { UpstreamReader } from '../store/upstream-reader.ts';
import { VulndbCheck } from '../vulndb/check.ts';
import { gzipDeterministic } from '../vulndb/gzip.ts';
import { Limit } from '../upstream/limit.ts';
import { addSignatures, type CarriedSignatures } from './add-signatures.ts';
import { formatBundlePath } from './bundle-path.ts';
import { digestFile, type OutputOptions } from './bundle-writer.ts';
import { entriesIn } from './bundle-reader.ts';
import { Composition } from './composition.ts';
import { DatabaseProofs } from './database-proofs.ts';
import { listFiles, TOOLCHAIN } from './lists.ts';
import type { Manifest, ManifestDatabase } from './manifest.ts';
import { KeptModules, keptLog, rememberedDatabase } from './kept.ts';
import type { OwnServer } from './own-server.ts';
import { ProvenRecords } from './proven.ts';
import type { Receipt } from './receipts.ts';
import { signBundle, type SignedBundle } from './signed-bundle.ts';

/** A module version that is to go into a bundle. */
export interface WantedVersion {
  readonly path: string;
  readonly version: string;
  /** False: its go.mod only. */
  readonly zip: boolean;
  /** What a go.sum says, `h1:…`; the record has to say the same. */
  readonly expected?: { readonly zip?: string; readonly mod?: string };
}

export interface CreateOptions {
  readonly server: OwnServer;
  readonly store: ModuleStore;
  readonly log: LogReader;
  /** What was learned from outside. */
  readonly remembered: UpstreamReader;
  readonly signer: Signer;
  readonly tool: string;
  /** Our own database first, then the public one, which is not asked about private paths. */
  readonly own: { vkey: string; verifier: Verifier };
  readonly proving: { vkey: string; verifier: Verifier } | undefined;
  readonly isPrivate: (path: string) => boolean;
  readonly wanted: readonly WantedVersion[];
  /** Branches and commits that were asked for by name: what upstream says they are goes along. */
  readonly queries: readonly { path: string; query: string }[];
  /** The earlier bundles of the chain, oldest first. */
  readonly since: readonly Receipt[];
  /** A vulnerability database: its plain files, and where they come from. */
  readonly vulndb: { source: string; files: AsyncIterable<{ name: string; body: Buffer }> } | undefined;
  /** A directory for this job alone. */
  readonly scratch: string;
  readonly onProgress: (what: string, done: number, total: number) => void;
}

/** What a bundle turned out to be, before it is written. */
export interface ComposedBundle extends Omit<SignedBundle, 'write'>, Disposable {
  readonly zips: number;
  readonly mods: number;
  readonly signatures: CarriedSignatures;
  write(o: OutputOptions): Promise<string[]>;
}

/** A version that could not be had. */
export interface Missing {
  readonly path: string;
  readonly version: string;
  /** False: it was wanted for its go.mod only. */
  readonly zip: boolean;
  readonly error: GokeepError;
}

const AT_ONCE = 8;

/** Makes one bundle: has everything admitted, collects proofs, hashes, signs. {@link ComposedBundle.write} writes it. */
export class BundleMaker implements Disposable {
  readonly #o: CreateOptions;
  readonly #composition: Composition;
  readonly #proven: ProvenRecords;
  readonly #kept: KeptModules;
  readonly #databases: DatabaseProofs[];
  readonly #missing: Missing[] = [];
  #zips = 0;
  #mods = 0;

  constructor(options: CreateOptions) {
    this.#o = options;
    this.#composition = new Composition(path.join(options.scratch, 'composition.db'));
    this.#proven = new ProvenRecords(path.join(options.scratch, 'proven.db'));
    this.#kept = new KeptModules(options.store, options.log);
    const { own, proving, server, log, remembered } = options;
    this.#databases = [new DatabaseProofs(own, server, keptLog(log), this.#proven)];
    if (proving === undefined) return;
    const kept = rememberedDatabase(remembered, proving.verifier.name);
    this.#databases.push(new DatabaseProofs(proving, server, kept, this.#proven));
  }

  /** Versions that the earlier bundles do not have already. */
  async fresh(): Promise<readonly WantedVersion[]> {
    for (const receipt of this.#o.since)
      for await (const entry of entriesIn(receipt.entriesFile, receipt.manifest))
        this.#composition.addBase(entry);
    return this.#o.wanted.filter(
      ({ path: modulePath, version, zip }) =>
        !this.#composition.inBase(formatBundlePath({ kind: zip ? 'zip' : 'mod', path: modulePath, version })),
    );
  }

  /** Has the server take in what it lacks, each file once. Gives what could not be had. */
  async admit(fresh: readonly WantedVersion[]): Promise<readonly Missing[]> {
    await this.#each('fetching', fresh, async (wanted) => {
      const { path: modulePath, version, zip } = wanted;
      const admit = async (kind: 'info' | 'mod' | 'zip') => {
        if (this.#kept.has(kind, modulePath, version)) return;
        await this.#o.server.admit(formatModuleRequest({ kind, path: modulePath, version }));
      };
      try {
        if (zip) await admit('zip');
        if (modulePath !== TOOLCHAIN) await admit('mod');
      } catch (error) {
        if (!(error instanceof GokeepError)) throw error;
        this.#missing.push({ path: modulePath, version, zip, error });
        return;
      }
      // Of some versions upstream has nothing but the files that matter; `go` can do without this one.
      await admit('info').catch((error: unknown) => {
        if (!(error instanceof GokeepError)) throw error;
      });
    });
    return this.#missing;
  }

  /** Collects and hashes everything, and signs the manifest. */
  async compose(fresh: readonly WantedVersion[]): Promise<ComposedBundle> {
    const left = new Set(this.#missing.map((m) => `${m.path}@${m.version}`));
    const taken = fresh.filter((w) => !left.has(`${w.path}@${w.version}`));
    await this.#each('collecting proofs', taken, (wanted) => this.#prove(wanted));
    await this.#each('hashing', taken, (wanted) => this.#addModuleFiles(wanted));
    for await (const { name, body } of listFiles(taken, this.#composition, this.#o.store))
      this.#addBody(name, body, 'made');
    for (const { path: modulePath, query } of this.#o.queries) {
      const at = { kind: 'query', path: modulePath, version: query } as const;
      const body = await this.#o.server.get(
        formatModuleRequest({ kind: 'info', path: modulePath, version: query }),
      );
      this.#addBody(formatBundlePath(at), body, 'upstream');
    }
    const signatures = addSignatures(this.#o.log.signatures, this.#composition);
    const databases: ManifestDatabase[] = [];
    for (const database of this.#databases) databases.push(await this.#addDatabase(database));
    return this.#sign(databases, await this.#addVulndb(), signatures);
  }

  [Symbol.dispose](): void {
    this.#composition[Symbol.dispose]();
    this.#proven[Symbol.dispose]();
  }

  async #prove(wanted: WantedVersion): Promise<void> {
    const { path: modulePath, version } = wanted;
    const [own, proving] = this.#databases;
    await own?.add(modulePath, version);
    this.#compare(wanted);
    if (proving === undefined || this.#o.isPrivate(modulePath)) return;
    try {
      await proving.add(modulePath, version);
    } catch (error) {
      // A record that came in while no public database was configured, or by a bundle: ours alone vouches for it.
      if (!(error instanceof GokeepError) || !['not_found', 'gone', 'refused'].includes(error.code))
        throw error;
    }
  }

  /** Throws mismatch where a go.sum among the inputs says something else than the record. */
  #compare({ path: modulePath, version, expected = {} }: WantedVersion): void {
    const record = this.#o.log.find(modulePath, version);
    if (record === undefined) return;
    for (const what of ['zip', 'mod'] as const) {
      const said = expected[what];
      if (said === undefined || said === record[what]) continue;
      throw new GokeepError(
        'mismatch',
        `SECURITY: ${modulePath}@${version}: a go.sum that was given says ${said}, the record says ${record[what]}; find out which is right before anybody uses it`,
      );
    }
  }

  async #addModuleFiles({ path: modulePath, version, zip }: WantedVersion): Promise<void> {
    const { store, log } = this.#o;
    const record = log.find(modulePath, version);
    const source = (record === undefined ? undefined : log.provenance(record.id)?.source) ?? 'upstream';
    for (const kind of zip ? (['info', 'mod', 'zip'] as const) : (['info', 'mod'] as const)) {
      const name = formatBundlePath({ kind, path: modulePath, version });
      if (this.#composition.inBase(name) || store.sizeNow(kind, modulePath, version) === undefined) continue;
      const disk = store.fileName(kind, modulePath, version);
      const digest = digestFile(disk);
      this.#composition.add({
        path: name,
        ...digest,
        provenance: kind === 'info' ? 'upstream' : source,
        disk,
        body: null,
      });
      if (kind === 'zip') this.#zips++;
      if (kind === 'mod') this.#mods++;
    }
  }

  async #addDatabase(database: DatabaseProofs): Promise<ManifestDatabase> {
    const head = await database.head();
    const { name, vkey } = database;
    const before = this.#o.since.flatMap(({ manifest }) =>
      manifest.databases.filter((each) => each.name === name),
    );
    const earlier = new Map(
      before.flatMap((each) => [...each.earlier, each.head]).map((each) => [each.size, each]),
    );
    earlier.delete(head.head.size);
    earlier.delete(0);
    const sorted = [...earlier.values()].sort((a, b) => a.size - b.size);
    if ((sorted.at(-1)?.size ?? 0) > head.head.size)
      throw new GokeepError(
        'bad_bundle',
        `the tree head of ${name} that is known here is older than the one an earlier bundle gave; make the bundle on the server that made that one`,
      );
    let files = 0;
    for await (const file of database.files(head, sorted)) {
      this.#addBody(`sumdb/${name}/${file.name}`, file.body, file.name === 'supported' ? 'made' : 'log');
      this.#o.onProgress(`proving by ${name}`, ++files, 0);
    }
    return { name, vkey, head: head.head, earlier: sorted };
  }

  /** Each file twice, plain for `file://` and gzip for http, as govulncheck asks for them. */
  async #addVulndb(): Promise<Manifest['vulndb']> {
    const { vulndb } = this.#o;
    if (vulndb === undefined) return undefined;
    const check = new VulndbCheck();
    for await (const { name, body } of vulndb.files) {
      check.add(name, body);
      this.#addBody(formatBundlePath({ kind: 'vulndb', name }), body, 'vulndb');
      this.#addBody(
        formatBundlePath({ kind: 'vulndb', name: `${name}.gz` }),
        gzipDeterministic(body),
        'vulndb',
      );
    }
    const [problem] = check.finish();
    if (problem !== undefined)
      throw new GokeepError(
        'upstream_failed',
        `${vulndb.source}: the vulnerability database is not whole: ${problem}`,
      );
    return { modified: check.modified ?? '', source: vulndb.source };
  }

  async #sign(
    databases: ManifestDatabase[],
    vulndb: Manifest['vulndb'],
    signatures: CarriedSignatures,
  ): Promise<ComposedBundle> {
    const { scratch, signer, tool, since, onProgress } = this.#o;
    const manifest = { tool, base: since.at(-1)?.id, databases, vulndb };
    const signed = await signBundle(this.#composition, manifest, signer, path.join(scratch, 'entries'));
    return {
      ...signed,
      zips: this.#zips,
      mods: this.#mods,
      signatures,
      write: (o) => {
        const { bytes } = signed.manifest.entries;
        onProgress('writing', 0, bytes);
        return signed.write(o, (done) => onProgress('writing', done, bytes));
      },
      [Symbol.dispose]: () => this[Symbol.dispose](),
    };
  }

  #addBody(name: string, body: Buffer, provenance: string): void {
    const sha256 = createHash('sha256').update(body).digest('hex');
    this.#composition.add({ path: name, size: body.length, sha256, provenance, disk: null, body });
  }

  async #each(
    what: string,
    all: readonly WantedVersion[],
    work: (one: WantedVersion) => Promise<void>,
  ): Promise<void> {
    const places = new Limit(AT_ONCE);
    let done = 0;
    let failure: Error | undefined;
    if (all.length > 0) this.#o.onProgress(what, 0, all.length);
    await Promise.all(
      all.map(async (one) => {
        const leave = await places.enter(undefined);
        try {
          if (failure === undefined) await work(one);
        } catch (error) {
          failure ??= error instanceof Error ? error : new Error(String(error));
        } finally {
          leave();
          this.#o.onProgress(what, ++done, all.length);
        }
      }),
    );
    if (failure !== undefined) throw failure;
  }
}
