import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import type { Verifier } from '../note/verifier.ts';
import { makeDirectory, syncDirectory, syncFile, writeDurablySync } from '../store/durable-file.ts';
import { archiveFiles, fileChunks, plainChunks } from './archive.ts';
import { wholeOf } from './chunks.ts';
import { openManifest } from './bundle-reader.ts';
import type { Manifest } from './manifest.ts';
import { digestFile, type OutputOptions, writeArchive, type WrittenFile } from './bundle-writer.ts';

/** A bundle that was made or imported: its manifest and its list of files, without the files. */
export interface Receipt {
  readonly id: string;
  readonly manifest: Manifest;
  /** Name of the key that signed it. */
  readonly signer: string;
  readonly note: Buffer;
  readonly entriesFile: string;
}

const ID = /^[0-9a-f]{32}$/;

/**
 * The manifests of all bundles that this server has made or imported, in `bundles/<id>/` of the data directory.
 *
 * Durable when `keep` returns: a receipt is there whole or not at all. Losing one costs that the next bundle cannot be made
 * or taken on top of it.
 */
export class Receipts {
  readonly #directory: string;

  constructor(data: string) {
    this.#directory = path.join(data, 'bundles');
  }

  has(id: string): boolean {
    return ID.test(id) && existsSync(path.join(this.#directory, id, 'manifest'));
  }

  /** Ids, in no order. */
  ids(): string[] {
    if (!existsSync(this.#directory)) return [];
    return readdirSync(this.#directory).filter((name) => this.has(name));
  }

  read(id: string, keys: readonly Verifier[]): Receipt {
    const note = readFileSync(path.join(this.#directory, id, 'manifest'));
    return { ...openManifest(note, keys), note, entriesFile: path.join(this.#directory, id, 'entries') };
  }

  async keep({ id, note, entriesFile }: Pick<Receipt, 'id' | 'note' | 'entriesFile'>): Promise<void> {
    if (this.has(id)) return;
    const temporary = path.join(this.#directory, `${id}.tmp`);
    await makeDirectory(this.#directory);
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary);
    await copyFile(entriesFile, path.join(temporary, 'entries'));
    await syncFile(path.join(temporary, 'entries'));
    writeDurablySync(path.join(temporary, 'manifest'), note);
    await syncDirectory(temporary);
    await rm(path.join(this.#directory, id), { recursive: true, force: true });
    await rename(temporary, path.join(this.#directory, id));
    await syncDirectory(this.#directory);
  }

  /** Writes all receipts as one archive: what the other side needs to know to make only what is new. */
  async export(o: OutputOptions): Promise<string[]> {
    const files: WrittenFile[] = [];
    for (const id of this.ids().sort()) {
      for (const name of ['manifest', 'entries']) {
        const disk = path.join(this.#directory, id, name);
        files.push({ path: `bundles/${id}/${name}`, size: statSync(disk).size, disk, body: null });
      }
    }
    return writeArchive(files, o, () => undefined);
  }

  /**
   * Takes the receipts out of a bundle, of an unpacked one, or of an exported archive, into `to`. Their manifests have to be
   * signed by one of `keys`. Throws bad_bundle.
   */
  static async readFrom(file: string, keys: readonly Verifier[], to: string): Promise<Receipt[]> {
    await mkdir(to, { recursive: true });
    if (existsSync(file) && statSync(file).isDirectory()) {
      const unpacked = new Receipts(file);
      return checked(
        unpacked.ids().map((id) => unpacked.read(id, keys)),
        file,
      );
    }
    const found: Receipt[] = [];
    let note: { path: string; body: Buffer } | undefined;
    for await (const { name, size, body } of archiveFiles(plainChunks(fileChunks(file)))) {
      const [, id = '', kind] = /^bundles\/([0-9a-f]{32})\/(manifest|entries)$/.exec(name) ?? [];
      if (kind === undefined) break;
      if (kind === 'manifest') {
        if (size > 16 * 2 ** 20) throw new GokeepError('bad_bundle', `${file}: its manifest is too large`);
        note = { path: id, body: await wholeOf(body, size) };
        continue;
      }
      if (note?.path !== id)
        throw new GokeepError('bad_bundle', `${file}: it holds a list of files without its manifest`);
      const entriesFile = path.join(to, `${id}.entries`);
      await writeFile(entriesFile, body);
      found.push({ ...openManifest(note.body, keys), note: note.body, entriesFile });
    }
    return checked(found, file);
  }
}

function checked(receipts: readonly Receipt[], file: string): Receipt[] {
  if (receipts.length === 0)
    throw new GokeepError(
      'bad_bundle',
      `${file}: holds no bundle; give a bundle, an unpacked one, or what \`gokeep bundle manifest\` wrote`,
    );
  for (const { manifest, entriesFile } of receipts) {
    if (digestFile(entriesFile).sha256 !== manifest.entries.sha256)
      throw new GokeepError(
        'bad_bundle',
        `${file}: a list of files in it is not the one that its manifest names`,
      );
  }
  return [...receipts];
}

/** Puts receipts into their order, from the first bundle of a chain on. Throws bad_bundle where that one is not among them. */
export function inOrder(receipts: readonly Receipt[]): Receipt[] {
  const chain = chainOf(receipts);
  const base = chain[0]?.manifest.base;
  if (base === undefined) return chain;
  throw new GokeepError(
    'bad_bundle',
    `bundle ${chain[0]?.id} follows on bundle ${base}, which was not given; give that too`,
  );
}

/**
 * Puts receipts into their order, the last one last; the first one may follow on a bundle that is not among them. Throws
 * bad_bundle where they are no chain: two that follow on the same one, or one whose base is missing in between.
 */
export function chainOf(receipts: readonly Receipt[]): Receipt[] {
  const byId = new Map(receipts.map((receipt) => [receipt.id, receipt]));
  const bases = new Set(receipts.map(({ manifest }) => manifest.base));
  const tips = [...byId.values()].filter(({ id }) => !bases.has(id));
  const chain: Receipt[] = [];
  for (let at = tips[0]; at !== undefined; at = byId.get(at.manifest.base ?? '')) chain.unshift(at);
  if (tips.length === 1 && chain.length === byId.size) return chain;
  throw new GokeepError(
    'bad_bundle',
    'the bundles given do not follow on each other; name only those of one chain',
  );
}
