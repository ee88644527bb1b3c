import { existsSync } from 'node:fs';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inOrder, Receipts } from '../../src/airgap/receipts.ts';
import { chainOfThree, unpack } from '../airgap/chain.ts';
import { type Packed, pack } from '../airgap/made-bundle.ts';
import { gokeep } from './program.ts';

let made: Awaited<ReturnType<typeof chainOfThree>>;
let alone: Packed;
let directory: string;
const at = (...names: string[]) => path.join(directory, ...names);

beforeAll(async () => {
  made = await chainOfThree();
  alone = pack({ ...made, files: new Map(), databases: [] });
});

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-manifest-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** As importing them leaves them behind, one a day. */
async function kept(...bundles: readonly Packed[]): Promise<void> {
  for (const [day, bundle] of bundles.entries()) {
    await unpack(at('data'), { ...bundle, members: bundle.members.slice(0, 2) });
    const time = new Date(Date.UTC(2026, 10, day + 1));
    await utimes(at('data', bundle.members[0]!.name), time, time);
  }
}

const manifest = (...args: string[]) =>
  gokeep(['bundle', 'manifest', '--output', at('have.tar'), '--data', at('data'), ...args]);

/** What `bundle create --since` makes of the file. */
const since = async () =>
  inOrder(await Receipts.readFrom(at('have.tar'), [made.own.verifier], at('scratch'))).map(({ id }) => id);

describe('gokeep bundle manifest', () => {
  it('writes the whole chain where there is one, in its order', async () => {
    const [first, second, third] = made.bundles;
    await kept(third, second, first);
    const { code, stdout } = await manifest('--json');
    expect(code).toBe(0);
    const ids = [first.id, second.id, third.id];
    expect(JSON.parse(stdout)).toEqual({ bundles: ids, files: [at('have.tar')] });
    expect(await since()).toEqual(ids);
  });

  it('asks which one is meant where there are several chains, and names the last bundle of each', async () => {
    const [first, second] = made.bundles;
    await kept(first, second, alone);
    const refused = await manifest();
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(
      `end with ${alone.id} (since 2026-11-03T00:00:00Z), ${second.id} (since 2026-11-02T00:00:00Z); say with --bundle`,
    );
    expect(refused.stderr).not.toContain(first.id);
    expect(existsSync(at('have.tar'))).toBe(false);
  });

  it('writes with --bundle that one and those that it follows on', async () => {
    const [first, second, third] = made.bundles;
    await kept(first, second, third, alone);
    for (const [id, ids] of [
      [alone.id, [alone.id]],
      [second.id, [first.id, second.id]],
    ] as const) {
      expect(await manifest('--bundle', id)).toMatchObject({ code: 0, stderr: '' });
      expect(await since()).toEqual(ids);
    }
  });

  it('says of a bundle that is not here, and of one that was damaged, that it is so', async () => {
    expect((await manifest()).stderr).toMatch(/^gokeep: no bundle was made or imported here yet$/m);
    await kept(alone);
    for (const id of ['0'.repeat(32), '../data'])
      expect(await manifest('--bundle', id)).toMatchObject({
        code: 2,
        stderr: `gokeep: no bundle ${id} was made or imported here\n`,
      });
    await rm(at('data', alone.members[1]!.name));
    const damaged = await manifest();
    expect(damaged).toMatchObject({ code: 2, stderr: expect.stringMatching(/^gokeep: \S+: is missing\n$/) });
  });
});
