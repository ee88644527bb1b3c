import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSignatures } from '../../src/publish/check-signatures.ts';
import { Signing } from '../../src/publish/signing.ts';
import { parsePublicKey } from '../../src/signing/public-key.ts';
import type { SigningRule } from '../../src/signing/rule.ts';
import type { Finding } from '../../src/sumdb/audit.ts';
import { attestBlob, makeKey, signBlob } from '../signing/made-signatures.ts';
import { CORP, moduleZipOf, PublishingSite } from './publishing-site.ts';

const KEY = makeKey('Ed25519');
const VERSION = 'v1.0.0';
const ZIP = moduleZipOf(CORP, VERSION);
const rules: SigningRule[] = [
  {
    match: [CORP],
    required: false,
    keys: [parsePublicKey(KEY.publicKey, 'release.pub')],
    identities: [],
    trustedRoot: undefined,
  },
];

let site: PublishingSite;

beforeEach(async () => {
  site = await PublishingSite.open();
  const signing = new Signing({
    rules,
    store: site.store,
    find: (modulePath, version) => site.log.find(modulePath, version),
    signatures: (modulePath, version) => site.log.signatures.of(modulePath, version),
    sequencer: site.sequencer,
    now: Date.now,
  });
  await site.publish(CORP, VERSION, ZIP);
  for (const text of [signBlob(ZIP, KEY), attestBlob(ZIP, KEY)])
    await signing.attach(CORP, VERSION, text, () => undefined);
});

afterEach(() => site[Symbol.asyncDispose]());

/** Changes what is stored behind everybody's back. */
function sql(statement: string, ...values: unknown[]): void {
  const db = new Database(path.join(site.directory, 'gokeep.db'));
  db.prepare(statement).run(...values);
  db.close();
}

async function check(o: { isDamaged?: boolean; known?: boolean } = {}) {
  const findings: Finding[] = [];
  const count = await checkSignatures({
    log: site.log,
    store: site.store,
    rules: o.known === false ? [] : rules,
    isDamaged: () => o.isDamaged === true,
    report: (finding) => findings.push(finding),
    progress: () => undefined,
  });
  return { count, findings };
}

const problems = async (o: Parameters<typeof check>[0] = {}) =>
  (await check(o)).findings.map(({ problem }) => problem);

describe('stored signatures', () => {
  it('that are as they came are in order, with rules and without', async () => {
    expect(await check()).toEqual({ count: 2, findings: [] });
    expect(await check({ known: false })).toEqual({ count: 2, findings: [] });
  });

  it('that were altered are found, by their id', async () => {
    sql(`UPDATE signatures SET bundle = bundle || ' ' WHERE verdict LIKE '%attestation%'`);
    expect(await check()).toEqual({
      count: 2,
      findings: [
        {
          kind: 'signature',
          subject: expect.stringMatching(/^signature [0-9a-f]{16} of corp\.test\/lib@v1\.0\.0$/) as string,
          problem: 'is damaged: it is not the one that its id names',
        },
      ],
    });
  });

  it('that cannot be read, or were found to be nothing, are found', async () => {
    const id = createHash('sha256').update('{}').digest('hex');
    sql(`UPDATE signatures SET bundle = '{}', id = ? WHERE verdict LIKE '%attestation%'`, id);
    sql(`UPDATE signatures SET verdict = 'x' WHERE id <> ?`, id);
    expect((await problems()).toSorted()).toEqual([
      'is damaged: what it was found to be cannot be read',
      expect.stringMatching(/^is not good: The signature cannot be read/),
    ]);
  });

  it('that are kept as something else than they are are found', async () => {
    sql(`UPDATE signatures SET verdict = replace(verdict, '"attestation"', '"signature"')`);
    expect(await problems()).toEqual(['is kept as signature, and is another thing']);
  });

  it('of a version without a record are found', async () => {
    sql(`UPDATE signatures SET version = 'v1.9.0'`);
    expect(await problems()).toEqual(Array(2).fill('is of a version that has no record in the log'));
  });

  it('of other bytes than the zip that is held are found, unless the zip is what is damaged', async () => {
    await writeFile(site.store.fileName('zip', CORP, VERSION), 'the same files, packed another way');
    expect((await problems()).toSorted()).toEqual([
      expect.stringContaining('attestation is of other bytes'),
      'was found to be of other bytes than the zip that is held',
    ]);
    expect(await problems({ isDamaged: true })).toEqual([]);
    await site.store.discard('zip', CORP, VERSION);
    expect(await problems()).toEqual([]);
  });

  it('that a rule trusts are verified once more', async () => {
    const forged = signBlob(Buffer.from('other bytes'), KEY);
    const id = createHash('sha256').update(forged).digest('hex');
    sql(`UPDATE signatures SET bundle = ?, id = ? WHERE verdict NOT LIKE '%attestation%'`, forged, id);
    expect(await problems({ known: false })).toEqual([]);
    expect(await problems()).toEqual([expect.stringContaining('is not of these bytes by a key')]);
  });
});
