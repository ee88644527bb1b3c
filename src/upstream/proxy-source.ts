import type { FileHandle } from 'node:fs/promises';

/** One read from below a proxy's base. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** What is read, as it begins a sentence: `Module example.com/m@v1.0.0`. */
  readonly subject: string;
  readonly maxBytes: number;
}

/**
 * Files below one GOPROXY base, by the path that follows it (`/example.com/m/@v/list`, unencoded). Both methods
 * throw not_found, gone, upstream_refused, upstream_failed, upstream_timeout, upstream_unreachable or busy.
 * Two implementations: http-source.ts and file-source.ts.
 */
export interface ProxySource {
  /** For people: no credentials, no query, no path on disk. */
  readonly display: string;
  read(path: string, options: ReadOptions): Promise<Buffer>;
  /**
   * Writes a zip to an empty file from its beginning and resolves with its length in bytes. Throws upstream_failed
   * for anything that does not begin like a zip, storage_full and storage_failed for trouble with the file.
   */
  copyZip(path: string, file: FileHandle, options: ReadOptions): Promise<number>;
  close(): Promise<void>;
}
