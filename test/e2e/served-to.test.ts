import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GuardedGokeep } from '../world/guarded-gokeep.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const LIB = 'corp.test/lib';
const OPEN = 'example.test/open';
const ZIP = `/${LIB}/@v/v1.0.0.zip`;

interface CycloneDx {
  readonly components: readonly {
    readonly name: string;
    readonly properties: readonly { readonly name: string; readonly value: string }[];
  }[];
}

let world: UpstreamWorld;
let guarded: GuardedGokeep;

const today = () => new Date().toISOString().slice(0, 10);

describe.skipIf(!needs('openssl'))('with access required (needs openssl)', () => {
  beforeAll(async () => {
    world = await UpstreamWorld.start();
    await world.publish({ path: OPEN, version: 'v1.0.0' });
    await world.publish({ path: LIB, version: 'v1.0.0' }, { inDatabase: false });
    guarded = await GuardedGokeep.start(world);
  });

  afterAll(async () => {
    await guarded[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const status = async (token: string, target: string): Promise<number> =>
    (await guarded.ask(target, { headers: { authorization: `Bearer ${token}` } })).status;

  const fast = async (): Promise<number> =>
    Number(/^gokeep_fast_answers_total (.+)$/m.exec((await guarded.ask('/metrics')).text)?.[1]);

  /** Name of each component, and to whom it was served when. */
  async function servedTo(...args: string[]): Promise<Record<string, string[]>> {
    const { code, stdout, stderr } = await guarded.beside('sbom', ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const entries = (JSON.parse(stdout) as CycloneDx).components.map(({ name, properties }) => [
      name,
      properties.filter((one) => one.name === 'gokeep:served:to').map(({ value }) => value),
    ]);
    return Object.fromEntries(entries) as Record<string, string[]>;
  }

  it('what a real go and others were served, from memory too, is known by their tokens beside the running server', async () => {
    const first = await guarded.create('--name', 'first', '--read', 'corp.test/*');
    const second = await guarded.create('--name', 'second', '--read', 'corp.test/*');
    const stranger = await guarded.create('--name', 'stranger');
    await guarded.create('--name', 'idle');
    await using client = await guarded.client({ NETRC: await guarded.netrc(first) });
    for (const module of [LIB, OPEN])
      expect(await client.run('mod', 'download', `${module}@v1.0.0`)).toMatchObject({ code: 0 });

    const before = await fast();
    // Known by these headers, so that their next requests are answered in front of the routes.
    for (const token of [first, second]) expect(await status(token, `/${OPEN}/@latest`)).toBe(200);
    expect(await status(second, ZIP)).toBe(200);
    expect(await status(first, ZIP)).toBe(200);
    expect(await fast()).toBeGreaterThanOrEqual(before + 2);
    expect(await status(stranger, ZIP)).toBe(403);

    const days = `${today()}/${today()}`;
    await expect
      .poll(() => servedTo(), { timeout: 15_000 })
      .toEqual({
        [LIB]: [`${days} token:first`, `${days} token:second`],
        [OPEN]: [`${days} token:first`],
      });
    expect(await servedTo('--to', 'token:second')).toEqual({ [LIB]: [`${days} token:second`] });
    expect(await servedTo('--to', 'token:stranger')).toEqual({});

    // Asking is using, whatever the answer.
    const { stdout } = await guarded.token('list');
    const use = (name: string) => new RegExp(`  ${name}  active, expires [^,]+, (.+?);`).exec(stdout)?.[1];
    expect(['first', 'second', 'stranger', 'idle'].map(use)).toEqual([
      `last used ${today()}`,
      `last used ${today()}`,
      `last used ${today()}`,
      'never used',
    ]);
  });

  it('of two tokens that bore one name each is known by itself', async () => {
    const old = await guarded.create('--name', 'ci');
    expect(await status(old, `/${OPEN}/@v/v1.0.0.zip`)).toBe(200);
    expect(await guarded.token('revoke', 'ci')).toMatchObject({ code: 0 });
    await guarded.create('--name', 'ci');
    expect(await guarded.gokeep.stop()).toBe(0);
    const lines = (await guarded.token('list')).stdout.split('\n').filter((line) => line.includes('  ci  '));
    expect(lines.map((line) => /, (last used|never used)/.exec(line)?.[1])).toEqual([
      'last used',
      'never used',
    ]);
    const ids = lines.map((line) => line.split(' ')[0]!);
    expect(Object.keys(await servedTo('--to', ids[0]!))).toEqual([OPEN]);
    expect(await servedTo('--to', ids[1]!)).toEqual({});
  });
});
