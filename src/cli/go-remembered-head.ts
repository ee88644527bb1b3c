import { readFileSync } from 'node:fs';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import { openNote } from '../note/note.ts';
import type { Verifier } from '../note/verifier.ts';

/**
 * The newest tree head of a database that the go command of this machine has seen (modfetch dbClient.ReadConfig); undefined where
 * it has seen none, or one under another key.
 *
 * @param gopath GOPATH; of several directories go uses the first
 */
export function goRememberedHead(gopath: string, verifier: Verifier): Buffer | undefined {
  const [first = ''] = gopath.split(path.delimiter);
  if (first === '') return undefined;
  try {
    const note = readFileSync(path.join(first, 'pkg', 'sumdb', ...verifier.name.split('/'), 'latest'));
    openNote(note, [verifier]);
    return note;
  } catch (error) {
    // There is none, or go has put an empty file there before it asked.
    if (error instanceof GokeepError || (error instanceof Error && 'code' in error)) return undefined;
    throw error;
  }
}
