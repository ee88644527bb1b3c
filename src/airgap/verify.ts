import { readFile, rm, writeFile } from 'node:fs/promises';
import { createReadStream, existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { GokeepError, hasCode } from '../errors.ts';
import type { Verifier } from '../note/verifier.ts';
import { fileChunks, plainChunks } from './archive.ts';
import { formatBundlePath } from './bundle-path.ts';
import { bundleFile, type BundleFile, entriesIn, openBundle, type OpenedBundle } from './bundle-reader.ts';
import { type BundleFacts, checkBundle, type ZipHasher } from './check.ts';
import { parseBundlePath } from './bundle-path.ts';
import { Composition } from './composition.ts';
import type { Manifest } from './manifest.ts';
import { ProvenRecords } from './proven.ts';
import { inOrder, type Receipt, Receipts } from './receipts.ts';
import { collectWanted } from './want/collect.ts';
import type { Input } from './want/input.ts';

export interface VerifyOptions {
  /** A bundle's file, or the directory that it was unpacked to. */
  readonly bundle: string;
  /** Earlier bundles of the chain. */
  readonly after: readonly string[];
  readonly signers: readonly Verifier[];
  /** Keys of checksum databases. */
  readonly databases: readonly Verifier[];
  readonly zips: ZipHasher;
  /** A directory for this job alone. */
  readonly scratch: string;
  /** What the bundle has to be complete for. */
  readonly inputs: readonly Input[];
  readonly tests: boolean;
  readonly onProgress: (files: number, bytes: number) => void;
}

export interface VerifiedBundle {
  /** Undefined, like the next three, where not even the manifest could be believed. */
  readonly id: string | undefined;
  readonly signer: string | undefined;
  readonly manifest: Manifest | undefined;
  readonly facts: BundleFacts | undefined;
  /** A sentence each; empty when all is in order. */
  readonly problems: readonly string[];
  /** How many module versions the inputs need; undefined where there were none, or that could not be found out. */
  readonly complete: number | undefined;
}

/** Checks a bundle and says all that is wrong with it. Throws for what keeps it from being looked at at all. */
export async function verifyBundle(o: VerifyOptions): Promise<VerifiedBundle> {
  const problems: string[] = [];
  let bundle: OpenedBundle | undefined;
  let facts: BundleFacts | undefined;
  let complete: number | undefined;
  using proven = new ProvenRecords(path.join(o.scratch, 'proven.db'));
  using held = new Composition(path.join(o.scratch, 'held.db'));
  try {
    const earlier = await earlierBundles(o);
    bundle = await open(o);
    const { base } = bundle.manifest;
    if (earlier.length > 0 && base !== earlier.at(-1)?.id)
      problems.push(`this bundle does not follow on the one given as earlier, but on ${base ?? 'none'}`);
    facts = await checkBundle(bundle, {
      keys: o.databases,
      proven,
      zips: o.zips,
      sink: sinkFor(o, held),
      seen: (database) =>
        earlier.flatMap(({ manifest }) =>
          manifest.databases.filter(({ name }) => name === database).map(({ head }) => head),
        ),
      report: (problem) => problems.push(problem),
      progress: o.onProgress,
    });
    for (const receipt of earlier)
      for await (const entry of entriesIn(receipt.entriesFile, receipt.manifest)) held.addBase(entry);
    if (o.inputs.length > 0) complete = await checkComplete(o, held, proven, problems);
  } catch (error) {
    if (!hasCode(error, 'bad_bundle', 'bad_note', 'bad_record', 'bad_proof', 'bad_tile')) throw error;
    problems.push(error.message);
  } finally {
    await bundle?.close();
  }
  return { id: bundle?.id, signer: bundle?.signer, manifest: bundle?.manifest, facts, problems, complete };
}

async function earlierBundles(o: VerifyOptions): Promise<Receipt[]> {
  const found: Receipt[] = [];
  for (const file of o.after)
    found.push(...(await Receipts.readFrom(file, o.signers, path.join(o.scratch, 'after'))));
  return found.length === 0 ? [] : inOrder([...new Map(found.map((each) => [each.id, each])).values()]);
}

async function open(o: VerifyOptions): Promise<OpenedBundle> {
  if (existsSync(o.bundle) && statSync(o.bundle).isDirectory()) return openDirectory(o);
  return openBundle(plainChunks(fileChunks(o.bundle)), o.signers, path.join(o.scratch, 'entries'));
}

/**
 * An unpacked bundle. Where several of a chain were unpacked over each other, the newest one's files are looked at as they
 * are; what earlier ones brought and it does not name is proven by their own manifests.
 */
async function openDirectory(o: VerifyOptions): Promise<OpenedBundle> {
  const receipts = inOrder(await Receipts.readFrom(o.bundle, o.signers, o.scratch));
  const newest = receipts.at(-1);
  if (newest === undefined) throw new GokeepError('bad_bundle', `${o.bundle}: holds no bundle`);
  if (receipts.length > 1)
    throw new GokeepError(
      'bad_request',
      `${o.bundle}: ${receipts.length} bundles were unpacked over each other; verify the bundle files, each with --after for those before it`,
    );
  return {
    ...newest,
    signer: newest.signer,
    close: async () => undefined,
    files: async function* () {
      const databases = newest.manifest.databases.map(({ name }) => name);
      for await (const entry of entriesIn(newest.entriesFile, newest.manifest)) {
        const at = parseBundlePath(entry.path, databases);
        const file = path.join(o.bundle, formatBundlePath(at));
        if (statSync(file, { throwIfNoEntry: false })?.size !== entry.size)
          throw new GokeepError(
            'bad_bundle',
            `${entry.path}: is missing, or has another size than the manifest says`,
          );
        yield bundleFile(entry, at, chunksOf(file));
      }
    },
  };
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  yield* createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
}

/** Nothing is kept but one zip at a time, and where completeness is asked for the go.mod files. */
function sinkFor(o: VerifyOptions, held: Composition) {
  let count = 0;
  const note = ({ entry }: BundleFile, body: Buffer | null) =>
    held.add({ ...entry, disk: null, body: o.inputs.length > 0 ? body : null });
  return {
    zip: async (file: BundleFile) => {
      const to = path.join(o.scratch, `${count++}.zip`);
      await writeFile(to, file.body);
      note(file, null);
      return { file: to, checked: false };
    },
    zipChecked: async (_file: BundleFile, at: string) => {
      await rm(at, { force: true });
    },
    small: async (file: BundleFile, body: Buffer) => note(file, file.at.kind === 'mod' ? body : null),
  };
}

/** Whether the bundle, on top of those before it, has all that `go` needs for the inputs. */
async function checkComplete(
  o: VerifyOptions,
  held: Composition,
  proven: ProvenRecords,
  problems: string[],
): Promise<number | undefined> {
  const has = (name: string) => held.has(name) || held.inBase(name);
  try {
    const { wanted } = await collectWanted(
      o.inputs,
      {
        mod: async (modulePath, version) => {
          const name = formatBundlePath({ kind: 'mod', path: modulePath, version });
          const body = held.body(name) ?? (await inEarlierDirectory(o, name));
          if (body !== undefined) return body;
          throw new GokeepError('not_stored', `${name} is in none of the bundles given`);
        },
        resolve: async (modulePath, query) => {
          throw new GokeepError('bad_request', `${modulePath}@${query} has to be a version here`);
        },
      },
      { tests: o.tests, concurrency: 1, signal: new AbortController().signal, progress: () => undefined },
    );
    for (const { path: modulePath, version, zip, expected = {} } of wanted) {
      for (const { database, ...record } of proven.hashes(modulePath, version))
        for (const what of ['zip', 'mod'] as const)
          if ((expected[what] ?? record[what]) !== record[what])
            problems.push(
              `SECURITY: ${modulePath}@${version}: a go.sum that was given says ${expected[what]}, ${database} says ${record[what]}`,
            );
      for (const kind of zip ? (['mod', 'zip'] as const) : (['mod'] as const)) {
        const name = formatBundlePath({ kind, path: modulePath, version });
        if (!has(name)) problems.push(`${name} is missing`);
      }
    }
    return wanted.length;
  } catch (error) {
    if (!hasCode(error, 'not_stored', 'not_found')) throw error;
    problems.push(error.message);
    return undefined;
  }
}

async function inEarlierDirectory(o: VerifyOptions, name: string): Promise<Buffer | undefined> {
  for (const directory of o.after) {
    const file = path.join(directory, name);
    if (existsSync(file)) return readFile(file);
  }
  return undefined;
}
