import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProvenRecords } from '../../src/airgap/proven.ts';
import { ownLogTarget } from '../../src/airgap/targets.ts';

const PUBLIC = 'sum.public.test';
const MAKER = 'sum.maker.test';
const ONE = { zip: 'h1:one', mod: 'h1:mod' };
const TWO = { zip: 'h1:two', mod: 'h1:mod' };

let directory: string;
let proven: ProvenRecords;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-test-'));
  proven = new ProvenRecords(path.join(directory, 'proven.db'));
});
afterEach(async () => {
  proven[Symbol.dispose]();
  await rm(directory, { recursive: true, force: true });
});

let records = 0;
function prove(database: string, modulePath: string): void {
  const claim = { id: records++, path: modulePath, version: 'v1.0.0', text: Buffer.alloc(0) };
  proven.prove(database, claim, ONE);
}

async function problems(
  o: { publicDatabase?: string | undefined; known?: typeof ONE; isPrivate?: boolean } = {},
): Promise<string[]> {
  const said: string[] = [];
  const target = ownLogTarget(
    { find: () => o.known },
    { add: () => Promise.reject(new Error('nothing is to be added')) },
    Date.now,
    {
      publicDatabase: 'publicDatabase' in o ? o.publicDatabase : PUBLIC,
      isPrivate: () => o.isPrivate === true,
    },
  );
  await target.check(proven, (problem) => said.push(problem));
  return said;
}

describe('what goes into a log of our own from a bundle', () => {
  it('is a public module only where the public database proves it', async () => {
    prove(MAKER, 'example.test/a');
    prove(PUBLIC, 'example.test/a');
    prove(MAKER, 'example.test/b');
    prove(MAKER, 'example.test/c');
    prove(PUBLIC, 'example.test/c');
    expect(await problems()).toEqual([
      expect.stringMatching(
        /^example\.test\/b@v1\.0\.0 is a public module here, .* by sum\.maker\.test alone/,
      ),
    ]);
  });

  it('is vouched for by its maker alone where it is private, and where no public database is configured', async () => {
    prove(MAKER, 'corp.test/a');
    expect(await problems({ isPrivate: true })).toEqual([]);
    expect(await problems({ publicDatabase: undefined })).toEqual([]);
  });

  it('may be known already, with the same hashes and no others', async () => {
    prove(MAKER, 'example.test/a');
    expect(await problems({ known: ONE })).toEqual([]);
    expect(await problems({ known: TWO })).toEqual([
      expect.stringMatching(/^SECURITY: example\.test\/a@v1\.0\.0 /),
    ]);
  });
});
