/** One request that `go -x` has told of (cmd/go/internal/web http.go). */
export interface TracedRequest {
  readonly url: string;
  /** "200 OK", or what went wrong. */
  readonly outcome: string;
  readonly status: number | undefined;
  /** Milliseconds, where go says. */
  readonly ms: number | undefined;
}

const ENDED = /^# get (\S+): (.*?)(?: \((\d+\.\d+)s\))?$/;

/** The requests in what `go -x` writes to standard error, in the order in which they ended. */
export function tracedRequests(stderr: string): TracedRequest[] {
  return stderr.split('\n').flatMap((line) => {
    const [, url, outcome, seconds] = ENDED.exec(line.replace(/\r$/, '')) ?? [];
    if (url === undefined || outcome === undefined || !URL.canParse(url)) return [];
    const status = /^(\d{3}) /.exec(`${outcome} `)?.[1];
    return [
      {
        url,
        outcome,
        status: status === undefined ? undefined : Number(status),
        ms: seconds === undefined ? undefined : Math.round(Number(seconds) * 1000),
      },
    ];
  });
}

/** What a request was for, by the end of its address. */
export type Asked =
  | { readonly kind: 'file'; readonly path: string; readonly what: string }
  | { readonly kind: 'database'; readonly name: string; readonly what: string }
  | { readonly kind: 'repository'; readonly path: string }
  | { readonly kind: 'other' };

/**
 * Reads the target below an entry of GOPROXY, or the whole path where it is none.
 *
 * @param isHost the address is no entry of GOPROXY: a host that go asks directly
 */
export function askedFor(target: string, query: string, isHost: boolean): Asked {
  if (/(?:^|[?&])go-get=1/.test(query)) return { kind: 'repository', path: target.replace(/^\//, '') };
  const database = /^\/sumdb\/(.+?)\/(supported|latest|lookup\/.*|tile\/.*)$/.exec(target);
  if (database !== null) return { kind: 'database', name: database[1] ?? '', what: database[2] ?? '' };
  const direct = isHost ? /^\/(supported|latest|lookup\/.*|tile\/.*)$/.exec(target) : null;
  if (direct !== null) return { kind: 'database', name: '', what: direct[1] ?? '' };
  const file = /^\/(.+)\/(@v\/.+|@latest)$/.exec(target);
  if (file !== null) return { kind: 'file', path: file[1] ?? '', what: (file[2] ?? '').replace(/^@v\//, '') };
  return { kind: 'other' };
}
