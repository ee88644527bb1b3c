import { existsSync, statSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError, hasCode } from '../errors.ts';
import type { Verifier } from '../note/verifier.ts';
import type { SigningRule } from '../signing/rule.ts';
import { fileChunks, plainChunks } from './archive.ts';
import { formatBundlePath } from './bundle-path.ts';
import { type BundleFile, entriesIn, openBundle, type OpenedBundle } from './bundle-reader.ts';
import { type BundleFacts, checkBundle, NO_FACTS, type ZipHasher } from './check.ts';
import { Composition } from './composition.ts';
import type { Manifest } from './manifest.ts';
import { type ProvenAlone, ProvenRecords } from './proven.ts';
import { inOrder, type Receipt, Receipts } from './receipts.ts';
import { UnpackedBundles } from './unpacked.ts';
import { keptZip, type SignatureFacts, verifySignatures } from './verify-signatures.ts';
import { collectWanted } from './want/collect.ts';
import type { Input } from './want/input.ts';

export interface VerifyOptions {
  /** A bundle's file, or the directory that it, and others of its chain, were unpacked to. */
  readonly bundle: string;
  /** Earlier bundles of the chain. */
  readonly after: readonly string[];
  readonly signers: readonly Verifier[];
  /** Keys of checksum databases. */
  readonly databases: readonly Verifier[];
  readonly zips: ZipHasher;
  /** Of the site that the bundle is for, where they are known. */
  readonly rules: readonly SigningRule[];
  /** A directory for this job alone. */
  readonly scratch: string;
  /** What the bundle has to be complete for. */
  readonly inputs: readonly Input[];
  readonly tests: boolean;
  readonly onProgress: (files: number, bytes: number) => void;
}

export interface VerifiedBundle {
  /** Undefined, like the next two, where not even the manifest could be believed. */
  readonly id: string | undefined;
  readonly signer: string | undefined;
  readonly manifest: Manifest | undefined;
  /** The bundles looked at, the oldest first: several where they were unpacked over each other. */
  readonly chain: readonly string[];
  /** Undefined where the bundle could not be read to its end. */
  readonly facts: BundleFacts | undefined;
  /** Undefined where they were not looked at, since there were problems before. */
  readonly signatures: SignatureFacts | undefined;
  /** Databases that alone prove some module versions: how many, and one of them. */
  readonly alone: readonly ProvenAlone[];
  /** A sentence each; empty when all is in order. */
  readonly problems: readonly string[];
  /** How many module versions the inputs need; undefined where there were none, or that could not be found out. */
  readonly complete: number | undefined;
}

/** Checks a bundle and says all that is wrong with it. Throws for what keeps it from being looked at at all. */
export async function verifyBundle(o: VerifyOptions): Promise<VerifiedBundle> {
  await using cleanup = new AsyncDisposableStack();
  const held = cleanup.use(new Composition(path.join(o.scratch, 'held.db')));
  const problems = new Set<string>();
  let looked: Looked | undefined;
  let facts: BundleFacts | undefined;
  let complete: number | undefined;
  let signatures: SignatureFacts | undefined;
  let alone: ProvenAlone[] = [];
  try {
    const given = await earlierBundles(o);
    looked = await open(o, cleanup);
    const { chain } = looked;
    const earlier = given.filter(({ id }) => !chain.some((each) => each.id === id));
    const base = chain[0]?.manifest.base;
    if (earlier.length > 0 && base !== earlier.at(-1)?.id)
      problems.add(`this bundle does not follow on the one given as earlier, but on ${base ?? 'none'}`);
    const checked = await checkEach(o, looked, { earlier, held, problems, cleanup });
    for (const receipt of earlier)
      for await (const entry of entriesIn(receipt.entriesFile, receipt.manifest)) held.addBase(entry);
    if (problems.size === 0) {
      const about = { ...o, held, hasBase: base !== undefined };
      signatures = await verifySignatures(about, (problem) => void problems.add(problem));
    }
    if (o.inputs.length > 0) complete = await checkComplete(o, held, checked.proven, problems);
    alone = checked.proven.provenAlone();
    ({ facts } = checked);
  } catch (error) {
    if (!hasCode(error, 'bad_bundle', 'bad_note', 'bad_record', 'bad_proof', 'bad_tile')) throw error;
    problems.add(error.message);
  }
  const { id, signer, manifest } = looked?.chain.at(-1) ?? {};
  const chain = looked?.chain.map((each) => each.id) ?? [];
  return { id, signer, manifest, chain, facts, signatures, alone, problems: [...problems], complete };
}

