/** The zip that `git archive` writes, read back: other than a module's zip it has comments, links and no prefix. */

import yauzl from 'yauzl';
import { GokeepError } from '../errors.ts';
import type { SourceFile } from './source-tree.ts';

const UNIX = 3;
const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;

/**
 * Lists the files below a directory. Empty directories, such as those of submodules, are no files.
 *
 * @param subdirectory relative to the root, with slashes; empty for the root
 * @param subject the module and version, for errors
 * @throws bad_source
 */
export async function openArchive(
  file: string,
  subdirectory: string,
  subject: string,
): Promise<{ files: SourceFile[]; close: () => void }> {
  const prefix = Buffer.from(subdirectory === '' ? '' : `${subdirectory}/`);
  // Names as bytes: git marks them as UTF-8 only when they are, and yauzl would read the others as code page 437.
  const options = { autoClose: false, decodeStrings: false };
  const zip = await yauzl.openPromise(file, options).catch((cause: unknown) => {
    throw unreadable(subject, cause);
  });
  try {
    const files: SourceFile[] = [];
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileNameRaw;
      if (!name.subarray(0, prefix.length).equals(prefix) || name.at(-1) === 0x2f) continue;
      const relative = name.subarray(prefix.length);
      if (relative.length === 0) continue;
      files.push({
        // A name that is not UTF-8 stays one that no module may have: the replacement character is no letter.
        path: relative.toString(),
        kind: isLink(entry) ? 'symlink' : 'regular',
        size: entry.uncompressedSize,
        read: () => readEntry(zip, entry, subject),
      });
    }
    return { files, close: () => zip.close() };
  } catch (cause) {
    zip.close();
    throw unreadable(subject, cause);
  }
}

function isLink(entry: yauzl.Entry): boolean {
  const mode = entry.externalFileAttributes >>> 16;
  return entry.versionMadeBy >>> 8 === UNIX && (mode & FILE_TYPE) === SYMLINK;
}

async function* readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry, subject: string) {
  try {
    const stream = await zip.openReadStreamPromise(entry);
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (cause) {
    throw unreadable(subject, cause);
  }
}

function unreadable(subject: string, cause: unknown): GokeepError {
  return new GokeepError('bad_source', `What git made of the commit of ${subject} cannot be read.`, {
    cause,
  });
}
