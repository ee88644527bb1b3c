import { makeToken } from '../access/new-token.ts';
import { EVERY_PATH } from '../access/principal.ts';
import { tokenEnded, tokenMade } from '../audit/token-events.ts';
import type { Config } from '../config/load.ts';
import { TokenWriter } from '../store/token-table.ts';
import { recordLocally } from './local-trail.ts';
import { tokensFile } from './token.ts';

export interface OwnCredentials extends Disposable {
  /** For requests to the server of this data directory; empty where it asks for none. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A command that takes longer is one that was killed. */
const LIFETIME_MS = 24 * 3_600_000;

/**
 * Credentials of a command for the server that uses the same data directory: who may write there can make himself a token
 * anyway. It is taken back at the end, and expires where the command does not get there.
 */
export function ownCredentials(config: Config): OwnCredentials {
  if (!config.access.required) return { headers: {}, [Symbol.dispose]: () => undefined };
  const every = [EVERY_PATH];
  const grants = { read: every, publish: [], admin: every };
  const { token, stored } = makeToken(undefined, grants, Date.now() + LIFETIME_MS);
  const writer = new TokenWriter(tokensFile(config));
  const named = { ...stored, name: `command-${stored.id}` };
  writer.add(named, () => recordLocally(config, tokenMade(named)));
  let isTaken = false;
  const takeBack = () => {
    if (isTaken) return;
    isTaken = true;
    process.off('exit', takeBack);
    // First: a disk that is full keeps nobody from ending what only this command may use.
    writer.remove(named.id);
    writer[Symbol.dispose]();
    recordLocally(config, tokenEnded('removed', named));
  };
  // A command that is told to end does not come to its end.
  process.on('exit', takeBack);
  return {
    headers: { authorization: `Bearer ${token}` },
    [Symbol.dispose]: takeBack,
  };
}
