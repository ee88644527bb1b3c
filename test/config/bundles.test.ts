import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { generateKey } from '../../src/note/signer.ts';

const ONE = generateKey('sum.one.test', Buffer.alloc(32, 1)).vkey;
const TWO = generateKey('sum.two.test', Buffer.alloc(32, 2)).vkey;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-config-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

function load(text: string, env: Record<string, string> = {}): Config {
  writeFileSync(path.join(directory, 'gokeep.toml'), `version = 1\n${text}`);
  return loadConfig({ env: { GOPROXY: 'off', ...env }, cwd: directory });
}

const REPLICA = `replica = true\n[bundles]\ntrust = ["${ONE}"]\n`;

describe('bundles.trust', () => {
  it('is empty unless it is set, and nothing is a replica', () => {
    expect(load('')).toMatchObject({ replica: false, bundles: { trust: [] } });
  });

  it('may name several keys where the log is our own', () => {
    expect(load(`[bundles]\ntrust = ["${ONE}", "${TWO}"]\n`)).toMatchObject({
      replica: false,
      offline: false,
      bundles: { trust: [ONE, TWO] },
    });
  });

  it.each([
    ['sum.one.test', /bundles\.trust\[0\]: malformed verifier key/],
    [ONE.replace('sum.one', 'sum.two'), /bundles\.trust\[0\]: verifier key does not match its own hash/],
    ['', /bundles\.trust\[0\] must not be empty/],
  ])('refuses what is no verifier key: %j', (key, sentence) => {
    expect(() => load(`[bundles]\ntrust = ["${key}"]\n`)).toThrow(sentence);
  });
});

describe('replica = true', () => {
  it('is offline, whatever offline says, and asks no go command for an upstream', () => {
    const config = load(REPLICA, { GOKEEP_OFFLINE: 'false', PATH: '/nonexistent', GOPROXY: '' });
    expect(config).toMatchObject({ replica: true, offline: true, bundles: { trust: [ONE] } });
    expect(config.upstreams.map((row) => row.proxy)).toEqual(['off']);
  });

  it.each([
    ['replica = true\n', /replica: bundles\.trust .* exactly one key.* holds none/],
    [
      `replica = true\n[bundles]\ntrust = ["${ONE}", "${TWO}"]\n`,
      /replica: bundles\.trust .* exactly one key.* holds 2/,
    ],
    [`${REPLICA}[sumdb]\nname = "sum.one.test"\n`, /^sumdb\.name cannot be set in a replica/],
    [`${REPLICA}[sumdb]\nkey = "k"\n`, /^sumdb\.key cannot be set in a replica/],
    [`${REPLICA}[sumdb]\nmark = "m"\n`, /^sumdb\.mark cannot be set in a replica/],
    [`${REPLICA}[upstream]\nproxy = "https://a.test"\n`, /^upstream\.proxy cannot be set in a replica/],
  ])('refuses what a replica cannot have, naming it: %j', (text, sentence) => {
    expect(() => load(text)).toThrow(expect.objectContaining({ code: 'bad_config' }));
    expect(() => load(text)).toThrow(sentence);
  });

  it.each(['GOKEEP_SUMDB_NAME', 'GOKEEP_UPSTREAM'])('refuses it from the environment too: %s', (name) => {
    expect(() => load(REPLICA, { [name]: 'https://a.test' })).toThrow(
      new RegExp(`^${name} cannot be set in a replica`),
    );
  });
});
