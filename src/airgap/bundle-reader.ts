import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { GokeepError, hasCode } from '../errors.ts';
import { openNote } from '../note/note.ts';
import type { Verifier } from '../note/verifier.ts';
import { type ArchiveFile, archiveFiles } from './archive.ts';
import { type BundlePath, parseBundlePath } from './bundle-path.ts';
import { wholeOf } from './chunks.ts';
import { checkOrder, type Entry, malformedLine, MAX_LINE, parseEntry } from './entry.ts';
import { bundleId, type Manifest, MAX_MANIFEST, parseManifest } from './manifest.ts';

/** A file of a bundle that is where the manifest says. Its bytes are still to be taken, and checked by that. */
export interface BundleFile {
  readonly entry: Entry;
  readonly at: BundlePath;
  /** Throws bad_bundle at the end where the bytes are not those that the manifest names. */
  readonly body: AsyncGenerator<Buffer>;
}

/** The head of a bundle: its manifest, signed by a key that is trusted. */
export interface OpenedBundle {
  readonly id: string;
  readonly manifest: Manifest;
  /** The signed note. */
  readonly note: Buffer;
  /** Name of the key that signed it. */
  readonly signer: string;
  /** Where the list of files has been put. */
  readonly entriesFile: string;
  /** The other files in order. Throws bad_bundle where one is missing, another one, or one too many. */
  files(): AsyncGenerator<BundleFile>;
  /** Gives the stream back, for who does not read the files to their end. */
  close(): Promise<void>;
}

/** Opens the note of a manifest. Throws bad_bundle where no trusted key has signed it. */
export function openManifest(
  note: Buffer,
  keys: readonly Verifier[],
): { id: string; manifest: Manifest; signer: string } {
  try {
    const { text, signatures } = openNote(note, keys);
    return { id: bundleId(text), manifest: parseManifest(text), signer: signatures[0]?.name ?? '' };
  } catch (error) {
    if (!hasCode(error, 'bad_note')) throw error;
    const by = /\n— (\S{1,200}) /.exec(note.toString('utf8'))?.[1];
    throw new GokeepError(
      'bad_bundle',
      `the manifest of the bundle is not signed by a key that is trusted here${by === undefined ? '' : ` (it says it is from ${by})`}; give the GOSUMDB key of the server that made it`,
      { cause: error },
    );
  }
}

/**
 * Reads the beginning of a bundle: nothing behind the manifest is looked at before its signature has been found good.
 * The list of files is put into `entriesFile`, so that memory does not grow with it.
 *
 * Throws bad_bundle.
 *
 * @param chunks an archive without compression
 * @param keys the manifest has to be signed by one of them
 */
export async function openBundle(
  chunks: AsyncIterable<Buffer>,
  keys: readonly Verifier[],
  entriesFile: string,
): Promise<OpenedBundle> {
  const archive = archiveFiles(chunks);
  try {
    const first = await next(archive, 'its manifest');
    const note = await small(first, MAX_MANIFEST);
    const { id, manifest, signer } = openManifest(note, keys);
    expectName(first, `bundles/${id}/manifest`);
    const list = await next(archive, 'its list of files');
    expectName(list, `bundles/${id}/entries`);
    if (list.size !== manifest.entries.size) throw notAsSaid(list.name);
    await spool(list, entriesFile, manifest.entries.sha256);
    return {
      id,
      manifest,
      note,
      signer,
      entriesFile,
      files: () => bundleFiles(archive, manifest, entriesFile),
      close: async () => void (await archive.return(undefined)),
    };
  } catch (error) {
    await archive.return(undefined);
    throw error;
  }
}

async function* bundleFiles(
  archive: AsyncGenerator<ArchiveFile>,
  manifest: Manifest,
  entriesFile: string,
): AsyncGenerator<BundleFile> {
  const databases = manifest.databases.map(({ name }) => name);
  let last = 'the list of files';
  try {
    for await (const entry of entriesIn(entriesFile, manifest)) {
      const file = await next(archive, entry.path);
      if (file.name !== entry.path)
        throw new GokeepError(
          'bad_bundle',
          `the bundle has ${file.name} behind ${last}, where its manifest has ${entry.path}`,
        );
      if (file.size !== entry.size) throw notAsSaid(entry.path);
      last = entry.path;
      yield bundleFile(entry, parseBundlePath(entry.path, databases), file.body);
    }
    const more = await archive.next();
    if (more.done !== true)
      throw new GokeepError(
        'bad_bundle',
        `the bundle has ${more.value.name}, which its manifest does not name`,
      );
  } finally {
    await archive.return(undefined);
  }
}

/** The list of files, a line at a time, checked against what the manifest says of it as a whole. Throws bad_bundle. */
export async function* entriesIn(file: string, manifest: Pick<Manifest, 'entries'>): AsyncGenerator<Entry> {
  let count = 0;
  let bytes = 0;
  let before = '';
  for await (const line of linesOf(file)) {
    const entry = parseEntry(line);
    checkOrder(before, entry.path);
    before = entry.path;
    count++;
    bytes += entry.size;
    yield entry;
  }
  if (count !== manifest.entries.count || bytes !== manifest.entries.bytes)
    throw new GokeepError(
      'bad_bundle',
      'the bundle’s list of files is not the one that its manifest describes',
    );
}

/** The file is given back however the reading ends, and no more of a line is held than one can have. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, 'latin1') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) throw malformedLine();
    yield* lines;
  }
  if (rest !== '') throw malformedLine();
}

/** A file whose bytes are held against what the manifest says of them. */
export function bundleFile(entry: Entry, at: BundlePath, body: AsyncGenerator<Buffer>): BundleFile {
  return { entry, at, body: hashed(body, entry) };
}

async function* hashed(body: AsyncGenerator<Buffer>, entry: Entry): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== entry.sha256) throw notAsSaid(entry.path);
}

async function spool(file: ArchiveFile, to: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  await using handle = await open(to, 'w');
  for await (const chunk of file.body) {
    hash.update(chunk);
    await handle.write(chunk);
  }
  if (hash.digest('hex') !== sha256) throw notAsSaid(file.name);
  await handle.datasync();
}

async function next(archive: AsyncGenerator<ArchiveFile>, wanted: string): Promise<ArchiveFile> {
  const { value, done } = await archive.next();
  if (done === true) throw new GokeepError('bad_bundle', `the bundle ends before ${wanted}`);
  return value;
}

async function small(file: ArchiveFile, max: number): Promise<Buffer> {
  if (file.size > max || !file.name.startsWith('bundles/'))
    throw new GokeepError('bad_bundle', 'this is no bundle: it does not begin with a manifest');
  return wholeOf(file.body, file.size);
}

function expectName(file: ArchiveFile, name: string): void {
  if (file.name !== name)
    throw new GokeepError('bad_bundle', `the bundle has ${file.name} where ${name} has to be`);
}

function notAsSaid(path: string): GokeepError {
  return new GokeepError('bad_bundle', `${path}: its bytes are not those that the manifest names`);
}
