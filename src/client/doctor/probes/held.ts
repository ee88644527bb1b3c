import { formatModuleRequest } from '../../../module/request-path.ts';
import { Unreached } from '../net/failure.ts';
import { fetchLikeGo } from '../net/fetch.ts';
import { GokeepError } from '../../../errors.ts';
import type { DatabaseAsk, ModuleVersion } from './database.ts';

/** How many are asked about; each costs a request. */
const MOST_ASKED = 6;
/** What takes longer is no small download. */
const MOST_ZIP = 5 * 2 ** 20;

/** The smallest of these versions whose zip the server holds, asked by way of its store alone. */
export async function smallestHeld(
  ask: DatabaseAsk,
  versions: readonly ModuleVersion[],
): Promise<ModuleVersion | undefined> {
  const asked = await Promise.all(
    versions.slice(0, MOST_ASKED).map(async (each) => ({ each, bytes: await bytesHeld(ask, each) })),
  );
  const held = asked.filter(({ bytes }) => bytes !== undefined && bytes <= MOST_ZIP);
  return held.sort((a, b) => (a.bytes ?? 0) - (b.bytes ?? 0))[0]?.each;
}

async function bytesHeld(ask: DatabaseAsk, { path, version }: ModuleVersion): Promise<number | undefined> {
  try {
    const target = formatModuleRequest({ kind: 'zip', path, version });
    const { status, headers } = await fetchLikeGo(new URL(`${ask.base}/cached-only${target}`), ask.around, {
      method: 'HEAD',
      ...(ask.authorization === undefined ? {} : { headers: { authorization: ask.authorization } }),
    });
    const length = Number(headers['content-length']);
    return status === 200 && Number.isFinite(length) ? length : undefined;
  } catch (error) {
    if (error instanceof Unreached || error instanceof GokeepError) return undefined;
    throw error;
  }
}
