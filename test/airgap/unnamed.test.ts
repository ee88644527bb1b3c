import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reportUnnamed } from '../../src/airgap/unnamed.ts';
import { chainOfThree, unpack } from './chain.ts';
import { ClosedSite } from './closed-site.ts';
import { LEAF } from './made-bundle.ts';

const UNNAMED = 'is named by no manifest of the bundles here; take it away';
const LEAF_ZIP = `${LEAF}/@v/v1.0.0.zip`;

let made: Awaited<ReturnType<typeof chainOfThree>>;
let site: ClosedSite;
let share: string;
const at = (...names: string[]) => path.join(site.data, ...names);
const problems = async () => (await site.verified(share)).problems.toSorted();

async function plant(name: string): Promise<void> {
  await mkdir(path.dirname(path.join(share, name)), { recursive: true });
  await writeFile(path.join(share, name), 'planted');
}

beforeAll(async () => {
  made = await chainOfThree();
});

beforeEach(async () => {
  site = await ClosedSite.for(made);
  share = await unpack(at('share'), ...made.bundles);
});

afterEach(() => site[Symbol.asyncDispose]());

describe('a directory that is verified', () => {
  it('holds no file that no bundle of the chain names, and each one is named', async () => {
    const id = made.bundles[0].id;
    const planted = [
      'README',
      '.hidden',
      `bundles/${'0'.repeat(32)}/entries`,
      `bundles/${id}/more`,
      'example.test/other/@v/list',
      `${LEAF}/@v/main.info`,
      `${LEAF}/@v/.git`,
      'sumdb/own.test/sumdb/lookup/example.test/other@v1.0.0',
      'vulndb/ID/GO-2024-0001.json',
      'vulndb/index/db.json',
    ];
    for (const name of planted) await plant(name);
    expect(await problems()).toEqual(planted.map((name) => `${name}: ${UNNAMED}`).toSorted());
  });

  it('holds nothing but plain files and directories: a link is not followed, wherever it leads', async () => {
    const zip = path.join(share, LEAF_ZIP);
    await rename(zip, at('outside.zip'));
    await symlink(at('outside.zip'), zip);
    expect(await problems()).toEqual([`${LEAF_ZIP}: is no plain file`]);
    await rm(zip);
    execFileSync('mkfifo', [zip]);
    expect(await problems()).toEqual([`${LEAF_ZIP}: is no plain file`]);
    await rm(zip);
    await rename(at('outside.zip'), zip);
    await symlink('/', path.join(share, 'vulndb'));
    await symlink('/none', path.join(share, 'example.test/dangling'));
    expect(await problems()).toEqual(['example.test/dangling: is no plain file', 'vulndb: is no plain file']);
  });

  it('is reached through plain directories alone', async () => {
    await rename(path.join(share, LEAF), at('outside'));
    await symlink(at('outside'), path.join(share, LEAF));
    const found = await problems();
    expect(found).toContain(`${LEAF}: is no plain file`);
    expect(found).toContain(`${LEAF_ZIP}: lies behind ${LEAF}, which is no plain directory`);
    await rm(path.join(share, LEAF));
    await rename(at('outside'), path.join(share, LEAF));
    await rename(path.join(share, 'bundles'), at('outside'));
    await symlink(at('outside'), path.join(share, 'bundles'));
    expect((await problems()).join('\n')).toMatch(/lies behind bundles, which is no plain directory/);
  });

  it('has at its top what git has there, which is passed over', async () => {
    for (const name of ['.git/config', '.gitattributes', '.gitignore', '.lfsconfig']) await plant(name);
    expect(await problems()).toEqual([]);
  });
});

describe('what lies beside the files of bundles', () => {
  const reported = async (): Promise<string[]> => {
    const found: string[] = [];
    await reportUnnamed(
      at('beside'),
      (name) => name === 'named',
      (problem) => found.push(problem),
    );
    return found.toSorted();
  };

  it('is reported a thousand times, and then counted', async () => {
    await mkdir(at('beside'));
    await Promise.all(Array.from({ length: 1_003 }, (_, n) => writeFile(at('beside', `f${n}`), '')));
    await writeFile(at('beside', 'named'), '');
    const found = await reported();
    expect(found).toHaveLength(1_001);
    expect(found[0]).toBe('3 more files lie here that do not belong to the bundles');
  });

  it('is not followed down for ever', async () => {
    await mkdir(at('beside', ...Array.from({ length: 300 }, () => 'd')), { recursive: true });
    expect(await reported()).toEqual([
      expect.stringMatching(/^(?:d\/)+d: lies deeper than any file of a bundle/),
    ]);
  });

  it.skipIf(process.platform !== 'linux')('is reported where its name is none that can be read', async () => {
    await mkdir(Buffer.concat([Buffer.from(at('beside/')), Buffer.of(0xff)]), { recursive: true });
    expect(await reported()).toEqual(['\ufffd: cannot be read; see to its permissions, or take it away']);
  });
});
