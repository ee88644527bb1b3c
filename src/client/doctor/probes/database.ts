import { GokeepError, hasCode } from '../../../errors.ts';
import { openNote } from '../../../note/note.ts';
import { parseVerifier } from '../../../note/verifier.ts';
import { parseDataTile } from '../../../tlog/data-tile.ts';
import { tilePath } from '../../../tlog/tile.ts';
import { parseTree } from '../../../tlog/tree-note.ts';
import { ChecksumDatabase } from '../../../upstream/checksum-database.ts';
import { TransientMemory } from '../../../upstream/transient-memory.ts';
import type { Facts } from '../facts/facts.ts';
import type { Surroundings } from '../net/dial.ts';
import { Unreached } from '../net/failure.ts';
import { type Fetched, fetchLikeGo } from '../net/fetch.ts';
import type { DatabaseProbe } from './probed.ts';

export interface ModuleVersion {
  readonly path: string;
  readonly version: string;
}

/** A conversation with the database that GOSUMDB names, by way of our server. */
export interface DatabaseAsk {
  readonly base: string;
  readonly around: Surroundings;
  readonly authorization: string | undefined;
}

const TILE_WIDTH = 256;
const MOST_TILE = 4 * 2 ** 20;

/** Asks `/supported` and `/latest`, and proves that the head continues the one that go remembers here. */
export async function probeDatabase(
  ask: DatabaseAsk,
  facts: Facts,
): Promise<{ readonly probe: DatabaseProbe; readonly database: ChecksumDatabase | undefined }> {
  const { sumdb, head } = facts;
  if (sumdb.kind !== 'database')
    return {
      probe: { kind: 'not asked', why: 'GOSUMDB names no database' },
      database: undefined,
    };
  const none = (probe: DatabaseProbe) => ({ probe, database: undefined });
  try {
    const supported = await get(ask, `/sumdb/${sumdb.name}/supported`);
    if (supported.status !== 200)
      return none({ kind: 'unsupported', name: sumdb.name, status: supported.status });
    const latest = await get(ask, `/sumdb/${sumdb.name}/latest`);
    if (latest.status !== 200)
      return none({ kind: 'refused', said: `/latest answered ${latest.status}: ${wordsOf(latest)}` });
    const verifier = parseVerifier(sumdb.vkey);
    const size = sizeIn(latest.body, sumdb.vkey);
    if (typeof size !== 'number') return none(size);
    const remembered = head.kind === 'head' ? head : undefined;
    const database = new ChecksumDatabase({
      verifier,
      memory: new TransientMemory(remembered?.note),
      fetch: async (path) => {
        const answer = await get(ask, `/sumdb/${sumdb.name}${path}`, MOST_TILE);
        if (answer.status === 200) return answer.body;
        throw new GokeepError('upstream_failed', `${path} answered ${answer.status}: ${wordsOf(answer)}`);
      },
    });
    try {
      await database.learn(latest.body, { signal: new AbortController().signal });
    } catch (error) {
      if (remembered === undefined) throw error;
      if (hasCode(error, 'fork'))
        return none({ kind: 'fork', said: error.message, remembered: remembered.size, size });
      // A shorter log cannot have the tiles of a longer one.
      if (!(error instanceof GokeepError) || size >= remembered.size) throw error;
      return none({ kind: 'shrunk', remembered: remembered.size, size, agrees: false });
    }
    if (remembered !== undefined && size < remembered.size)
      return {
        probe: { kind: 'shrunk', remembered: remembered.size, size, agrees: true },
        database,
      };
    return { probe: { kind: 'proven', size, remembered: remembered?.size, lookup: undefined }, database };
  } catch (error) {
    return none(failed(error));
  }
}

/** What a proof that failed, or an answer that did not come, says of the database. */
export function failed(error: unknown): DatabaseProbe {
  if (error instanceof Unreached) return { kind: 'unreached', failure: error.failure };
  if (!(error instanceof GokeepError)) throw error;
  return { kind: error.code === 'upstream_failed' ? 'refused' : 'false', said: error.message };
}

function sizeIn(note: Buffer, vkey: string): number | DatabaseProbe {
  try {
    return parseTree(openNote(note, [parseVerifier(vkey)]).text).size;
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    const signedBy = [...note.toString().matchAll(/^— (\S+) (\S+)$/gm)].map(
      ([, name = '', signature = '']) =>
        `${name}+${Buffer.from(signature, 'base64').subarray(0, 4).toString('hex')}`,
    );
    return signedBy.length === 0 ? { kind: 'false', said: error.message } : { kind: 'other key', signedBy };
  }
}

/** The module versions of the log's last tile, the newest first; none where the reader may not see all. */
export async function newestRecords(ask: DatabaseAsk, name: string, size: number): Promise<ModuleVersion[]> {
  if (size === 0) return [];
  const n = Math.floor((size - 1) / TILE_WIDTH);
  const tile = { height: 8, level: -1, n, width: size - n * TILE_WIDTH };
  const answer = await get(ask, `/sumdb/${name}/${tilePath(tile)}`, MOST_TILE);
  if (answer.status !== 200) return [];
  return parseDataTile(answer.body, tile.width)
    .toReversed()
    .flatMap((text) => {
      const [path, version] = text.toString().split(/[ \n]/);
      return path === undefined || version === undefined ? [] : [{ path, version }];
    });
}

export function get(
  { base, around, authorization }: DatabaseAsk,
  target: string,
  most?: number,
): Promise<Fetched> {
  return fetchLikeGo(new URL(`${base}${target}`), around, {
    ...(authorization === undefined ? {} : { headers: { authorization } }),
    ...(most === undefined ? {} : { most }),
  });
}

/** The first words of an answer, for a person. */
export function wordsOf({ body }: Fetched): string {
  return body
    .toString()
    .replaceAll(/\p{C}+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
}
