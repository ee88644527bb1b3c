import { createHash } from 'node:crypto';
import { hasCode } from '../errors.ts';
import { readContent } from '../modzip/content.ts';
import { findDirectory, readDirectory } from '../modzip/directory.ts';
import { type ZipSource, ZipWindow } from '../modzip/zip-source.ts';
import { openZipFile } from '../store/zip-file.ts';
import { LicenceFile } from './licence-file.ts';
import { licenceOf } from './licence.ts';

/** What a bill of materials says of a zip. */
export interface BilledZip {
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  /** SPDX id; undefined where it is not known. */
  readonly licence: string | undefined;
}

/** Reads a stored zip of a module, which was verified when it was stored. Undefined where there is none. */
export async function billedZip(file: string, path: string, version: string): Promise<BilledZip | undefined> {
  await using zip = await openZipFile(file);
  if (zip === undefined) return undefined;
  const sha256 = createHash('sha256');
  for await (const chunk of zip.handle.createReadStream({
    autoClose: false,
    start: 0,
    highWaterMark: 256 * 1024,
  }))
    sha256.update(chunk as Buffer);
  return { sha256: sha256.digest('hex'), licence: await licenceIn(zip, `${path}@${version}/`) };
}

/** Of the one licence file in the root: where there are several, no single one is the module's. */
async function licenceIn(source: ZipSource, prefix: string): Promise<string | undefined> {
  try {
    const directory = await findDirectory(source);
    const licence = new LicenceFile();
    for await (const entry of readDirectory(source, directory))
      if (entry.name.startsWith(prefix)) licence.see(entry.name.slice(prefix.length), entry);
    const entry = licence.entry();
    if (entry === undefined) return undefined;
    const { bytes } = await readContent(source, new ZipWindow(source), entry, directory.offset, true);
    return bytes === undefined ? undefined : licenceOf(bytes.toString('utf8'));
  } catch (error) {
    // A damaged zip is for fsck to tell; its licence is not known.
    if (hasCode(error, 'bad_zip')) return undefined;
    throw error;
  }
}
