/**
 * Writes a module's zip, and hashes it on the way: its files in the order of their names, with the mode and the
 * time that every one has, so that the same files give the same bytes (Create of golang.org/x/mod/zip, but for
 * the order).
 */

import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';
import { Hash1 } from '../modzip/dirhash.ts';
import { MAX_ZIP } from '../modzip/file-rules.ts';
import type { SourceFile } from './source-tree.ts';
import { storageError } from './storage-error.ts';

/** What every file in every zip has. A zip tells a time without its zone: the same numbers need another moment in each. */
function fileOptions() {
  return { mtime: new Date(2000, 0, 1), forceDosTimestamp: true, mode: 0o100644 };
}

/**
 * Packs files into a new zip. On failure there is no file.
 *
 * @param files as selectFiles gives them
 * @param o.output where the zip is written; nothing may be there
 * @param o.subject `<path>@<version>`, with which all names in the zip begin
 * @returns the h1: hash of the zip, and its size in bytes
 * @throws bad_source when a file changes meanwhile; bad_zip when the zip is larger than MAX_ZIP; storage_full,
 * storage_failed; the signal's reason
 */
export async function packFiles(
  files: readonly SourceFile[],
  o: { output: string; subject: string; signal: AbortSignal | undefined },
): Promise<{ h1: string; size: number }> {
  // Open before anything can fail: a file that is created behind a failure stays.
  const handle = await open(o.output, 'wx', 0o644).catch((cause: unknown) => {
    throw storageError(o.subject, cause);
  });
  const zip = new ZipFile();
  const stream = zip.outputStream as Readable;
  const fail = (error: Error): void => {
    stream.destroy(error);
  };
  zip.on('error', fail);
  const hash = new Hash1();
  const options = fileOptions();
  for (const file of files.toSorted(byName)) {
    const name = `${o.subject}/${file.path}`;
    zip.addReadStreamLazy(name, options, (give) => {
      const content = Readable.from(hashed(file, name, hash, o.subject), { objectMode: false });
      content.on('error', fail);
      give(null, content);
    });
  }
  zip.end();
  let size = 0;
  const bounded = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > MAX_ZIP)
        throw new GokeepError('bad_zip', `The zip of ${o.subject} would be larger than ${MAX_ZIP} bytes.`);
      yield chunk;
    }
  };
  try {
    await pipeline(
      stream,
      bounded,
      handle.createWriteStream(),
      o.signal === undefined ? {} : { signal: o.signal },
    );
  } catch (cause) {
    await handle.close().catch(() => undefined);
    await rm(o.output, { force: true });
    o.signal?.throwIfAborted();
    throw cause instanceof GokeepError ? cause : storageError(o.subject, cause);
  }
  return { h1: hash.digest(), size };
}

async function* hashed(
  file: SourceFile,
  name: string,
  hash: Hash1,
  subject: string,
): AsyncGenerator<Buffer, void, undefined> {
  const sha256 = createHash('sha256');
  let size = 0;
  for await (const chunk of file.read()) {
    size += chunk.length;
    if (size > file.size) break;
    sha256.update(chunk);
    yield chunk;
  }
  if (size !== file.size)
    throw new GokeepError(
      'bad_source',
      `File ${quote(file.path)} of ${subject} changed while it was packed: try again when nothing writes to it.`,
    );
  hash.add(name, sha256.digest());
}

function byName(a: SourceFile, b: SourceFile): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}
