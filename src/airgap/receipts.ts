import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError, hasCode } from '../errors.ts';
import type { Verifier } from '../note/verifier.ts';
import { makeDirectory, syncDirectory, syncFile, writeDurablySync } from '../store/durable-file.ts';
import type { TreeHead } from '../tlog/tree-note.ts';
import { archiveFiles, fileChunks, plainChunks } from './archive.ts';
import { wholeOf } from './chunks.ts';
import { openManifest } from './bundle-reader.ts';
import { type Manifest, MAX_MANIFEST, parseManifest } from './manifest.ts';
import { plainFileIn, readable } from './plain-file.ts';
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
  readonly #data: string;
  readonly #directory: string;

  constructor(data: string) {
    this.#data = data;
    this.#directory = path.join(data, 'bundles');
  }

  has(id: string): boolean {
    return ID.test(id) && existsSync(path.join(this.#directory, id, 'manifest'));
  }

  /** Ids, in no order. */
  ids(): string[] {
    if (statSync(this.#directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    return readable(this.#directory, () => readdirSync(this.#directory)).filter((name) => this.has(name));
  }

  /** Throws bad_bundle where a file of it is missing, is no plain one, or is signed by none of `keys`. */
  read(id: string, keys: readonly Verifier[]): Receipt {
    const note = this.#note(id);
    return { ...openManifest(note, keys), note, entriesFile: this.#file(id, 'entries').file };
  }

  /** When it was kept, in milliseconds. */
  keptAt(id: string): number {
    return statSync(path.join(this.#directory, id, 'manifest')).mtimeMs;
  }

  /** What is in it, to be shown: it was signed by a key that was trusted when it was kept, whether or not it is now. Throws bad_bundle. */
  said(id: string): Pick<Receipt, 'manifest' | 'signer' | 'entriesFile'> {
    const note = this.#note(id).toString('utf8');
    const end = note.lastIndexOf('\n\n');
    const signer = /^— (\S+) /m.exec(note.slice(end + 2))?.[1] ?? '';
    return {
      manifest: parseManifest(note.slice(0, end + 1)),
      signer,
      entriesFile: this.#file(id, 'entries').file,
    };
  }

  #note(id: string): Buffer {
    const { file, size } = this.#file(id, 'manifest');
    if (size > MAX_MANIFEST) throw new GokeepError('bad_bundle', `${file}: is too large for a manifest`);
    return readable(file, () => readFileSync(file));
  }

  #file(id: string, name: 'manifest' | 'entries'): { file: string; size: number } {
    return plainFileIn(this.#data, `bundles/${id}/${name}`, path.join(this.#directory, id, name));
  }

  /** The largest head of a database that a bundle gave, of those that one of `keys` signed, without bundle `besides`. */
  newestHead(database: string, keys: readonly Verifier[], besides: string): TreeHead | undefined {
    let newest: TreeHead | undefined;
    for (const id of this.ids()) {
      if (id === besides) continue;
      const head = this.#manifest(id, keys)?.databases.find(({ name }) => name === database)?.head;
      if (head !== undefined && head.size > (newest?.size ?? 0)) newest = head;
    }
    return newest;
  }

  /** Undefined for one whose signer is not trusted any more. */
  #manifest(id: string, keys: readonly Verifier[]): Manifest | undefined {
    try {
      return this.read(id, keys).manifest;
    } catch (error) {
      if (hasCode(error, 'bad_bundle')) return undefined;
      throw error;
    }
  }

  async keep({ id, note, entriesFile }: Pick<Receipt, 'id' | 'note' | 'entriesFile'>): Promise<void> {
    if (this.has(id)) return;
    const temporary = path.join(this.#directory, `${id}.tmp`);
    await makeDirectory(this.#directory);
    // A run that was killed may have made it.
    await syncDirectory(path.dirname(this.#directory));
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

  /** The bundles that no other one here follows on, the last one that came first; the time in milliseconds. */
  tips(): { id: string; keptAt: number }[] {
    const ids = this.ids();
    const bases = new Set(ids.map((id) => this.#base(id)));
    return ids
      .filter((id) => !bases.has(id))
      .map((id) => ({ id, keptAt: this.keptAt(id) }))
      .sort((a, b) => b.keptAt - a.keptAt || (a.id < b.id ? -1 : 1));
  }

  /** A bundle and those that it follows on, as far as they are here, the oldest one first. */
  chain(id: string): string[] {
    const chain: string[] = [];
    for (let at: string | undefined = id; at !== undefined && this.has(at); at = this.#base(at))
      chain.unshift(at);
    return chain;
  }

  /** What we kept was signed by a key that was trusted then, whether or not it is now. */
  #base(id: string): string | undefined {
    const note = this.#note(id).toString('utf8');
    return parseManifest(note.slice(0, note.lastIndexOf('\n\n') + 1)).base;
  }

  /** Writes the receipts of some bundles as one archive: what the other side needs to know to make only what is new. */
  async export(ids: readonly string[], o: OutputOptions): Promise<string[]> {
    const files: WrittenFile[] = [];
    for (const id of ids) {
      for (const name of ['manifest', 'entries'] as const) {
        const { file: disk, size } = this.#file(id, name);
        files.push({ path: `bundles/${id}/${name}`, size, disk, body: null });
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
        if (size > MAX_MANIFEST) throw new GokeepError('bad_bundle', `${file}: its manifest is too large`);
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
    if (readable(entriesFile, () => digestFile(entriesFile)).sha256 !== manifest.entries.sha256)
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
