import { describe, expect, it } from 'vitest';
import { HeldModules } from '../../src/proxy/held.ts';
import type { Records } from '../../src/proxy/records.ts';
import type { ModuleStore } from '../../src/store/module-store.ts';

const PSEUDO = 'v0.0.0-20240102030405-abcdefabcdef';

/** Zips held; those marked ! have no record; .info only for those marked +. */
function held(...versions: string[]): HeldModules {
  const bare = (version: string) => version.replace(/[!+]$/, '');
  const store = {
    heldVersions: async (kind: string, path: string) =>
      kind === 'zip' && path === 'a.test/m' ? versions.map(bare) : [],
    read: async (_kind: string, _path: string, version: string) =>
      versions.includes(`${version}+`)
        ? Buffer.from(`{"Version":"${version}","Time":"2024-01-02T03:04:05Z"}`)
        : undefined,
  };
  const records = {
    known: (_path: string, version: string) => (versions.includes(`${version}!`) ? undefined : {}),
  };
  return new HeldModules(store as unknown as ModuleStore, records as unknown as Records);
}

const said = (body: Buffer | undefined): string | undefined => body?.toString();
const version = (body: Buffer | undefined): string | undefined =>
  body === undefined ? undefined : (JSON.parse(body.toString()) as { Version: string }).Version;

describe('what the store alone says', () => {
  it('a list in order of precedence, with pre-releases and without pseudo-versions', async () => {
    const modules = held('v1.10.0', 'v1.2.0', PSEUDO, 'v1.2.0-rc.1', 'v2.0.0+incompatible+');
    expect(said(await modules.list('a.test/m'))).toBe('v1.2.0-rc.1\nv1.2.0\nv1.10.0\nv2.0.0+incompatible\n');
  });

  it('a version whose record is missing does not count', async () => {
    expect(said(await held('v1.0.0', 'v1.1.0!').list('a.test/m'))).toBe('v1.0.0\n');
    expect(await held('v1.1.0!').list('a.test/m')).toBeUndefined();
    expect(await held('v1.1.0!').latest('a.test/m')).toBeUndefined();
  });

  it('an empty list for a module of which only pseudo-versions are held; nothing for an unknown one', async () => {
    expect(said(await held(PSEUDO).list('a.test/m'))).toBe('');
    expect(await held(PSEUDO).list('a.test/other')).toBeUndefined();
  });

  it.each([
    [['v1.0.0', 'v1.1.0-rc.1', PSEUDO], 'v1.0.0'],
    [['v1.1.0-rc.1', 'v1.1.0-rc.2', PSEUDO], 'v1.1.0-rc.2'],
    [[PSEUDO], PSEUDO],
    [['v1.9.0', 'v1.10.0'], 'v1.10.0'],
  ])(
    'latest of %j is %s: a release before a pre-release before a pseudo-version',
    async (versions, expected) => {
      expect(version(await held(...versions).latest('a.test/m'))).toBe(expected);
    },
  );

  it('the .info as upstream sent it where it is held, else the least that Go needs', async () => {
    expect(said(await held('v1.0.0+').latest('a.test/m'))).toBe(
      '{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}',
    );
    expect(said(await held('v1.0.0').latest('a.test/m'))).toBe('{"Version":"v1.0.0"}');
  });

  it.each([
    ['v1', 'v1.10.0'],
    ['v1.2', 'v1.2.3'],
    ['v1.20', undefined],
    ['v3', 'v3.0.0-beta'],
    ['v2', undefined],
    ['v1.2.3', undefined],
    ['master', undefined],
    ['abcdef', undefined],
  ])('the query %s means %s', async (query, expected) => {
    const modules = held('v1.2.0', 'v1.2.3', 'v1.2.4-rc.1', 'v1.10.0', 'v3.0.0-beta', PSEUDO);
    expect(version(await modules.query('a.test/m', query))).toBe(expected);
  });
});
