import { GokeepError } from '../errors.ts';
import { parseVerifier } from '../note/verifier.ts';
import type { Settings } from './schema.ts';
import { type Environment, variable } from './variable.ts';

/** The keys whose bundles may be imported. Throws bad_config for one that is no verifier key. */
export function trustedKeys(settings: Settings): string[] {
  const trust = settings.bundles?.trust ?? [];
  for (const [at, vkey] of trust.entries()) {
    try {
      parseVerifier(vkey);
    } catch (error) {
      if (!(error instanceof GokeepError)) throw error;
      throw new GokeepError('bad_config', `bundles.trust[${at}]: ${error.message}`, { cause: error });
    }
  }
  return [...new Set(trust)];
}

/**
 * A replica serves the log of the gokeep whose key it trusts: it has no name, key, mark or upstream of its own.
 *
 * Throws bad_config naming the setting that says otherwise.
 */
export function checkReplica(settings: Settings, env: Environment, trust: readonly string[]): void {
  if (trust.length !== 1) {
    throw new GokeepError(
      'bad_config',
      `replica: bundles.trust has to hold exactly one key, that of the log to be replicated; it holds ${trust.length === 0 ? 'none' : trust.length}`,
    );
  }
  const { sumdb, upstream = [] } = settings;
  const set: readonly (readonly [string, boolean, string])[] = [
    ['sumdb.name', sumdb?.name !== undefined, 'it serves the log of bundles.trust under that name'],
    ['GOKEEP_SUMDB_NAME', variable(env, 'GOKEEP_SUMDB_NAME') !== undefined, 'its name is in bundles.trust'],
    ['sumdb.key', sumdb?.key !== undefined, 'it signs nothing'],
    ['sumdb.mark', sumdb?.mark !== undefined, 'it signs nothing, so it has no high-water mark'],
    ['upstream.proxy', upstream.some((row) => row.proxy !== undefined), 'it is offline'],
    ['GOKEEP_UPSTREAM', variable(env, 'GOKEEP_UPSTREAM') !== undefined, 'it is offline'],
  ];
  const wrong = set.find(([, isSet]) => isSet);
  if (wrong !== undefined) {
    const [key, , why] = wrong;
    throw new GokeepError('bad_config', `${key} cannot be set in a replica: ${why}; take it out`);
  }
}
