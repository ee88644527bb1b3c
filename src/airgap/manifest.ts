import { createHash } from 'node:crypto';
import { GokeepError } from '../errors.ts';
import { parseVerifier } from '../note/verifier.ts';
import { parseHash } from '../tlog/hash.ts';
import type { TreeHead } from '../tlog/tree-note.ts';

/** A checksum database that a bundle has proofs of. */
export interface ManifestDatabase {
  readonly name: string;
  /** Only said, for a person: a reader trusts the keys that it was given. */
  readonly vkey: string;
  /** Every lookup in the bundle carries this head. */
  readonly head: TreeHead;
  /** The heads that earlier bundles of the chain gave, which clients may remember; smallest first. */
  readonly earlier: readonly TreeHead[];
}

/** What a bundle is: the text of a note that the log's own key signs. It says nothing of time or place, so that the same input gives the same bytes. */
export interface Manifest {
  /** There are signatures among the files, which a reader of the first version knows nothing of. */
  readonly signed: boolean;
  /** Program and version that made it. */
  readonly tool: string;
  /** Id of the bundle that this one follows on; undefined for one that stands alone. */
  readonly base: string | undefined;
  /** The list of files: how many, their bytes together, and size and SHA-256 of the list itself. */
  readonly entries: {
    readonly count: number;
    readonly bytes: number;
    readonly size: number;
    readonly sha256: string;
  };
  /** By name. */
  readonly databases: readonly ManifestDatabase[];
  /** The vulnerability database: its `modified` time, and where it was copied from. */
  readonly vulndb: { readonly modified: string; readonly source: string } | undefined;
}

const FIRST_LINE = 'gokeep bundle v1';
const FIRST_LINE_SIGNED = 'gokeep bundle v2';
/** More earlier heads than a chain of bundles will ever have. */
const MAX_LINES = 100_000;
/** Longest manifest, in bytes. */
export const MAX_MANIFEST = 16 * 2 ** 20;

/** Names a bundle, by the text of its manifest. */
export function bundleId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

export function formatManifest(m: Manifest): string {
  const head = (word: string, name: string, { size, root }: TreeHead) =>
    `${word} ${name} ${size} ${root.toString('base64')}`;
  const { count, bytes, size, sha256 } = m.entries;
  return [
    m.signed ? FIRST_LINE_SIGNED : FIRST_LINE,
    `tool ${m.tool}`,
    ...(m.base === undefined ? [] : [`base ${m.base}`]),
    `entries ${count} ${bytes} ${size} ${sha256}`,
    ...m.databases.flatMap((database) => [
      `database ${database.vkey}`,
      head('head', database.name, database.head),
      ...database.earlier.map((earlier) => head('earlier', database.name, earlier)),
    ]),
    ...(m.vulndb === undefined ? [] : [`vulndb ${m.vulndb.modified} ${m.vulndb.source}`]),
    '',
  ].join('\n');
}

/** Reads the text of an opened note, and no other spelling than ours. Throws bad_bundle. */
export function parseManifest(text: string): Manifest {
  const lines = text.split('\n', MAX_LINES);
  let tool = '';
  let base: string | undefined;
  let entries: Manifest['entries'] | undefined;
  let vulndb: Manifest['vulndb'];
  const databases: { name: string; vkey: string; head?: TreeHead; earlier: TreeHead[] }[] = [];
  const first = lines.shift();
  const signed = first === FIRST_LINE_SIGNED;
  if (!signed && first !== FIRST_LINE)
    throw malformed('it is of another kind or of a newer version of gokeep');
  for (const line of lines) {
    const [word = '', ...rest] = line.split(' ');
    const [a = '', b = '', c = '', d = ''] = rest;
    const current = databases.at(-1);
    if (word === 'tool') tool = rest.join(' ');
    else if (word === 'base') base = a;
    else if (word === 'entries') entries = { count: count(a), bytes: count(b), size: count(c), sha256: d };
    else if (word === 'database') databases.push({ ...keyOf(a), earlier: [] });
    else if (word === 'vulndb') vulndb = { modified: a, source: rest.slice(1).join(' ') };
    else if (word === 'head' && current?.name === a) current.head = headOf(b, c);
    else if (word === 'earlier' && current?.name === a) current.earlier.push(headOf(b, c));
    else if (line !== '') throw malformed(`its line ${JSON.stringify(line.slice(0, 80))} means nothing`);
  }
  if (entries === undefined) throw malformed('it does not name its files');
  const complete = databases.map(({ head, ...database }) => {
    if (head === undefined) throw malformed(`it names no head of ${database.name}`);
    return { ...database, head };
  });
  const manifest = { signed, tool, base, entries, databases: complete, vulndb };
  if (formatManifest(manifest) !== text || !isOrderly(manifest))
    throw malformed('it is not in canonical form');
  return manifest;
}

function isOrderly({ base, entries, databases }: Manifest): boolean {
  const ascending = (values: readonly (string | number)[]) =>
    values.every((value, at) => at === 0 || (values[at - 1] ?? value) < value);
  return (
    (base === undefined || /^[0-9a-f]{32}$/.test(base)) &&
    /^[0-9a-f]{64}$/.test(entries.sha256) &&
    ascending(databases.map(({ name }) => name)) &&
    databases.every(({ earlier, head }) => ascending([...earlier.map(({ size }) => size), head.size]))
  );
}

function keyOf(vkey: string): { name: string; vkey: string } {
  try {
    const { name } = parseVerifier(vkey);
    // It becomes a directory name.
    if (
      name.split('/').every((part) => part !== '' && !/^\.+$/.test(part)) &&
      /^[\x21-\x7e]+$/.test(name) &&
      !name.includes('\\')
    )
      return { name, vkey };
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
  }
  throw malformed('it names a checksum database by a key that is none');
}

function headOf(size: string, root: string): TreeHead {
  const hash = parseHash(root);
  if (hash === undefined) throw malformed('a head in it is malformed');
  return { size: count(size), root: hash };
}

function count(text: string): number {
  const value = Number(text);
  if (!/^(?:0|[1-9][0-9]*)$/.test(text) || !Number.isSafeInteger(value))
    throw malformed('a number in it is malformed');
  return value;
}

function malformed(why: string): GokeepError {
  return new GokeepError('bad_bundle', `the manifest of the bundle cannot be read: ${why}`);
}
