import type { Machine } from '../machine.ts';
import type { Facts, ProfileSetting } from './facts.ts';
import { registryMyths } from './windows-registry.ts';

/** Names that articles and old answers recommend, and that no released go reads. */
const NAMES: ReadonlySet<string> = new Set([
  'GOSUMDB_VERIFY',
  'GOSUMDBPUBLICKEY',
  'GOSUMDB_PUBLIC_KEY',
  'GOSUMDBKEY',
  'GOSUMDB_KEY',
  'GONOSUMCHECK',
  'GONOSUM',
  'GONOVERIFY',
  'GOVERIFY',
  'GO_PROXY',
  'GO_SUMDB',
  'GOPROXIES',
  'GOPROXY_AUTH',
  'GOPROXY_TOKEN',
  'GOCACERT',
  'GOCERTS',
  'GO_CA_CERT',
  'GOINSECURESKIPVERIFY',
]);

export function isMyth(name: string): boolean {
  return NAMES.has(name);
}

/** Settings that nobody reads, and where they stand. */
export async function findMyths(
  machine: Machine,
  profiles: readonly ProfileSetting[],
): Promise<Facts['myths']> {
  const inEnvironment = Object.keys(machine.env).filter((name) => isMyth(name) && machine.env[name] !== '');
  const inProfiles = profiles.filter(({ name }) => isMyth(name) && !inEnvironment.includes(name));
  const elsewhere = await registryMyths(machine);
  return [
    ...inEnvironment.sort().map((name) => {
      const set = profiles.find((each) => each.name === name);
      return { name, where: set === undefined ? 'the environment' : `${set.file}:${set.line}` };
    }),
    ...inProfiles.map(({ name, file, line }) => ({ name, where: `${file}:${line}` })),
    ...elsewhere.map((name) => ({ name, where: 'this Windows machine' })),
  ];
}
