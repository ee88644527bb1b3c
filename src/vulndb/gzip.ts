import { gunzipSync, gzipSync } from 'node:zlib';
import { GokeepError } from '../errors.ts';

/** RFC 1952, section 2.3: where the header has its time (4 bytes) and the system it was made on. */
const TIME = 4;
const SYSTEM = 9;
const UNKNOWN_SYSTEM = 255;

/** Gzip without time, name or system: the same program makes the same bytes of the same input, on any machine. */
export function gzipDeterministic(body: Buffer): Buffer {
  const packed = gzipSync(body, { level: 9 });
  packed.fill(0, TIME, TIME + 4);
  packed[SYSTEM] = UNKNOWN_SYSTEM;
  return packed;
}

export function isGzip(body: Buffer): boolean {
  return body[0] === 0x1f && body[1] === 0x8b;
}

/**
 * Unpacks attacker-controlled gzip to at most `maxBytes`. What follows the end is refused, since readers differ on it: Go's
 * says that the file is broken.
 *
 * Throws bad_request, in a sentence that begins with `name`.
 */
export function gunzipCapped(name: string, packed: Buffer, maxBytes: number): Buffer {
  let buffer: Buffer;
  let read: number;
  try {
    // With `info` the answer is not only the bytes; @types/node does not know of it.
    const found = gunzipSync(packed, { maxOutputLength: maxBytes, info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    ({ buffer } = found);
    read = found.engine.bytesWritten;
  } catch (cause) {
    const tooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';
    throw new GokeepError(
      'bad_request',
      tooLarge ? `${name} unpacks to more than ${maxBytes} bytes` : `${name} is not a whole gzip file`,
      { cause },
    );
  }
  if (read !== packed.length) throw new GokeepError('bad_request', `${name} goes on after its gzip data`);
  return buffer;
}