/** What is to be looked at: one bundle, or those of one chain in a directory. */
interface Looked {
  /** The oldest one first. */
  readonly chain: readonly Pick<Receipt, 'id' | 'signer' | 'manifest'>[];
  /** The newest one first, each to be read before the next. */
  bundles(report: (problem: string) => void): AsyncIterable<OpenedBundle> | Iterable<OpenedBundle>;
}

async function open(o: VerifyOptions, cleanup: AsyncDisposableStack): Promise<Looked> {
  if (existsSync(o.bundle) && statSync(o.bundle).isDirectory())
    return cleanup.use(await UnpackedBundles.open(o.bundle, o.signers, o.scratch));
  const entriesFile = path.join(o.scratch, 'entries');
  const bundle = await openBundle(plainChunks(fileChunks(o.bundle)), o.signers, entriesFile);
  cleanup.defer(() => bundle.close());
  return { chain: [bundle], bundles: () => [bundle] };
}

async function checkEach(
  o: VerifyOptions,
  looked: Looked,
  to: { earlier: Receipt[]; held: Composition; problems: Set<string>; cleanup: AsyncDisposableStack },
): Promise<{ facts: BundleFacts; proven: ProvenRecords }> {
  const report = (problem: string) => void to.problems.add(problem);
  const before = [...to.earlier, ...looked.chain.slice(0, -1)].flatMap(({ manifest }) => manifest.databases);
  const sink = sinkFor(o, to.held);
  let facts = NO_FACTS;
  // A module's file may be proven by what a newer bundle has proven: lookups are replaced as files are.
  let proven: ProvenRecords | undefined;
  for await (const bundle of looked.bundles(report)) {
    const done = facts;
    const isNewest = proven === undefined;
    proven = to.cleanup.use(new ProvenRecords(path.join(o.scratch, `proven-${bundle.id}.db`), proven));
    const { zips, mods, signatures } = await checkBundle(bundle, {
      keys: o.databases,
      proven,
      zips: o.zips,
      sink,
      seen: (database) =>
        isNewest
          ? before.filter(({ name, head }) => name === database && head.size > 0).map(({ head }) => head)
          : [],
      report,
      progress: (files, bytes) => o.onProgress(done.files + files, done.bytes + bytes),
    });
    const { count, bytes } = to.held.totals();
    facts = {
      files: count,
      bytes,
      zips: done.zips + zips,
      mods: done.mods + mods,
      signatures: done.signatures + signatures,
    };
  }
  if (proven === undefined) throw new GokeepError('bad_bundle', `${o.bundle}: holds no bundle`);
  return { facts, proven };
}

async function earlierBundles(o: VerifyOptions): Promise<Receipt[]> {
  const found: Receipt[] = [];
  for (const file of o.after)
    found.push(...(await Receipts.readFrom(file, o.signers, path.join(o.scratch, 'after'))));
  return found.length === 0 ? [] : inOrder([...new Map(found.map((each) => [each.id, each])).values()]);
}

/** Nothing is kept but one zip at a time, signatures with the zips that rules are for, and where completeness is asked for the go.mod files. */
function sinkFor(o: VerifyOptions, held: Composition) {
  let count = 0;
  const note = ({ entry }: BundleFile, body: Buffer | null) => {
    // Of an older bundle that lies beneath, a tile comes once more.
    if (!held.has(entry.path)) held.add({ ...entry, disk: null, body });
  };
  return {
    zip: async (file: BundleFile) => {
      const to = path.join(o.scratch, `${count++}.zip`);
      await writeFile(to, file.body);
      note(file, null);
      return { file: to, checked: false };
    },
    zipChecked: async (file: BundleFile, at: string) => {
      const kept = keptZip(file, o);
      if (kept === undefined) await rm(at, { force: true });
      else await rename(at, kept);
    },
    small: async (file: BundleFile, body: Buffer) => note(file, isReadAgain(o, file) ? body : null),
  };
}

function isReadAgain({ inputs }: VerifyOptions, { at }: BundleFile): boolean {
  return at.kind === 'signature' || (at.kind === 'mod' && inputs.length > 0);
}

/** Whether the bundle, on top of those before it, has all that `go` needs for the inputs. */
async function checkComplete(
  o: VerifyOptions,
  held: Composition,
  proven: ProvenRecords,
  problems: Set<string>,
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
            problems.add(
              `SECURITY: ${modulePath}@${version}: a go.sum that was given says ${expected[what]}, ${database} says ${record[what]}`,
            );
      for (const kind of zip ? (['mod', 'zip'] as const) : (['mod'] as const)) {
        const name = formatBundlePath({ kind, path: modulePath, version });
        if (!has(name)) problems.add(`${name} is missing`);
      }
    }
    return wanted.length;
  } catch (error) {
    if (!hasCode(error, 'not_stored', 'not_found')) throw error;
    problems.add(error.message);
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
