import type { Candidate, Outcome } from '../sumdb/log-engine.ts';
import { formatRecord } from '../tlog/record.ts';
import { GokeepError } from '../errors.ts';
import { openNote } from '../note/note.ts';
import type { Verifier } from '../note/verifier.ts';
import { parseTree } from '../tlog/tree-note.ts';
import type { ReplicaLog } from '../sumdb/replica-log.ts';
import type { DatabaseMemory } from '../upstream/database-memory.ts';
import type { RecordTarget } from './import.ts';
import type { ProvenRecords } from './proven.ts';

const PORTION = 1_000;
const ALL_TILES = 256;

/** Whoever appends to our log (sumdb/sequencer.ts). */
export interface Appender {
  add(candidate: Candidate): Promise<Outcome>;
}

/** Who has to vouch for what goes into our log. */
export interface Vouching {
  /** Name of the public database, which has to prove what is not private; undefined where none is configured. */
  readonly publicDatabase: string | undefined;
  readonly isPrivate: (path: string) => boolean;
}

/**
 * A site with a log of its own: what a bundle proves is logged here, with the bundle as evidence. A version that is on record
 * here with other hashes is a contradiction, and the bundle is refused; so is one of a public module that only the bundle's
 * maker vouches for, since our log never says of a public module what the public database does not.
 */
export function ownLogTarget(
  log: { find(path: string, version: string): { zip: string; mod: string } | undefined },
  appender: Appender,
  now: () => number,
  { publicDatabase, isPrivate }: Vouching,
): RecordTarget {
  return {
    seen: async () => [],
    check: async (proven, report) => {
      for (let at = { path: '', version: '' }; ; ) {
        const page = proven.versionsAfter(at.path, at.version, PORTION);
        const last = page.at(-1);
        if (last === undefined) return;
        at = last;
        for (const { path, version, zip, mod, databases } of page) {
          const known = log.find(path, version);
          if (known === undefined) {
            if (publicDatabase === undefined || databases.includes(publicDatabase) || isPrivate(path))
              continue;
            report(
              `${path}@${version} is a public module here, and the bundle proves it by ${databases.join(', ')} alone, not by ${publicDatabase}; add its path to private if it is yours, or make the bundle anew where ${publicDatabase} can be asked`,
            );
            continue;
          }
          if (known.zip === zip && known.mod === mod) continue;
          report(
            `SECURITY: ${path}@${version} is on record here with ${known.zip}, and the bundle proves ${zip}; find out which is right before anybody uses it`,
          );
        }
      }
    },
    commit: async (proven, bundle) => {
      for (let at = { path: '', version: '' }; ; ) {
        const page = proven.versionsAfter(at.path, at.version, PORTION);
        const last = page.at(-1);
        if (last === undefined) return;
        at = last;
        const outcomes = await Promise.all(
          page.map(({ path, version, zip, mod, databases }) =>
            appender.add({
              path,
              version,
              zip,
              mod,
              provenance: {
                source: 'imported',
                firstSeen: Math.floor(now() / 1000),
                evidence: `bundle ${bundle.id} of ${bundle.signer}, proven by ${databases.join(', ')}`,
              },
            }),
          ),
        );
        if (outcomes.some(({ kind }) => kind === 'conflict'))
          throw new GokeepError(
            'mismatch',
            'a record came in while the bundle was imported, and contradicts it; import the bundle again to see which',
          );
      }
    },
  };
}

/** A replica: what the bundle proves of the origin's log is taken as it is, under the origin's own head. */
export function replicaTarget(replica: ReplicaLog): RecordTarget {
  const { name } = replica;
  return {
    seen: async (database) => (database === name && replica.head !== undefined ? [replica.head] : []),
    check: async (proven, report) => {
      if (proven.headNote(name) === undefined)
        report(`the bundle has nothing of ${name}, which is the log that this replica follows`);
    },
    commit: async (proven, bundle) => {
      proven.settle();
      await replica.take(proven.file, `bundle ${bundle.id}`);
    },
  };
}

/** What is learned of a public database goes to where its client looks. */
export interface PublicDatabase {
  readonly verifier: Verifier;
  readonly memory: DatabaseMemory;
  /** Proves that this head and all seen before are of one tree, and remembers the newest. Offline: from remembered tiles alone. */
  readonly learn: (note: Buffer) => Promise<void>;
  readonly offline: boolean;
}

/**
 * A public database that this site proxies: lookups and tiles that a bundle brought are served as if they had been fetched.
 *
 * Without network the bundle itself has to prove that its head follows on the newest one seen here. With network that head
 * moves on at any time, and the database is asked how the two belong together.
 */
export function publicTarget({ verifier, memory, learn, offline }: PublicDatabase): RecordTarget {
  const { name } = verifier;
  return {
    seen: async (database) => {
      const note = database === name && offline ? await memory.latest() : undefined;
      return note === undefined ? [] : [parseTree(openNote(note, [verifier]).text)];
    },
    check: async (proven) => {
      const note = proven.headNote(name);
      if (note !== undefined && !offline) await learn(note);
    },
    commit: async (proven) => {
      const note = proven.headNote(name);
      if (note === undefined) return;
      await keepTiles(proven, name, memory);
      if (offline) await learn(note);
      await keepLookups(proven, name, memory, note);
    },
  };
}

async function keepTiles(proven: ProvenRecords, name: string, memory: DatabaseMemory): Promise<void> {
  for (let level = -1, n = 0; ; ) {
    const tiles = proven.tilesAfter(name, level, n, ALL_TILES);
    const last = tiles.at(-1);
    if (last === undefined) return;
    ({ level, n } = last);
    await Promise.all(tiles.map((tile) => memory.keepTile(tile, proven.tile(name, tile) ?? Buffer.alloc(0))));
  }
}

async function keepLookups(
  proven: ProvenRecords,
  name: string,
  memory: DatabaseMemory,
  note: Buffer,
): Promise<void> {
  for (let from = 0; ; ) {
    const claims = proven.claims(name, from, PORTION);
    const last = claims.at(-1);
    if (last === undefined) return;
    from = last.id + 1;
    await Promise.all(
      claims.map(({ id, path, version, text }) =>
        memory.keepLookup(path, version, Buffer.concat([formatRecord(id, text), note])),
      ),
    );
  }
}
