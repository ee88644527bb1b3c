import { GokeepError } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';

export const ZSTD = Buffer.of(0x28, 0xb5, 0x2f, 0xfd);
const BLOCK_HEAD = 3;
const CHECKSUM = 4;
const RLE = 1;

/**
 * The bytes of the one frame that a compressed bundle is (RFC 8878, section 3.1.1). Node's decompressor ends without a word
 * at what is no frame behind one, and passes over frames that say of themselves that they are to be skipped; so the end is
 * found here, and nothing may follow it. Throws bad_bundle. Where the bytes end too early, it is for who decompresses them
 * to say so.
 *
 * @param reader is behind the magic number
 */
export async function* oneFrame(reader: ByteReader): AsyncGenerator<Buffer> {
  const first = await reader.read(1);
  const descriptor = first[0];
  if (descriptor === undefined) return yield ZSTD;
  yield Buffer.concat([ZSTD, first, await reader.read(headerSize(descriptor))]);
  for (let last = false; !last; ) {
    const head = await reader.read(BLOCK_HEAD);
    if (head.length < BLOCK_HEAD) return yield head;
    const word = head.readUIntLE(0, BLOCK_HEAD);
    last = (word & 1) === 1;
    // A block that is one byte repeated says how often, not how long it is.
    const size = ((word >> 1) & 3) === RLE ? 1 : word >> 3;
    yield Buffer.concat([head, await reader.read(size)]);
  }
  if ((descriptor & 4) !== 0) yield await reader.read(CHECKSUM);
  if ((await reader.read(1)).length > 0)
    throw new GokeepError('bad_bundle', 'the bundle holds more bytes behind its end (of what is compressed)');
}

/** Bytes between the descriptor and the first block: window, dictionary and size of the content. */
function headerSize(descriptor: number): number {
  const single = (descriptor >> 5) & 1;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const content = [single, 2, 4, 8][descriptor >> 6] ?? 0;
  return 1 - single + dictionary + content;
}
