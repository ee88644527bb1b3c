import { createHash } from 'node:crypto';
import { formatBundlePath, compareBundlePaths } from '../../src/airgap/bundle-path.ts';
import { type Entry, formatEntry } from '../../src/airgap/entry.ts';
import { bundleId, formatManifest, type Manifest, type ManifestDatabase } from '../../src/airgap/manifest.ts';
import { END, formatHeader, padding } from '../../src/airgap/tar.ts';
import { signNote } from '../../src/note/note.ts';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { parseVerifier } from '../../src/note/verifier.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { recordHash } from '../../src/tlog/hash.ts';
import { formatRecord } from '../../src/tlog/record.ts';
import { treeHash } from '../../src/tlog/tree.ts';
import { formatTree, type TreeHead } from '../../src/tlog/tree-note.ts';
import { StoredLog } from '../tlog/stored-log.ts';
import { type MadeModule, makeModule } from '../world/modules.ts';

/** A checksum database with its own key, which signs whatever a test wants. */
export class SigningDatabase {
  readonly name: string;
  readonly skey: string;
  readonly vkey: string;
  readonly #log = new StoredLog();
  readonly #texts: Buffer[] = [];

  constructor(name: string, seed: number) {
    this.name = name;
    ({ skey: this.skey, vkey: this.vkey } = generateKey(name, Buffer.alloc(32, seed)));
  }

  get verifier() {
    return parseVerifier(this.vkey);
  }

  add(text: string | Buffer): number {
    this.#log.append(recordHash(Buffer.from(text)));
    return this.#texts.push(Buffer.from(text)) - 1;
  }

  addModule({ path, version, h1 }: Pick<MadeModule, 'path' | 'version' | 'h1'>): number {
    return this.add(formatGoSumRecord(path, version, h1.zip, h1.mod));
  }

  fill(count: number, word = 'other'): this {
    for (let n = 0; n < count; n++) this.add(`${word} ${n}\n`);
    return this;
  }

