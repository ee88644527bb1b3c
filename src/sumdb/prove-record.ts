import { GokeepError } from '../errors.ts';
import { openNote } from '../note/note.ts';
import type { Verifier } from '../note/verifier.ts';
import type { LoggedRecord, LogReader } from '../store/log-reader.ts';
import { formatGoSumRecord } from '../tlog/go-sum-record.ts';
import { HASH_SIZE, type Hash, recordHash } from '../tlog/hash.ts';
import { checkRecord, proveRecord } from '../tlog/proof.ts';
import { tileHashReader, type TileReader } from '../tlog/tile-reader.ts';
import { parseTree, type TreeHead } from '../tlog/tree-note.ts';

/** That a record is in the log, for somebody who has only the log's verifier key. */
export interface InclusionProof {
  readonly record: LoggedRecord;
  /** The two go.sum lines: what the leaf hash covers. */
  readonly text: Buffer;
  readonly head: TreeHead;
  /** The signed head, as it was published. */
  readonly note: Buffer;
  /** The hash nearest the leaf first. */
  readonly hashes: readonly Hash[];
}

/**
 * Proves a record against the newest published head, and verifies the proof with nothing but the verifier key.
 * Undefined when the log has no such record, or none that is published.
 *
 * Throws bad_note, bad_tile or bad_proof when the stored log is damaged.
 */
export async function proveInclusion(
  log: LogReader,
  verifier: Verifier,
  path: string,
  version: string,
): Promise<InclusionProof | undefined> {
  const published = log.publishedHead();
  const record = log.find(path, version);
  if (published === undefined || record === undefined || record.id >= published.size) return undefined;
  const { note } = published;
  const head = parseTree(openNote(note, [verifier]).text);
  const reader = tileHashReader(head, storedTiles(log));
  const hashes = await proveRecord(head.size, record.id, reader);
  const text = formatGoSumRecord(path, version, record.zip, record.mod);
  checkRecord(hashes, head.size, head.root, record.id, recordHash(text));
  return { record, text, head, note, hashes };
}

/**
 * The proof as a `.tlog-proof` file (c2sp.org/tlog-proof@v1). The record's text is its `extra` data: like all extra data
 * it proves nothing until its leaf hash has been put to the proof.
 */
export function formatTlogProof({ record, text, note, hashes }: InclusionProof): string {
  return [
    'c2sp.org/tlog-proof@v1',
    `extra ${text.toString('base64')}`,
    `index ${record.id}`,
    ...hashes.map((hash) => hash.toString('base64')),
    '',
    note.toString(),
  ].join('\n');
}

/** The tiles that are stored, as a reader of hashes takes them: it believes none of them. */
export function storedTiles(log: LogReader): TileReader {
  return {
    height: 8,
    readTiles: async (tiles) =>
      tiles.map(({ level, n, width }) => {
        const data = log.tile(level, n);
        if (data !== undefined && data.length >= width * HASH_SIZE)
          return data.subarray(0, width * HASH_SIZE);
        throw new GokeepError(
          'bad_tile',
          'a tile of the checksum database is missing or damaged; run `gokeep fsck`',
          { detail: `level ${level}, tile ${n}` },
        );
      }),
    saveTiles: () => undefined,
  };
}
