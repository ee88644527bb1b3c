import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSigningRules } from '../../src/cli/signing-rules.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { makeKey } from '../signing/made-signatures.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-config-'));
  const { publicKey, privateKey } = makeKey('P-256');
  writeFileSync(path.join(directory, 'a.pub'), publicKey);
  writeFileSync(path.join(directory, 'a.key'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
});

afterAll(() => rmSync(directory, { recursive: true }));

function load(text: string): Config {
  writeFileSync(path.join(directory, 'gokeep.toml'), `version = 1\n[[signing]]\n${text}`);
  return loadConfig({ env: { GOPROXY: 'off' }, cwd: directory });
}

const MATCH = 'match = ["corp.test"]\n';
const IDENTITY = 'issuer = "https://i.test", subject = "x"';

describe('a [[signing]] rule', () => {
  it('demands a signature unless it says otherwise, and names its files from where it stands', () => {
    expect(load(`${MATCH}keys = ["a.pub"]`).signing).toEqual([
      {
        match: ['corp.test'],
        required: true,
        keys: [path.join(directory, 'a.pub')],
        identities: [],
        trustedRoot: undefined,
      },
    ]);
    expect(load(`${MATCH}keys = ["a.pub"]\nrequired = false`).signing).toMatchObject([{ required: false }]);
    expect(openSigningRules(load(`${MATCH}keys = ["a.pub"]`))).toMatchObject([{ keys: [{ name: 'a.pub' }] }]);
  });

  it.each([
    ['keys = ["a.pub"]', /signing\[0\].*match/],
    ['match = []\nkeys = ["a.pub"]', /signing\[0\]\.match is empty/],
    ['match = ["a,b"]\nkeys = ["a.pub"]', /not a pattern for module paths/],
    [MATCH, /signing\[0\] needs keys or identities/],
    [`${MATCH}identities = [{ ${IDENTITY} }]`, /signing\[0\]\.identities need a trusted_root/],
    [`${MATCH}keys = ["a.pub"]\ntrusted_root = "r.json"`, /signing\[0\]\.trusted_root is of no use/],
    [
      `${MATCH}trusted_root = "r.json"\nidentities = [{ issuer = "https://i.test" }]`,
      /identities\[0\] needs either subject or subject_pattern/,
    ],
    [
      `${MATCH}trusted_root = "r.json"\nidentities = [{ ${IDENTITY}, subject_pattern = "^x$" }]`,
      /identities\[0\] needs either/,
    ],
    [
      `${MATCH}trusted_root = "r.json"\nidentities = [{ issuer = "https://i.test", subject_pattern = "https://i.test/.*" }]`,
      /signing\[0\]\.identities\[0\]\.subject_pattern: .* would match in the middle/,
    ],
  ])('that nobody could fulfil, or too many could, is refused: %s', (text, sentence) => {
    expect(() => load(text)).toThrow(sentence);
  });

  it.each([
    [`${MATCH}keys = ["none.pub"]`, /signing\[0\]\.keys: .*none\.pub cannot be read/],
    [`${MATCH}keys = ["gokeep.toml"]`, /gokeep\.toml: it is no public key/],
    [`${MATCH}keys = ["a.key"]`, /a\.key: it holds a private key/],
    [
      `${MATCH}trusted_root = "a.pub"\nidentities = [{ ${IDENTITY} }]`,
      /signing\[0\]\.trusted_root: .*a\.pub is no sigstore trusted root/,
    ],
  ])('whose files are not what they should be ends the start with a sentence: %s', (text, sentence) => {
    expect(() => openSigningRules(load(text))).toThrow(sentence);
  });
});
