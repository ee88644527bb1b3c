import path from 'node:path';
import { GokeepError } from '../../../errors.ts';
import { openNote } from '../../../note/note.ts';
import { parseVerifier } from '../../../note/verifier.ts';
import { parseTree } from '../../../tlog/tree-note.ts';
import { parseGosumdb } from '../../../upstream/checksum-database-keys.ts';
import type { Machine } from '../machine.ts';
import type { RememberedHead, SumdbFact } from './facts.ts';

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

/** What go remembers of this machine's database; without reading it out loud, go refuses one that another key signed. */
export function readRememberedHead(machine: Machine, sumdb: SumdbFact, gopath: string): RememberedHead {
  if (sumdb.kind !== 'database') return { kind: 'none' };
  const file = headFile(gopath, sumdb.name);
  const state = file === undefined ? undefined : machine.read(file);
  // go makes the file, empty, before it asks.
  if (file === undefined || state?.kind !== 'file' || state.text === '') return { kind: 'none' };
  const note = Buffer.from(state.text);
  const verifier = parseVerifier(sumdb.vkey);
  try {
    return { kind: 'head', file, size: parseTree(openNote(note, [verifier]).text).size, note };
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    const signedBy = [...state.text.matchAll(/^— (\S+) \S+$/gm)].map(([, name = '']) => name);
    return signedBy.length === 0 ? { kind: 'garbage', file } : { kind: 'other key', file, signedBy };
  }
}
