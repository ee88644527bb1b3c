import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseProofs } from '../../src/airgap/database-proofs.ts';
import type { KeptDatabase } from '../../src/airgap/kept.ts';
import { ProvenRecords } from '../../src/airgap/proven.ts';
import { GokeepError } from '../../src/errors.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { tilePath } from '../../src/tlog/tile.ts';
import { SigningDatabase } from './made-bundle.ts';

const H1 = `h1:${Buffer.alloc(32, 1).toString('base64')}`;
const TEXT = formatGoSumRecord('example.test/a', 'v1.0.0', H1, H1);

let directory: string;
let runs = 0;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-test-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A database of 1,001 records, the last one of example.test/a; and its tiles, by their path. */
async function database() {
  const signing = new SigningDatabase('sum.test', 1).fill(1000);
  const id = signing.add(TEXT);
  const tiles = new Map(
    [...signing.tiles()].map(([name, body]) => [name.replace('sumdb/sum.test/', ''), body]),
  );
  return { signing, id, tiles, note: signing.note(await signing.head()) };
}

/** What comes out, and what the server was asked for. */
async function filesOf(
  kept: Partial<KeptDatabase>,
  { signing, id, note, tiles }: Awaited<ReturnType<typeof database>>,
) {
  const asked: string[] = [];
  using proven = new ProvenRecords(path.join(directory, `${runs++}.db`));
  const proofs = new DatabaseProofs(
    signing,
    {
      get: async (target: string) => {
        const name = target.replace('/sumdb/sum.test/', '');
        asked.push(name);
        if (name === 'latest') return note;
        if (name.startsWith('lookup/')) return signing.lookup(id, note);
        const tile = tiles.get(name);
        if (tile === undefined) throw new GokeepError('not_found', name);
        return tile;
      },
    },
    { latest: () => undefined, record: () => undefined, tile: () => undefined, ...kept },
    proven,
  );
  await proofs.add('example.test/a', 'v1.0.0');
  const files = new Map<string, Buffer>();
  for await (const { name, body } of proofs.files(await proofs.head(), [])) files.set(name, body);
  return { asked, files };
}

describe('the proofs of a database', () => {
  it('come from what is kept, and nothing is asked of the server then', async () => {
    const made = await database();
    const kept = {
      latest: () => made.note,
      record: () => ({ id: made.id, text: TEXT }),
      tile: (tile: Parameters<KeptDatabase['tile']>[0]) => made.tiles.get(tilePath(tile)),
    };
    const { asked, files } = await filesOf(kept, made);
    expect(asked).toEqual([]);
    expect(files).toEqual((await filesOf({}, made)).files);
    expect(files.get('lookup/example.test/a@v1.0.0')).toEqual(made.signing.lookup(made.id, made.note));
  });

  it('come from the server where what is kept is damaged', async () => {
    const made = await database();
    const damaged = (tile: Parameters<KeptDatabase['tile']>[0]) => {
      const data = Buffer.from(made.tiles.get(tilePath(tile)) ?? []);
      if (data.length > 0) data[0]! ^= 1;
      return data;
    };
    const { asked, files } = await filesOf({ tile: damaged }, made);
    expect(asked.some((name) => name.startsWith('tile/'))).toBe(true);
    expect(files).toEqual((await filesOf({}, made)).files);
  });

  it('are none for a record that is kept and not in the tree', async () => {
    const made = await database();
    const other = formatGoSumRecord(
      'example.test/a',
      'v1.0.0',
      H1,
      `h1:${Buffer.alloc(32, 2).toString('base64')}`,
    );
    await expect(filesOf({ record: () => ({ id: made.id, text: other }) }, made)).rejects.toThrow(
      'does not have the record of example.test/a@v1.0.0',
    );
  });
});
