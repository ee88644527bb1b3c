import { demand, demandAll } from '../access/demand.ts';
import { trailPath } from '../audit/trail-heads.ts';
import { GokeepError, hasCode } from '../errors.ts';
import { parseLookup } from '../module/request-path.ts';
import type { ModuleProxy } from '../proxy/module-proxy.ts';
import type { Wishes } from '../proxy/wishes.ts';
import type { DatabaseReader } from '../sumdb/reader.ts';
import { DATA_LEVEL, parseTilePath, type Tile } from '../tlog/tile.ts';
import type { Asked, Handler } from './handler.ts';
import type { Reads } from './reads.ts';
import type { Label, Responder } from './respond.ts';

/** One checksum database that this server answers for. */
export interface ServedDatabase {
  /** May contain slashes. */
  readonly name: string;
  latest(o: Asked): Promise<Buffer>;
  lookup(path: string, version: string, o: Asked): Promise<Buffer>;
  tile(tile: Tile, o: Asked): Promise<Buffer>;
}

/** Our own: unknown records are admitted on lookup. */
export function ownDatabase(name: string, reader: DatabaseReader, proxy: ModuleProxy): ServedDatabase {
  const trail = trailPath(name);
  return {
    name,
    latest: () => Promise.resolve(reader.head.note),
    lookup: async (path, version, o) => {
      reader.requireHead();
      // Nobody outside has it, or is to hear of it.
      if (path === trail && reader.find(path, version) === undefined)
        throw new GokeepError(
          'not_found',
          `${path}@${version} is not on record: under this path is the audit trail of ${name}, by the numbers of its entries.`,
        );
      return reader.lookupBody(await proxy.record(path, version, o));
    },
    tile: (tile) => Promise.resolve(reader.tile(tile)),
  };
}

/** What the client of a foreign database offers (upstream/checksum-database.ts). */
interface DatabaseClient {
  latest(o: { signal: AbortSignal; offline: boolean }): Promise<Buffer>;
  lookup(
    path: string,
    version: string,
    o: { signal: AbortSignal; offline: boolean },
  ): Promise<{ body: Buffer; zip: string; mod: string }>;
  tile(tile: Tile, o: { signal: AbortSignal; offline: boolean }): Promise<Buffer>;
}

export interface ForeignDatabaseOptions {
  readonly name: string;
  readonly client: DatabaseClient;
  readonly isPrivate: (path: string) => boolean;
  readonly offline: boolean;
  /** Throws where our own record says something else than what the database has just proven. */
  readonly checkAgrees: (path: string, version: string, seen: { zip: string; mod: string }) => void;
}

/** A foreign one, proxied: verified here, remembered, and never asked about a private module. */
export function foreignDatabase(o: ForeignDatabaseOptions): ServedDatabase {
  const { name, client, isPrivate, offline, checkAgrees } = o;
  const access = (o: Asked) => ({ signal: o.signal, offline: offline || o.cachedOnly });
  return {
    name,
    latest: (o) => client.latest(access(o)),
    lookup: async (path, version, o) => {
      if (isPrivate(path)) {
        throw new GokeepError(
          'refused',
          `${path} is private, so ${name} is not asked about it. Set GOSUMDB to this gokeep's own database, which covers private modules too.`,
        );
      }
      const proven = await client.lookup(path, version, access(o));
      checkAgrees(path, version, proven);
      return proven.body;
    },
    tile: (tile, o) => client.tile(tile, access(o)),
  };
}

export interface DatabaseHandlerOptions {
  readonly databases: readonly ServedDatabase[];
  readonly responder: Responder;
  /** No shared cache may keep what is asked of this path. */
  readonly isPrivate: (path: string) => boolean;
  readonly now: () => number;
  /** Where the server answers from its store only. */
  readonly wishes: Wishes | undefined;
}

const TEXT = 'text/plain; charset=utf-8';

/** Seconds; a lookup may be stale as long as it is consistent, the newest head should be new. */
const LOOKUP_AGE = 3_600;
const LATEST_AGE = 5;
const SUPPORTED_AGE = 86_400;
/**
 * Milliseconds that a lookup is given again as it was, its head included. A head that is not the newest proves as much:
 * the go command checks that it is a prefix of the newest it has seen.
 */
const LOOKUP_KEPT = 300_000;

/** `/sumdb/<name>/{supported,latest,lookup/…,tile/…}`. */
export function databaseHandler(o: DatabaseHandlerOptions): Handler {
  const answer = async (asked: Asked, body: Buffer, keptMs: number, label: Label) => {
    const { request, response, startedAt } = asked;
    const immutable = keptMs === Number.POSITIVE_INFINITY;
    const bytes = { kind: 'bytes', body, origin: 'store', immutable, freshUntil: o.now() + keptMs } as const;
    await o.responder.send(request, response, startedAt, bytes, label);
  };
  return async (asked) => {
    // Names may hold slashes: only a configured name says where the name ends.
    const below = asked.path.slice('/sumdb/'.length);
    const database = o.databases.find(({ name }) => below.startsWith(`${name}/`));
    if (database === undefined)
      throw new GokeepError('not_found', 'this gokeep does not serve that checksum database');
    const rest = below.slice(database.name.length + 1);
    const text = (kind: string, maxAge: number, reads: Reads = 'nothing', isPrivate = false): Label => ({
      kind,
      contentType: TEXT,
      isPrivate,
      reads,
      maxAge,
    });
    if (rest === 'supported') {
      await answer(asked, Buffer.alloc(0), SUPPORTED_AGE * 1000, text('supported', SUPPORTED_AGE));
    } else if (rest === 'latest') {
      await answer(asked, await database.latest(asked), 0, text('latest_head', LATEST_AGE));
    } else if (rest.startsWith('lookup/')) {
      const { path, version } = parseLookup(rest.slice('lookup/'.length));
      demand(asked.principal, 'read', path);
      const body = await database.lookup(path, version, asked).catch((error: unknown) => {
        throw asked.cachedOnly
          ? error
          : (o.wishes?.instead(error, { kind: 'lookup', path, version }) ?? error);
      });
      await answer(asked, body, LOOKUP_KEPT, text('lookup', LOOKUP_AGE, { path }, o.isPrivate(path)));
    } else if (rest.startsWith('tile/')) {
      const tile = requestedTile(rest);
      const isData = tile.level === DATA_LEVEL;
      // Names and versions of all modules, private ones too. Hash tiles say nothing, and `go` has to have them.
      if (isData) demandAll(asked.principal, 'read');
      const label: Label = {
        kind: 'tile',
        contentType: isData ? TEXT : 'application/octet-stream',
        isPrivate: isData,
        reads: isData ? 'everything' : 'nothing',
        maxAge: 0,
      };
      await answer(asked, await database.tile(tile, asked), Number.POSITIVE_INFINITY, label);
    } else {
      throw new GokeepError(
        'not_found',
        'a checksum database has lookup, tile, latest and supported, and nothing else',
      );
    }
  };
}

/** Here a malformed tile path is the client's doing; anywhere below, a malformed tile is the database's. */
function requestedTile(path: string): Tile {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (!hasCode(error, 'bad_tile')) throw error;
    throw new GokeepError('bad_request', error.message, { cause: error });
  }
}
