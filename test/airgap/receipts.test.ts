import { execFileSync } from 'node:child_process';
import { mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Receipts } from '../../src/airgap/receipts.ts';
import { chainOfThree, unpack } from './chain.ts';

let made: Awaited<ReturnType<typeof chainOfThree>>;
let directory: string;
let share: string;
const at = (...names: string[]) => path.join(directory, ...names);
const below = (name: string) => path.join(share, 'bundles', made.bundles[0].id, name);

beforeAll(async () => {
  made = await chainOfThree();
});

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-receipts-'));
  share = await unpack(at('share'), made.bundles[0]);
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const read = () => Receipts.readFrom(share, [made.own.verifier], at('scratch'));
const refusal = (sentence: RegExp) => ({ code: 'bad_bundle', message: expect.stringMatching(sentence) });

describe('the receipts of an unpacked bundle', () => {
  it('without the list of files are refused in one sentence that names it', async () => {
    expect(await read()).toHaveLength(1);
    await rm(below('entries'));
    await expect(read()).rejects.toMatchObject(refusal(/^\S+\/entries: is missing$/));
  });

  it('are read from plain files alone', async () => {
    for (const name of ['entries', 'manifest']) {
      await rename(below(name), at('elsewhere'));
      await symlink(at('elsewhere'), below(name));
      await expect(read()).rejects.toMatchObject(refusal(/: is no plain file$/));
      await rm(below(name));
      await rename(at('elsewhere'), below(name));
    }
    // Whoever opened it would wait for ever; and its name says that it is there.
    await rm(below('entries'));
    execFileSync('mkfifo', [below('entries')]);
    await expect(read()).rejects.toMatchObject(refusal(/: is no plain file$/));
  });

  it('with a manifest of any size are not read into memory', async () => {
    await truncate(below('manifest'), 2 ** 32);
    await expect(read()).rejects.toMatchObject(refusal(/: is too large for a manifest$/));
  });

  it('that are a file where a directory has to be are none', async () => {
    await rm(at('share', 'bundles'), { recursive: true });
    await writeFile(at('share', 'bundles'), '');
    await expect(read()).rejects.toMatchObject(refusal(/holds no bundle/));
  });
});
