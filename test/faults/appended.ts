import path from 'node:path';
import { expect } from 'vitest';
import { openNote } from '../../src/note/note.ts';
import { HighWaterMark } from '../../src/store/high-water-mark.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import { LogWriter } from '../../src/store/log-writer.ts';
import { LogEngine, type SignedHead } from '../../src/sumdb/log-engine.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { EMPTY_ROOT, recordHash } from '../../src/tlog/hash.ts';
import { parseTree } from '../../src/tlog/tree-note.ts';
import { treeHash } from '../../src/tlog/tree.ts';
import { candidate, TEST_SIGNER, TEST_VERIFIER } from '../sumdb/candidates.ts';
import { StoredLog } from '../tlog/stored-log.ts';

/** What an appender said before it ended. */
export interface Said {
  readonly heads: readonly { readonly size: number; readonly root: string; readonly note: string }[];
  /** Numbers of the candidates that it acknowledged. */
  readonly logged: readonly number[];
  /** Codes of the errors that it met. */
  readonly refused: readonly string[];
}

/** Reads an appender's output; a line that a kill cut short was not said. */
export function parseSaid(output: string): Said {
  const said = {
    heads: [] as { size: number; root: string; note: string }[],
    logged: [] as number[],
    refused: [] as string[],
  };
  for (const line of output.split('\n').slice(0, -1)) {
    const { head, logged, refused } = JSON.parse(line) as Partial<
      Record<'head', Said['heads'][number]> & Record<'logged', number> & Record<'refused', string>
    >;
    if (head !== undefined) said.heads.push(head);
    if (logged !== undefined) said.logged.push(logged);
    if (refused !== undefined) said.refused.push(refused);
  }
  return said;
}

/**
 * Recovers the log in `directory`, as the next start would, and holds it against what was said before: everything
 * acknowledged is in it, every head ever shown or stored is a prefix of it, and it goes on.
 *
 * The tree is computed anew from the records' text, in the plainest way.
 */
export async function expectRecovers(directory: string, said: Said): Promise<SignedHead> {
  const database = path.join(directory, 'log.db');
  const writer = new LogWriter(database);
  const engine = new LogEngine(
    writer,
    new HighWaterMark(path.join(directory, 'mark'), TEST_SIGNER.name),
    TEST_SIGNER,
    () => 1,
  );
  const recovered = engine.recover();
  const { outcomes, head } = engine.append([
    ...said.logged.map(candidate),
    candidate(1_000_000 + recovered.size),
  ]);
  writer.close();

  const reader = new LogReader(database);
  try {
    // Appending what was acknowledged found it: nothing of it was lost, so nothing of it was new.
    expect(outcomes.slice(0, -1).filter((outcome) => outcome.kind !== 'logged' || outcome.added)).toEqual([]);
    expect(head.size).toBe(recovered.size + 1);
    const log = new StoredLog();
    const roots = [EMPTY_ROOT.toString('hex')];
    for (const { path: name, version, zip, mod } of reader.range(0, head.size)) {
      log.append(recordHash(formatGoSumRecord(name, version, zip, mod)));
      roots.push((await treeHash(log.size, log.reader)).toString('hex'));
    }
    expect(log.size).toBe(head.size);
    const stored = reader.heads(0, 2 ** 40).map(({ size, root, note }) => ({
      size,
      root: root.toString('hex'),
      note: note?.toString() ?? 'unsigned',
    }));
    expect(stored.length).toBeGreaterThan(1);
    expect(reader.integrityProblems()).toEqual([]);
    for (const { size, root, note } of [...said.heads, ...stored]) {
      expect(root).toBe(roots[size]);
      const tree = parseTree(openNote(Buffer.from(note), [TEST_VERIFIER]).text);
      expect({ size: tree.size, root: tree.root.toString('hex') }).toEqual({ size, root });
    }
    return head;
  } finally {
    reader.close();
  }
}
