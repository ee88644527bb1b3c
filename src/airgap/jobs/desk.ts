import { randomUUID } from 'node:crypto';
import { mkdir, open, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TrailSink } from '../../audit/trail.ts';
import { GokeepError } from '../../errors.ts';
import { parseVerifier } from '../../note/verifier.ts';
import type { Actor } from '../../store/trail-entry.ts';
import type { Wish } from '../../store/wish-table.ts';
import type { BundleImport } from '../import.ts';
import { type ChildOptions, runChild } from './child-program.ts';
import type { Job, Outcome, Verified } from './job.ts';
import type { JobQueue, Running } from './job-queue.ts';
import { fileName, type MadeBundles } from './made-bundles.ts';
import { type Composed, leftOutOf, planOf, refuseMissing, verifiedOf } from './made-of.ts';
import { type InputFile, inputFiles, makeOptions, type MakeRequest } from './make-request.ts';
import type { ReceiptList } from './receipt-list.ts';

export interface DeskOptions {
  readonly queue: JobQueue;
  readonly made: MadeBundles;
  readonly receipts: ReceiptList;
  readonly importer: Pick<BundleImport, 'run'>;
  readonly trail: TrailSink;
  /** How this program is run as a command on the same data directory. */
  readonly program: {
    readonly main: URL;
    readonly args: readonly string[];
    readonly env: () => Readonly<NodeJS.ProcessEnv>;
  };
  readonly data: string;
  /** This site goes nowhere: only what is held can go into a bundle. */
  readonly offline: boolean;
  /** Whether there is a key to sign bundles with; a replica has none. */
  readonly canMake: boolean;
  /** Verifier keys whose bundles are imported. */
  readonly trusts: readonly string[];
  /** Bytes of disk that have to stay free. */
  readonly diskReserve: number;
  /** Bytes of all bundles that wait to be fetched. */
  readonly mostBytes: number;
  /** What was asked for here and is not there. */
  readonly wishes: () => Promise<readonly Wish[]>;
  readonly now: () => number;
}

/** Uploads that are taken at a time, to be looked at. */
const MOST_UPLOADS = 4;
/** Room on the disk is looked at each time that so much was written. */
const LOOK_EVERY = 64 * 2 ** 20;
const MOST_KEY = 1_000;

/** Where bundles are made, looked at and imported for who asks over the network. */
export class BundleDesk {
  readonly o: DeskOptions;
  #uploads = 0;

  constructor(options: DeskOptions) {
    this.o = options;
  }

  /**
   * Has a bundle made.
   *
   * @throws bad_request, too_large for what cannot be asked, refused where nothing is made, busy
   */
  make(request: MakeRequest, by: Actor): Job {
    const { queue, made, receipts, canMake, offline } = this.o;
    if (!canMake)
      throw new GokeepError(
        'refused',
        'a replica has no key to sign bundles with: have them made on the server that it follows',
      );
    if (offline && request.vulndb !== undefined)
      throw new GokeepError('bad_request', 'this site is offline: no vulnerability database is fetched');
    const files = inputFiles(request);
    const options = makeOptions(request, (id) => receipts.has(id));
    const asksNothing = files.length === 0 && !request.all && request.servedSince === undefined;
    if (asksNothing && request.vulndb === undefined && request.toolchains.length === 0)
      throw new GokeepError(
        'bad_request',
        'say what the bundle is for: a go.mod, a go.sum, a bill of materials, a list of module@version, or everything',
      );
    return queue.add('make', by, {
      run: (running) => this.#make(running, request, { files, options, by }),
      clear: (id) => made.dropScratch(id),
    });
  }

  /** Has a bundle checked that was made here. Throws not_found, busy. */
  verifyMade(id: string, by: Actor): Job {
    const { queue, made } = this.o;
    const found = made.find(id);
    if (found === undefined)
      throw new GokeepError('not_found', 'there is no bundle of this id here that waits to be fetched');
    return queue.add('verify', by, {
      run: (running) => this.#verify(running, made.file(found), undefined),
      clear: (job) => made.dropScratch(job),
    });
  }

