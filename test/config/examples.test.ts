import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { Settings } from '../../src/config/schema.ts';
import { parseGosumdb } from '../../src/upstream/checksum-database-keys.ts';
import { parseProxyList } from '../../src/upstream/proxy-list.ts';

const ROOT = path.join(import.meta.dirname, '../../config');
const EXAMPLES = readdirSync(ROOT).filter((name) => name.endsWith('.toml'));
const env = { GOPROXY: 'https://goproxy.example', PATH: '/nonexistent' };

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

/** Every legal key, as `table.key`. */
function keysOf(node: Node, prefix = ''): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, below]) => {
    const table = below.properties === undefined ? below.items : below;
    return table?.properties === undefined ? [`${prefix}${name}`] : keysOf(table, `${prefix}${name}.`);
  });
}

/** Every key that a document uses. */
function keysIn(value: unknown, prefix = ''): string[] {
  if (Array.isArray(value) && value.some((item) => typeof item === 'object')) {
    return value.flatMap((item) => keysIn(item, prefix));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [prefix];
  return Object.entries(value).flatMap(([name, below]) =>
    keysIn(below, prefix === '' ? name : `${prefix}.${name}`),
  );
}

describe('the examples in config/', () => {
  it('are there, one for each shape of deployment', () => {
    expect(EXAMPLES.sort()).toEqual(
      [
        'laptop',
        'team',
        'behind-proxy',
        'artifactory-upstream',
        'offline',
        'replica',
        'large',
        'mutual-tls',
        'sign-in',
      ]
        .map((name) => `${name}.toml`)
        .sort(),
    );
  });

  it.each(EXAMPLES)('%s loads, and its addresses are what they should be', (name) => {
    const config = loadConfig({ env, cwd: '/', configFile: path.join(ROOT, name) });
    for (const { proxy } of config.upstreams) expect(parseProxyList(proxy).length).toBeGreaterThan(0);
    expect(parseGosumdb(config.upstreamSumdb).off).toBe(false);
  });

  it('laptop.toml spells out the defaults: it loads as an empty file does', () => {
    const shown = loadConfig({ env, cwd: ROOT, configFile: 'laptop.toml' });
    const defaults = loadConfig({ env, cwd: ROOT });
    const access = { ...defaults.access, saidSo: true };
    expect(shown).toEqual({ ...defaults, access, file: path.join(ROOT, 'laptop.toml') });
  });

  it('every key that can be set is shown in one of them', () => {
    const shown = new Set(
      EXAMPLES.flatMap((name) => keysIn(parseToml(readFileSync(path.join(ROOT, name), 'utf8')))),
    );
    const legal = keysOf(Settings as unknown as Node);
    expect(legal.length).toBeGreaterThan(40);
    // Below a key whose own keys are free stands whatever an operator calls them.
    const isShown = (key: string) => [...shown].some((name) => name === key || name.startsWith(`${key}.`));
    expect(legal.filter((key) => !isShown(key))).toEqual([]);
  });

  it('each that others can reach says whether they have to say who they are', () => {
    for (const name of EXAMPLES.filter((each) => each !== 'laptop.toml')) {
      expect(readFileSync(path.join(ROOT, name), 'utf8')).toContain('[access]');
      const { access, tls, url } = loadConfig({ env, cwd: '/', configFile: path.join(ROOT, name) });
      // go sends credentials over https only.
      expect(access.required).toBe(tls !== undefined || url?.startsWith('https:') === true);
    }
  });

  it('none holds a secret, or the name of a public registry', () => {
    for (const name of EXAMPLES) {
      const text = readFileSync(path.join(ROOT, name), 'utf8');
      expect(text).not.toMatch(/:\/\/[^/\s"]*:[^/\s"@]*@/);
      expect(text).not.toContain(['proxy', 'golang', 'org'].join('.'));
    }
  });
});
