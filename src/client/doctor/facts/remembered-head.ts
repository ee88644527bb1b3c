import path from 'node:path';
import { GokeepError } from '../../../errors.ts';
import { openNote } from '../../../note/note.ts';
import { parseVerifier } from '../../../note/verifier.ts';
import { parseRecord } from '../../../tlog/record.ts';
import { parseTree } from '../../../tlog/tree-note.ts';
import { parseGosumdb } from '../../../upstream/checksum-database-keys.ts';
import type { Machine } from '../machine.ts';
import type { RememberedHead, SumdbFact } from './facts.ts';

const MOST_LOOKED_AT = 200;

/** Reads GOSUMDB. */
export function readSumdb(text: string): SumdbFact {
  if (text === '') return { kind: 'off' };
  try {
    const said = parseGosumdb(text);
    if (said.off) return { kind: 'off' };
    return { kind: 'database', name: said.name, vkey: said.vkey, url: said.url };
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    return { kind: 'bad', why: error.message };
  }
}

/** The file in which go keeps the newest head it has seen of a database (modfetch dbClient.ReadConfig). */
export function headFile(gopath: string, name: string): string | undefined {
  const [first = ''] = gopath.split(path.delimiter);
  return first === '' ? undefined : path.join(first, 'pkg', 'sumdb', ...name.split('/'), 'latest');
}

/**
 * What go remembers of this machine's database. It refuses a head that another key has signed, wherever it finds one: in the file
 * of the newest, or with a lookup in the module cache.
 */
export function readRememberedHead(
  machine: Machine,
  sumdb: SumdbFact,
  { gopath, gomodcache }: { readonly gopath: string; readonly gomodcache: string },
): RememberedHead {
  if (sumdb.kind !== 'database') return { kind: 'none' };
  const file = headFile(gopath, sumdb.name);
  const newest = file === undefined ? undefined : readHead(machine, file, sumdb.vkey, (bytes) => bytes);
  if (newest?.kind === 'other key' || newest?.kind === 'garbage') return newest;
  const lookups = path.join(cachedDatabase(gomodcache, sumdb.name), 'lookup');
  for (const each of gomodcache === '' ? [] : filesBelow(machine, lookups)) {
    const cached = readHead(machine, each, sumdb.vkey, (bytes) => parseRecord(bytes).rest);
    if (cached?.kind === 'other key') return cached;
  }
  return newest ?? { kind: 'none' };
}

/** Where go keeps tiles and lookups of a database. */
export function cachedDatabase(gomodcache: string, name: string): string {
  return path.join(gomodcache, 'cache', 'download', 'sumdb', ...name.split('/'));
}

function readHead(
  machine: Machine,
  file: string,
  vkey: string,
  noteIn: (bytes: Buffer) => Buffer,
): RememberedHead | undefined {
  const state = machine.read(file);
  // go makes the file, empty, before it asks.
  if (state.kind !== 'file' || state.text === '') return undefined;
  try {
    const note = noteIn(Buffer.from(state.text));
    return { kind: 'head', file, size: parseTree(openNote(note, [parseVerifier(vkey)]).text).size, note };
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    const signedBy = [...state.text.matchAll(/^— (\S+) \S+$/gm)].map(([, name = '']) => name);
    return signedBy.length === 0 ? { kind: 'garbage', file } : { kind: 'other key', file, signedBy };
  }
}

/** Some of the files below a directory: enough to notice that all of them are of another key. */
function filesBelow(machine: Machine, directory: string): string[] {
  const files: string[] = [];
  const open = [directory];
  for (let looked = 0; open.length > 0 && looked < MOST_LOOKED_AT; looked++) {
    const at = open.pop() ?? '';
    const names = machine.list(at);
    if (names.length === 0) files.push(at);
    open.push(...names.map((name) => path.join(at, name)));
  }
  return files;
}
