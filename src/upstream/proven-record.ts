import { GokeepError } from '../errors.ts';
import { parseGoSumRecord } from '../tlog/go-sum-record.ts';
import { recordHash } from '../tlog/hash.ts';
import { formatRecord, type ParsedRecord } from '../tlog/record.ts';
import { type TileReader, tileHashReader } from '../tlog/tile-reader.ts';
import { storedHashIndex } from '../tlog/tree.ts';
import type { TreeHead } from '../tlog/tree-note.ts';
import type { SignedHead } from './database-timeline.ts';

/** A record, proven to be in the tree of a signed head. */
export interface ProvenRecord {
  readonly id: number;
  readonly text: Buffer;
  /** `h1:` of the zip. */
  readonly zip: string;
  /** `h1:` of the go.mod. */
  readonly mod: string;
  /** The head that it was proven against: the newest one we had seen by then. */
  readonly head: TreeHead;
  /** The signed note of `head`. */
  readonly note: Buffer;
  /** The answer to a lookup: the record and `note`, which may be newer than the one the database sent with it. */
  readonly body: Buffer;
}

/**
 * Proves that the log of this head has the record at the place it is said to be, and reads the hashes of the module version from it.
 *
 * All but the head is attacker-controlled; the hashes are read from the text only when the text is proven (CVE-2026-56864).
 * Throws `bad_proof` where the log has another record there or none, `bad_record` where it is not this module's, and
 * what the tiles throw.
 */
export async function prove(
  path: string,
  version: string,
  { id, text }: ParsedRecord,
  { head, note }: SignedHead,
  tiles: TileReader,
): Promise<ProvenRecord> {
  if (id >= head.size) {
    throw new GokeepError('bad_proof', 'the checksum database sent a record beyond the end of its own log');
  }
  const [hash] = await tileHashReader(head, tiles)([storedHashIndex(0, id)]);
  if (hash?.equals(recordHash(text)) !== true) {
    throw new GokeepError('bad_proof', 'the checksum database sent a record that is not in its log');
  }
  const { zip, mod } = parseGoSumRecord(text, path, version);
  const body = Buffer.concat([formatRecord(id, text), note]);
  // A copy: the text lies in the answer that it came with, which may be a megabyte.
  return { id, text: Buffer.from(text), zip, mod, head, note, body };
}
