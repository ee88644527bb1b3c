import { writeFile } from 'node:fs/promises';
import { signNote } from '../note/note.ts';
import type { Signer } from '../note/signer.ts';
import { formatBundlePath, SIGNATURES } from './bundle-path.ts';
import { digestFile, type OutputOptions, writeArchive, type WrittenFile } from './bundle-writer.ts';
import type { Composition } from './composition.ts';
import { formatEntry } from './entry.ts';
import { bundleId, formatManifest, type Manifest } from './manifest.ts';

/** A bundle that is decided, to the last byte, and not written yet. */
export interface SignedBundle {
  readonly id: string;
  /** The manifest, signed. */
  readonly note: Buffer;
  readonly entriesFile: string;
  readonly manifest: Manifest;
  /** Durable when it resolves; gives the names of the files written. Throws storage_failed and storage_full. */
  write(o: OutputOptions, progress: (bytes: number) => void): Promise<string[]>;
}

/** Lists what is in a bundle, in `entriesFile`, and signs for it. */
export async function signBundle(
  composition: Composition,
  about: Omit<Manifest, 'entries' | 'signed'>,
  signer: Signer,
  entriesFile: string,
): Promise<SignedBundle> {
  let count = 0;
  let bytes = 0;
  await writeFile(
    entriesFile,
    (function* () {
      for (const file of composition.files()) {
        count++;
        bytes += file.size;
        yield formatEntry(file);
      }
    })(),
  );
  const { size, sha256 } = digestFile(entriesFile);
  const databases = about.databases.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const signed = composition.pathsAfter(SIGNATURES, '', 1).length > 0;
  const manifest: Manifest = { ...about, signed, databases, entries: { count, bytes, size, sha256 } };
  const text = formatManifest(manifest);
  const id = bundleId(text);
  const note = signNote(text, [signer]);
  const files = function* (): Generator<WrittenFile> {
    yield { path: formatBundlePath({ kind: 'manifest', id }), size: note.length, disk: null, body: note };
    yield { path: formatBundlePath({ kind: 'entries', id }), size, disk: entriesFile, body: null };
    yield* composition.files();
  };
  return {
    id,
    note,
    entriesFile,
    manifest,
    write: (o, progress) => writeArchive(files(), o, progress),
  };
}
