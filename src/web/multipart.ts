import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { GokeepError } from '../errors.ts';
import { UPLOAD_LIMITS, uploaded, uploadedText } from '../http/upload.ts';

/** A file of a form, as it comes. */
export interface FormFile {
  readonly field: string;
  /** Throws bad_bundle where the upload breaks off, stops, or comes too slowly. */
  readonly chunks: AsyncIterable<Buffer>;
}

/** Takes a file; what was filled in before it is known by then. What it leaves unread is not read. */
export type OnFile = (file: FormFile, fields: URLSearchParams) => Promise<void>;

/** Of all fields together, in bytes: a go.sum may be long. They are in memory. */
const MOST_FIELD = 16 * 2 ** 20;
const LIMITS = {
  fieldSize: MOST_FIELD,
  fieldNameSize: 100,
  fields: 200,
  files: 8,
  parts: 210,
  headerPairs: 20,
};

/**
 * The fields of a form that was sent, and its files while they come: they may be of any size, and are in memory only as far as somebody
 * takes them.
 *
 * @throws bad_request, too_large; what `onFile` throws
 */
export async function readForm(request: IncomingMessage, onFile: OnFile): Promise<URLSearchParams> {
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data'))
    return new URLSearchParams(await uploadedText(request, MOST_FIELD, 'That is too much for a form.'));
  const fields = new URLSearchParams();
  const busboy = openBusboy(type);
  const stop = new AbortController();
  let problem: GokeepError | undefined;
  let handling: Promise<void> = Promise.resolve();
  let current: BusboyFileStream | undefined;
  let size = 0;
  busboy.on('field', (name, value, _nameTruncated, isTruncated) => {
    size += value.length;
    if (!isTruncated && size <= MOST_FIELD) return fields.append(name, value);
    problem ??= new GokeepError('too_large', 'That is too much for a form: its texts may have 16 MiB.');
    stop.abort();
  });
  const take = async (field: string, stream: BusboyFileStream) => {
    try {
      await onFile({ field, chunks: chunksOf(stream) }, fields);
    } finally {
      if (!stream.readableEnded) stop.abort();
    }
  };
  busboy.on('file', (field, stream, name: string | undefined) => {
    stream.on('error', () => undefined);
    // A browser sends an empty one where no file was chosen.
    if (name === undefined || name === '') return void stream.resume();
    current = stream;
    handling = handling.then(() => take(field, stream));
    handling.catch(() => stop.abort());
  });
  try {
    await pipeline(uploaded(request, UPLOAD_LIMITS, ended), busboy, { signal: stop.signal });
  } catch (error) {
    const cause = error instanceof GokeepError ? error : ended('is no form', error);
    // Whoever takes the file hears of it there.
    if (!stop.signal.aborted && current === undefined) throw cause;
    current?.destroy(cause);
  }
  await handling.catch((error: unknown) => {
    throw problem ?? error;
  });
  if (problem !== undefined) throw problem;
  return fields;
}

/** A whole file that is to be a text. */
export async function textOf({ chunks }: FormFile): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > MOST_FIELD) throw new GokeepError('too_large', 'The file has more than 16 MiB.');
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString();
}

function openBusboy(type: string) {
  try {
    return new Busboy({ headers: { 'content-type': type }, limits: LIMITS });
  } catch (error) {
    throw ended('is no form', error);
  }
}

async function* chunksOf(stream: BusboyFileStream): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw error instanceof GokeepError ? error : ended('broke off', error);
  }
}

function ended(how: string, cause: unknown): GokeepError {
  return new GokeepError('bad_request', `What was sent ${how}; send it again.`, { cause });
}
