/**
 * Where a record came from. Kept with it for ever.
 *
 * proven: the upstream database's signed tree contains it. computed: a private module, hashed here at first sight.
 * tofu: a public module trusted on first use, while no upstream database was configured. seeded: taken from a go.sum
 * file by the operator. imported: brought by a bundle, proven in it by the database that its evidence names. replicated: the
 * origin's own record, at its own place, in a replica's copy of the origin's log. published: a private module whose zip its
 * publisher uploaded. audit: no module, but a head of our own audit trail.
 */
export type RecordSource =
  | 'proven'
  | 'computed'
  | 'tofu'
  | 'seeded'
  | 'imported'
  | 'replicated'
  | 'published'
  | 'audit';

export const SOURCE_CODES: Readonly<Record<RecordSource, number>> = {
  proven: 1,
  computed: 2,
  tofu: 3,
  seeded: 4,
  imported: 5,
  replicated: 6,
  published: 7,
  audit: 8,
};

export interface Provenance {
  readonly source: RecordSource;
  /** Seconds since 1970. */
  readonly firstSeen: number;
  /** For example `sum.golang.org@71848828 <root>`: the head that proved it. Few distinct values: stored once each. */
  readonly evidence: string | undefined;
}

export function sourceName(code: number): RecordSource {
  for (const name of Object.keys(SOURCE_CODES) as RecordSource[])
    if (SOURCE_CODES[name] === code) return name;
  throw new RangeError(`no record source has the code ${code}`);
}

/** What was seen of a mismatch. Kept beside the records. */
export interface Incident {
  readonly at: number;
  readonly kind: string;
  readonly path: string;
  readonly version: string;
  readonly recorded: string;
  readonly seen: string;
  readonly source: string;
}

/** Row of `meta` in a replica's database: the name of the log that it holds a part of. */
export const REPLICA_OF = 'replica_of';
