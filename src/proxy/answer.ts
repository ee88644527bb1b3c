/** From where an answer was served; for the log line, the metrics and a response header. */
export type Origin =
  | 'memory'
  | 'store'
  | 'upstream'
  | 'cache' // a refreshable answer within its TTL
  | 'stale'; // a refreshable answer beyond it, because upstream could not be asked

/** What the proxy found. */
export type Answer =
  | {
      readonly kind: 'bytes';
      readonly body: Buffer;
      readonly origin: Origin;
      /** True for what can never change: it needs no revalidation, anywhere. */
      readonly immutable: boolean;
      /** Until when (ms since 1970) a refreshable answer may be given again without asking; absent for others. */
      readonly freshUntil?: number;
    }
  | { readonly kind: 'file'; readonly file: string; readonly size: number; readonly origin: Origin };