  /**
   * Takes a bundle only to look at it.
   *
   * @param key GOSUMDB key of who made it, where that is none that is known here
   * @throws bad_key, busy, storage_full; what the upload throws
   */
  async verify(chunks: AsyncIterable<Buffer>, key: string | undefined, by: Actor): Promise<Job> {
    const { queue, made } = this.o;
    if (key !== undefined && key.length > MOST_KEY)
      throw new GokeepError('bad_key', 'that is too long to be a key');
    const vkey = key === undefined ? undefined : parseVerifier(key) && key;
    if (this.#uploads >= MOST_UPLOADS)
      throw new GokeepError('busy', 'other bundles are being sent here; try again when they have come');
    this.#uploads++;
    const scratch = `upload-${randomUUID()}`;
    try {
      const file = path.join(await made.scratch(scratch), 'in', 'bundle');
      await this.#receive(chunks, file);
      return queue.add('verify', by, {
        run: (running) => this.#verify(running, file, vkey),
        clear: async (job) => {
          await made.dropScratch(scratch);
          await made.dropScratch(job);
        },
      });
    } catch (error) {
      await made.dropScratch(scratch);
      throw error;
    } finally {
      this.#uploads--;
    }
  }

  /**
   * Imports a bundle as it comes.
   *
   * @param size bytes of it; 0 where nobody said
   * @returns `read` resolves once nothing more of it is read, however that came
   */
  import(
    chunks: AsyncIterable<Buffer>,
    size: number,
    by: Actor,
  ): { readonly job: Job; readonly read: Promise<void> } {
    const whole = Promise.withResolvers<void>();
    const { job, ended } = this.o.queue.begin('import', by, {
      run: async ({ signal, progress }) => {
        const counted = (async function* () {
          let done = 0;
          for await (const chunk of chunks) {
            signal.throwIfAborted();
            yield chunk;
            progress({ what: 'receiving and checking', done: (done += chunk.length), total: size });
          }
          progress({ what: 'taking over', done: 0, total: 0 });
          whole.resolve();
        })();
        return { kind: 'imported', imported: await this.o.importer.run(counted, { by }) };
      },
    });
    return { job, read: Promise.race([whole.promise, ended]) };
  }

  async #make(
    { id, signal, progress }: Running,
    request: MakeRequest,
    { files, options, by }: { files: readonly InputFile[]; options: readonly string[]; by: Actor },
  ): Promise<Outcome> {
    const { made, receipts, trail, now } = this.o;
    const scratch = await made.scratch(id);
    for (const { name, text } of files) {
      const file = path.join(scratch, 'in', name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    const output = path.join(scratch, 'out', fileName(request.compressed));
    const room = new AbortController();
    const said = await this.#run({
      args: [
        'bundle',
        'create',
        ...this.o.program.args,
        '--json',
        `--job=${scratch}`,
        `--output=${output}`,
        ...options,
        '--',
        ...files.map(({ name }) => name),
      ],
      signal: AbortSignal.any([signal, room.signal]),
      onProgress: (step) => {
        progress(step);
        if (step.what === 'writing')
          this.#makeRoom(step.total, step.done).catch((error: unknown) => room.abort(error));
      },
    });
    if (request.dryRun) return { kind: 'planned', plan: planOf(said) };
    refuseMissing(said);
    const { id: bundle, base, zips, mods, signatures, file } = said as Composed;
    const known = await receipts.find(bundle);
    const about = {
      id: bundle,
      base,
      compressed: request.compressed,
      ...file,
      madeAt: now(),
      by: by.who,
      zips,
      mods,
      signatures,
      databases: (known?.manifest.databases ?? []).map(({ name, head }) => ({
        name,
        size: head.size,
        root: head.root.toString('base64'),
      })),
      ...leftOutOf(said),
    };
    const facts = { bundle, zips, mods, signatures, base: base ?? undefined, sha256: file.sha256 };
    await trail.record({ ...by, kind: 'make', facts });
    await made.keep(scratch, about);
    return { kind: 'made', made: about };
  }

  async #verify({ id, signal, progress }: Running, file: string, vkey: string | undefined): Promise<Outcome> {
    const scratch = await this.o.made.scratch(id);
    const said = await this.#run({
      args: [
        'bundle',
        'verify',
        ...this.o.program.args,
        '--json',
        `--job=${scratch}`,
        ...(vkey === undefined ? [] : [`--key=${vkey}`]),
        '--',
        file,
      ],
      signal,
      onProgress: progress,
    });
    const verified: Verified = verifiedOf(said);
    return { kind: 'verified', verified };
  }

  #run(o: Omit<ChildOptions, 'main' | 'env'>): Promise<unknown> {
    const { main, env } = this.o.program;
    return runChild({ ...o, main, env: env() });
  }

  /** Throws storage_full where a bundle of that size is more than may wait here, or the disk has no room for what is missing of it. */
  async #makeRoom(bytes: number, written: number): Promise<void> {
    const { made, mostBytes, diskReserve, data } = this.o;
    if (bytes > mostBytes)
      throw new GokeepError(
        'storage_full',
        `the bundle has ${mebibytes(bytes)} MiB, and bundles.made_size lets ${mebibytes(mostBytes)} wait here: make it with \`gokeep bundle create\` on the server, or only what is new`,
      );
    if (written === 0) await made.prune(bytes);
    const { bavail, bsize } = await statfs(data);
    if (bavail * bsize - diskReserve < bytes - written)
      throw new GokeepError(
        'storage_full',
        `the bundle needs ${mebibytes(bytes)} MiB on the disk of the gokeep server beside its reserve, and there is less: make room, or make it of less`,
      );
  }

  async #receive(chunks: AsyncIterable<Buffer>, file: string): Promise<void> {
    const { data, diskReserve } = this.o;
    await using handle = await open(file, 'wx');
    let looked = Number.NEGATIVE_INFINITY;
    let size = 0;
    for await (const chunk of chunks) {
      if (size - looked >= LOOK_EVERY) {
        looked = size;
        const { bavail, bsize } = await statfs(data);
        if (bavail * bsize - diskReserve < LOOK_EVERY)
          throw new GokeepError(
            'storage_full',
            'the disk of the gokeep server has no room for this beside its reserve: check the bundle with `gokeep bundle verify` where it lies',
          );
      }
      await handle.writeFile(chunk);
      size += chunk.length;
    }
  }
}

const mebibytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
