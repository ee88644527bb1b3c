import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { GokeepError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { diskChunks } from './chunks.ts';
import { padding, readHeader, type TarEntry } from './tar.ts';
import { oneFrame, ZSTD } from './zstd-frame.ts';

/** A file in an archive, with its bytes, which have to be taken before the next one is asked for, or are passed over. */
export interface ArchiveFile extends TarEntry {
  readonly body: AsyncGenerator<Buffer>;
}

/**
 * Names of the files that an archive lies in: the one named, or all parts of a split one, of which the first is named.
 * Throws bad_bundle where a part is missing between others. That the last one is there, only the bytes say.
 */
export function partsOf(file: string): string[] {
  if (!file.endsWith('.001')) return [file];
  const whole = file.slice(0, -4);
  const numbers = partNumbers(whole);
  const gap = numbers.findIndex((n, at) => n !== at + 1);
  if (gap >= 0)
    throw new GokeepError(
      'bad_bundle',
      `${partName(whole, gap + 1)}: is missing, while ${path.basename(partName(whole, numbers[gap] ?? 0))} is there; put all parts of the bundle into one directory`,
    );
  return numbers.length === 0 ? [file] : numbers.map((n) => partName(whole, n));
}

/** The numbers of all parts of this archive that are there, in their order. */
export function partNumbers(whole: string): number[] {
  const directory = path.dirname(whole);
  if (!existsSync(directory)) return [];
  const base = path.basename(whole);
  return readdirSync(directory)
    .filter((name) => name.startsWith(`${base}.`))
    .map((name) => ({ name, n: Number(name.slice(base.length + 1)) }))
    .filter(({ name, n }) => n > 0 && name === partName(base, n))
    .map(({ n }) => n)
    .sort((a, b) => a - b);
}

/** The name of the n-th part, n from 1 on. */
export function partName(file: string, n: number): string {
  return `${file}.${String(n).padStart(3, '0')}`;
}

/** The bytes of an archive in files, in chunks as {@link diskChunks} gives them. Throws bad_bundle where one cannot be read. */
export async function* fileChunks(file: string): AsyncGenerator<Buffer> {
  for (const part of partsOf(file)) {
    try {
      yield* diskChunks(part);
    } catch (error) {
      throw new GokeepError(
        'bad_bundle',
        `${part}: cannot be read; give the file of a bundle, or the first part of a split one`,
        { cause: error },
      );
    }
  }
}

/** Takes the compression off, if there is one. */
export async function* plainChunks(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const reader = new ByteReader(chunks);
  const start = await reader.read(ZSTD.length);
  if (!start.equals(ZSTD)) return yield* closing(reader, withStart(start, reader));
  const all = closing(reader, oneFrame(reader));
  let failed: Error | undefined;
  const source = Readable.from(all, { objectMode: false }).once('error', (error: Error) => {
    failed = error;
  });
  const inflate = createZstdDecompress({ chunkSize: 1 << 18 });
  // Listens for errors of both, and gives the source back when nobody reads on; what goes wrong is thrown below.
  pipeline(source, inflate).catch(() => undefined);
  try {
    yield* inflate as AsyncIterable<Buffer>;
  } catch (error) {
    if (failed !== undefined) throw failed;
    throw new GokeepError('bad_bundle', 'the bundle is damaged or cut off: it cannot be decompressed', {
      cause: error,
    });
  }
}

async function* withStart(start: Buffer, reader: ByteReader): AsyncGenerator<Buffer> {
  yield start;
  yield* reader.stream(Number.MAX_SAFE_INTEGER);
}

async function* closing(reader: ByteReader, bytes: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } finally {
    await reader.close();
  }
}

/** The files of an archive, in order, to its end. Throws bad_bundle where it is damaged. */
export async function* archiveFiles(chunks: AsyncIterable<Buffer>): AsyncGenerator<ArchiveFile> {
  const reader = new ByteReader(chunks);
  let before = '';
  try {
    for (;;) {
      const entry = await readHeader(reader, before);
      if (entry === undefined) return;
      before = entry.name;
      const body = wholeBody(reader, entry);
      yield { ...entry, body };
      for await (const _ of body);
      const pad = await reader.read(padding(entry.size));
      if (pad.length !== padding(entry.size) || pad.some((byte) => byte !== 0))
        throw new GokeepError('bad_bundle', `the bundle is damaged or cut off behind ${entry.name}`);
    }
  } finally {
    await reader.close();
  }
}

async function* wholeBody(reader: ByteReader, { name, size }: TarEntry): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const part of reader.stream(size)) {
    seen += part.length;
    yield part;
  }
  if (seen < size) throw new GokeepError('bad_bundle', `the bundle is cut off in ${name}`);
}
