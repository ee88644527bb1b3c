import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

import { hasCode } from '../errors.ts';
import { readContent } from '../modzip/content.ts';
import { type Entry, findDirectory, readDirectory } from '../modzip/directory.ts';
import { type ZipSource, ZipWindow } from '../modzip/zip-source.ts';
import { licenceOf } from './licence.ts';

/** What a bill of materials says of a zip. */
export interface BilledZip {
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  /** SPDX id; undefined where it is not known. */
  readonly licence: string | undefined;
}

/** A licence is some ten kilobytes of text; what is larger is a collection of them. In bytes. */
const LARGEST_LICENCE = 256 * 1024;
/** Files and folders that speak of licences, and the one that speaks for a whole module. */
const ABOUT_LICENCES = /^(?:licen[cs]es?|copying|unlicense)(?:[._-].*)?$/i;
const LICENCE = /^(?:licen[cs]e|copying|unlicense)(?:\.(?:txt|md|rst))?$/i;

/** Reads a stored zip of a module, which was verified when it was stored. Undefined where there is none. */
export async function billedZip(file: string, path: string, version: string): Promise<BilledZip | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const sha256 = createHash('sha256');
    for await (const chunk of handle.createReadStream({
      autoClose: false,
      start: 0,
      highWaterMark: 256 * 1024,
    }))
      sha256.update(chunk as Buffer);
    const { size } = await handle.stat();
    const read = async (position: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    };
    return { sha256: sha256.digest('hex'), licence: await licenceIn({ size, read }, `${path}@${version}/`) };
  } finally {
    await handle.close();
  }
}

/** Of the one licence file in the root: where there are several, no single one is the module's. */
async function licenceIn(source: ZipSource, prefix: string): Promise<string | undefined> {
  try {
    const directory = await findDirectory(source);
    const found: Entry[] = [];
    for await (const entry of readDirectory(source, directory)) {
      const [first = ''] = entry.name.slice(prefix.length).split('/', 1);
      if (entry.name.startsWith(prefix) && ABOUT_LICENCES.test(first)) found.push(entry);
    }
    const [entry] = found;
    if (entry === undefined || found.length > 1 || entry.size > LARGEST_LICENCE) return undefined;
    if (!LICENCE.test(entry.name.slice(prefix.length))) return undefined;
    const { bytes } = await readContent(source, new ZipWindow(source), entry, directory.offset, true);
    return bytes === undefined ? undefined : licenceOf(bytes.toString('utf8'));
  } catch (error) {
    // A damaged zip is for fsck to tell; its licence is not known.
    if (hasCode(error, 'bad_zip')) return undefined;
    throw error;
  }
}
