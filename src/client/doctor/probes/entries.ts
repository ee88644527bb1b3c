import type { Surroundings } from '../net/dial.ts';
import { Unreached } from '../net/failure.ts';
import { fetchLikeGo } from '../net/fetch.ts';
import type { EntryProbe } from './probed.ts';

const MOST_IDENTITY = 64 * 1024;
const MOST_NAME = 200;

/** Asks an address whether it is a gokeep; nothing that names a module is sent to it before. */
export async function probeEntry(url: string, around: Surroundings, now: () => number): Promise<EntryProbe> {
  try {
    const answer = await fetchLikeGo(new URL(`${url}/api/v1/server`), around, { most: MOST_IDENTITY });
    const date = Date.parse(answer.headers.date ?? '');
    return {
      url,
      identity: identityIn(answer.status, answer.body.toString(), answer.headers['content-type'] ?? ''),
      clockAhead: Number.isNaN(date) ? undefined : now() - date,
    };
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
    return { url, identity: { kind: 'unreached', failure: error.failure }, clockAhead: undefined };
  }
}

function identityIn(status: number, body: string, contentType: string): EntryProbe['identity'] {
  const isHtml = /html/i.test(contentType) || /^\s*<(?:!doctype|html)/i.test(body);
  const told = status === 200 ? toldIn(body) : undefined;
  return told === undefined ? { kind: 'other', status, isHtml } : { kind: 'gokeep', ...told };
}

function toldIn(body: string): { database: string; traces?: true } | undefined {
  try {
    const { program, sumdb, traces } = JSON.parse(body) as Partial<Record<string, unknown>>;
    if (program !== 'gokeep' || typeof sumdb !== 'string') return undefined;
    if (!/^[\w.:/-]+$/.test(sumdb) || sumdb.length > MOST_NAME) return undefined;
    return { database: sumdb, ...(traces === true ? { traces } : {}) };
  } catch {
    return undefined;
  }
}
