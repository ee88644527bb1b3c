import { parentPort } from 'node:worker_threads';
import { GokeepError } from '../errors.ts';
import type { PackageDocs } from '../godoc/package-docs.ts';
import { readPackage } from '../godoc/read-package.ts';
import { openZipFile } from '../store/zip-file.ts';
import { readPackageFiles } from './package-files.ts';

export interface ToDocs {
  /** The zip on disk. */
  readonly zip: string;
  /** Of the package within it, with a slash at its end. */
  readonly directory: string;
}

export type FromDocs =
  | { readonly kind: 'docs'; readonly docs: PackageDocs | undefined; readonly length: number }
  | { readonly kind: 'failed'; readonly code: GokeepError['code']; readonly message: string };

async function answer({ zip, directory }: ToDocs): Promise<FromDocs> {
  try {
    await using file = await openZipFile(zip);
    if (file === undefined) return { kind: 'docs', docs: undefined, length: 0 };
    const { files, whole, system } = await readPackageFiles(file, directory);
    if (files.length === 0) return { kind: 'docs', docs: undefined, length: 0 };
    const docs = readPackage(files, whole, `${system.os}/${system.arch}`);
    return { kind: 'docs', docs, length: JSON.stringify(docs).length };
  } catch (error) {
    if (error instanceof GokeepError) return { kind: 'failed', code: error.code, message: error.message };
    return {
      kind: 'failed',
      code: 'internal',
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

const port = parentPort;
if (port === null) throw new Error('packages are read in a worker thread only');
port.on('message', (asked: ToDocs) => {
  void answer(asked).then((said) => port.postMessage(said));
});
