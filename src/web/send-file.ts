import { stat } from 'node:fs/promises';
import { parseRange } from '../http/byte-range.ts';
import { PooledFiles } from '../http/pooled-file.ts';
import { isCurrent } from './answer.ts';
import type { Site, Visit } from './site.ts';

export interface SentFile {
  readonly file: string;
  /** What to call it where it is saved: letters, digits, dots and dashes. */
  readonly name: string;
  readonly contentType: string;
  readonly etag: string;
}

const files = new PooledFiles();

/** A file to be saved: whole, or from where a download broke off. */
export async function sendFile(site: Site, visit: Visit, kind: string, sent: SentFile): Promise<void> {
  const { request, response, startedAt } = visit;
  const { file, name, contentType, etag } = sent;
  const { size } = await stat(file);
  const headers = [
    'Content-Type',
    contentType,
    'Content-Disposition',
    `attachment; filename="${name}"`,
    'Content-Security-Policy',
    "default-src 'none'",
    'X-Content-Type-Options',
    'nosniff',
    'Cache-Control',
    'private, no-cache',
    'ETag',
    etag,
    'Accept-Ranges',
    'bytes',
  ];
  const finish = (status: number, bytes: number) =>
    site.exchange.finish(request, startedAt, { kind, status, bytes, from: 'none' });
  if (isCurrent(visit, etag)) {
    response.writeHead(304, headers).end();
    return finish(304, 0);
  }
  const condition = request.headers['if-range'];
  const isAsked = request.method === 'GET' && (condition === undefined || condition === etag);
  const range = isAsked ? parseRange(request.headers.range, size) : 'whole';
  if (range === 'unsatisfiable') {
    response.writeHead(416, ['Content-Range', `bytes */${size}`, 'Content-Length', '0']).end();
    return finish(416, 0);
  }
  const { first, last } = range === 'whole' ? { first: 0, last: size - 1 } : range;
  const status = range === 'whole' ? 200 : 206;
  if (status === 206) headers.push('Content-Range', `bytes ${first}-${last}/${size}`);
  response.writeHead(status, [...headers, 'Content-Length', String(last + 1 - first)]);
  const bytes = request.method === 'HEAD' ? 0 : await files.pipe(file, first, last, response);
  response.end();
  finish(status, bytes);
}
