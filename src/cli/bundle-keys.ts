import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import type { Verifier } from '../note/verifier.ts';
import { readKeyFile } from '../sumdb/key-file.ts';
import { parseGosumdb } from '../upstream/checksum-database-keys.ts';

export interface KnownKey {
  readonly vkey: string;
  readonly verifier: Verifier;
}

/** The key that a GOSUMDB value names: `sum.golang.org` by its name, any other as it is. Throws bad_config. */
export function keyNamed(text: string): KnownKey {
  const gosumdb = parseGosumdb(text);
  if (gosumdb.off) throw new GokeepError('bad_config', 'a key is needed here, and "off" is none');
  return { vkey: gosumdb.vkey, verifier: gosumdb.verifier };
}

/** The public database that this configuration names; undefined where it is off. */
export function provingKey(config: Config): KnownKey | undefined {
  return config.upstreamSumdb.trim() === 'off' ? undefined : keyNamed(config.upstreamSumdb);
}

/** Our own log's key, where there is one. */
export function ownKey(config: Config): KnownKey | undefined {
  const key = readKeyFile(config.sumdb.key, process.getuid?.());
  return key === undefined ? undefined : keyNamed(key.vkey);
}

/** Keys that vouch for bundles and for the databases in them, each once: what was given, what the configuration trusts, our own, the public database's. */
export function trustedKeys(
  config: Config,
  given: readonly string[],
): { signers: Verifier[]; databases: Verifier[] } {
  const signers = [...given, ...config.bundles.trust].map(keyNamed);
  const own = ownKey(config);
  if (own !== undefined) signers.push(own);
  const proving = provingKey(config);
  const databases = [...signers, ...(proving === undefined ? [] : [proving]), keyNamed('sum.golang.org')];
  refuseTwins(databases);
  const once = (keys: readonly KnownKey[]) => [
    ...new Map(keys.map(({ vkey, verifier }) => [vkey, verifier])).values(),
  ];
  return { signers: once(signers), databases: once(databases) };
}

/** A database is known by its name: whoever makes bundles must not be taken for another, such as the public one. */
function refuseTwins(keys: readonly KnownKey[]): void {
  const byName = new Map<string, string>();
  for (const { vkey, verifier } of keys) {
    const other = byName.get(verifier.name);
    if (other !== undefined && other !== vkey)
      throw new GokeepError(
        'bad_config',
        `two different keys are called ${verifier.name}: take the one that is not its own out of bundles.trust, or of --key`,
        { detail: `${other} and ${vkey}` },
      );
    byName.set(verifier.name, vkey);
  }
}
