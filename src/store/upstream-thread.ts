import { workerData } from 'node:worker_threads';
import { isDiskFailure, openDatabase, storageError } from './database.ts';
import { FailStop } from './fail-stop.ts';
import { type HistorySample, HistoryTable } from './history-table.ts';
import { ServedTable } from './served-table.ts';
import { type ServedNote, ServedToTable } from './served-to-table.ts';
import { answerCalls } from './thread.ts';
import { type TokenUse, TokenUseTable } from './token-use-table.ts';
import { type Wish, WishTable } from './wish-table.ts';

/** One change to what is remembered. */
export type UpstreamChange =
  | {
      readonly kind: 'head';
      readonly database: string;
      readonly from: Uint8Array | null;
      readonly to: Uint8Array;
    }
  | {
      readonly kind: 'lookup';
      readonly database: string;
      readonly path: string;
      readonly version: string;
      readonly body: Uint8Array;
    }
  | {
      readonly kind: 'tile';
      readonly database: string;
      readonly height: number;
      readonly level: number;
      readonly n: number;
      readonly width: number;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: 'answer';
      readonly key: string;
      readonly body: Uint8Array;
      readonly source: string;
      readonly fetchedAt: number;
    }
  | { readonly kind: 'wishes'; readonly wishes: readonly Wish[] }
  | { readonly kind: 'served'; readonly files: readonly ServedNote[] }
  | { readonly kind: 'token-uses'; readonly uses: readonly TokenUse[] }
  | { readonly kind: 'history'; readonly sample: HistorySample };

export type UpstreamOperations = {
  /** Applies changes in one durable transaction; says of each whether it applied (a head may have moved). */
  apply: (changes: readonly UpstreamChange[]) => boolean[];
  close: (argument: null) => void;
};

/** The thread in which what was learned from upstream, and what clients asked for, is written. */
const db = openDatabase((workerData as { database: string }).database, 'upstream');

const readHead = db.prepare<[string], Buffer>('SELECT note FROM heads WHERE database = ?').pluck();
const putHead = db.prepare('INSERT OR REPLACE INTO heads (database, note, seen_at) VALUES (?, ?, ?)');
const putLookup = db.prepare(
  'INSERT OR REPLACE INTO lookups (database, path, version, body) VALUES (?, ?, ?, ?)',
);
const putTile = db.prepare(
  'INSERT OR REPLACE INTO tiles (database, height, level, n, width, data) VALUES (?, ?, ?, ?, ?, ?)',
);
const putAnswer = db.prepare(
  'INSERT OR REPLACE INTO answers (key, body, source, fetched_at) VALUES (?, ?, ?, ?)',
);
const wishes = new WishTable(db);
const served = new ServedTable(db);
const servedTo = new ServedToTable(db);
const tokenUses = new TokenUseTable(db);
const history = new HistoryTable(db);

function advanceHead(database: string, from: Uint8Array | null, to: Uint8Array): boolean {
  const now = readHead.get(database);
  const unmoved = now === undefined ? from === null : from !== null && now.equals(from);
  if (unmoved) putHead.run(database, to, Date.now());
  return unmoved;
}

function applyOne(change: UpstreamChange): boolean {
  switch (change.kind) {
    case 'head':
      return advanceHead(change.database, change.from, change.to);
    case 'lookup':
      putLookup.run(change.database, change.path, change.version, change.body);
      break;
    case 'tile':
      putTile.run(change.database, change.height, change.level, change.n, change.width, change.data);
      break;
    case 'answer':
      putAnswer.run(change.key, change.body, change.source, change.fetchedAt);
      break;
    case 'wishes':
      wishes.add(change.wishes);
      break;
    case 'served':
      served.add(change.files);
      servedTo.add(change.files);
      break;
    case 'token-uses':
      tokenUses.add(change.uses);
      break;
    case 'history':
      history.add(change.sample);
      break;
  }
  return true;
}

const applyAll = db.transaction((changes: readonly UpstreamChange[]) => changes.map(applyOne));

/** A damaged file does not end the thread: what is remembered here can be asked for again. */
const failStop = new FailStop((error) => storageError(error, 'upstream database'), isDiskFailure);

answerCalls({
  apply: (changes) => failStop.run(() => applyAll.immediate(changes)),
  close: () =>
    failStop.close({
      checkpoint: () => db.pragma('wal_checkpoint(TRUNCATE)'),
      close: () => db.close(),
    }),
} satisfies UpstreamOperations);