  async head(size = this.#log.size): Promise<TreeHead> {
    return { size, root: await treeHash(size, this.#log.reader) };
  }

  note(head: TreeHead): Buffer {
    return signNote(formatTree(head), [parseSigner(this.skey)]);
  }

  lookup(id: number, note: Buffer, text = this.#texts[id]!): Buffer {
    return Buffer.concat([formatRecord(id, text), note]);
  }

  /** Every tile of hashes of the tree of this size. */
  *tiles(size = this.#log.size): Generator<[string, Buffer]> {
    for (let level = 0; size >= 256 ** level; level++) {
      const all = Math.floor(size / 256 ** level);
      for (let n = 0; n * 256 < all; n++) {
        const tile = { height: 8, level, n, width: Math.min(256, all - n * 256) };
        yield [formatBundlePath({ kind: 'tile', database: this.name, tile }), this.#log.tileData(tile)];
      }
    }
  }

  /** Puts its head, tiles and lookups among the files of a bundle, and gives what the manifest says of it. */
  async addTo(
    files: Map<string, Buffer>,
    lookups: Readonly<Record<string, number>>,
    earlier: readonly TreeHead[] = [],
  ): Promise<ManifestDatabase> {
    const head = await this.head();
    const note = this.note(head);
    const { name: database, vkey } = this;
    files.set(formatBundlePath({ kind: 'supported', database }), Buffer.alloc(0));
    files.set(formatBundlePath({ kind: 'head', database }), note);
    for (const [subject, id] of Object.entries(lookups)) {
      const [path = '', version = ''] = subject.split('@');
      files.set(formatBundlePath({ kind: 'lookup', database, path, version }), this.lookup(id, note));
    }
    for (const [name, body] of this.tiles()) files.set(name, body);
    return { name: database, vkey, head, earlier };
  }
}

/** What a bundle is made of, before it is signed. A test changes it to make a bundle that is signed and lies. */
export interface Ingredients {
  readonly files: Map<string, Buffer>;
  databases: ManifestDatabase[];
  base?: string;
  /** Signs the manifest; the key of the first database otherwise. */
  skey: string;
}

export interface Member {
  name: string;
  body: Buffer;
  /** Instead of the header that we write. */
  header?: Buffer;
}

export interface Packed {
  readonly id: string;
  readonly members: readonly Member[];
  readonly bytes: Buffer;
}

/** The bytes of an archive of these files, the end blocks included. */
export function archive(members: readonly Member[]): Buffer {
  return Buffer.concat([
    ...members.flatMap(({ name, body, header }) => [
      header ?? formatHeader({ name, size: body.length }),
      body,
      Buffer.alloc(padding(body.length)),
    ]),
    END,
  ]);
}

/** Signs and packs; `entries` and `manifest` change what is signed. */
export function pack(
  o: Ingredients,
  change: {
    readonly entries?: (entries: Entry[]) => Entry[];
    readonly manifest?: (manifest: Manifest) => Manifest;
  } = {},
): Packed {
  const names = [...o.files.keys()].sort(compareBundlePaths);
  const made: Entry[] = names.map((path) => {
    const body = o.files.get(path)!;
    const sha256 = createHash('sha256').update(body).digest('hex');
    return { path, size: body.length, sha256, provenance: 'log' };
  });
  const entries = change.entries?.(made) ?? made;
  const list = Buffer.from(entries.map(formatEntry).join(''));
  const manifest: Manifest = {
    signed: names.some((name) => name.startsWith('signatures/')),
    tool: 'gokeep test',
    base: o.base,
    entries: {
      count: entries.length,
      bytes: entries.reduce((sum, { size }) => sum + size, 0),
      size: list.length,
      sha256: createHash('sha256').update(list).digest('hex'),
    },
    databases: o.databases.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    vulndb: undefined,
  };
  const text = formatManifest(change.manifest?.(manifest) ?? manifest);
  const id = bundleId(text);
  const members: Member[] = [
    { name: `bundles/${id}/manifest`, body: signNote(text, [parseSigner(o.skey)]) },
    { name: `bundles/${id}/entries`, body: list },
    ...entries.map(({ path }) => ({ name: path, body: o.files.get(path) ?? Buffer.alloc(0) })),
  ];
  return { id, members, bytes: archive(members) };
}

export const MAIN = 'example.test/tree';
export const LEAF = 'example.test/leaf';

/** A good bundle with two modules and two databases, one of which signs it; fresh each time, to be spoilt. */
export async function ingredients(): Promise<
  Ingredients & { own: SigningDatabase; second: SigningDatabase; modules: MadeModule[] }
> {
  const own = new SigningDatabase('own.test/sumdb', 1).fill(270);
  const second = new SigningDatabase('public.test', 2).fill(3);
  const modules = [
    await makeModule({ path: LEAF, version: 'v1.0.0' }),
    await makeModule({ path: MAIN, version: 'v1.1.0', require: { [LEAF]: 'v1.0.0' } }),
  ];
  const files = new Map<string, Buffer>();
  const ids: [Record<string, number>, Record<string, number>] = [{}, {}];
  for (const made of modules) {
    const { path, version, info, mod, zip } = made;
    for (const [at, database] of [own, second].entries())
      ids[at]![`${path}@${version}`] = database.addModule(made);
    files.set(formatBundlePath({ kind: 'info', path, version }), Buffer.from(info));
    files.set(formatBundlePath({ kind: 'mod', path, version }), Buffer.from(mod));
    files.set(formatBundlePath({ kind: 'zip', path, version }), zip);
    files.set(formatBundlePath({ kind: 'list', path }), Buffer.from(`${version}\n`));
    files.set(formatBundlePath({ kind: 'latest', path }), Buffer.from(info));
  }
  const databases = [await own.addTo(files, ids[0]), await second.addTo(files, ids[1])];
  return { files, databases, skey: own.skey, own, second, modules };
}
