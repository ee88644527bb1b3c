import { readdir, readlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveFiles, fileChunks, plainChunks } from '../../src/airgap/archive.ts';
import { entriesIn, openBundle } from '../../src/airgap/bundle-reader.ts';
import { ClosedSite } from './closed-site.ts';
import { ingredients, type Packed, pack } from './made-bundle.ts';

let made: Awaited<ReturnType<typeof ingredients>>;
let good: Packed;
let site: ClosedSite;
let plain: string;
let packed: string;

beforeAll(async () => {
  made = await ingredients();
  // So that none of the files is read in one go.
  made.files.set('vulndb/ID/GO-2024-0001.json', Buffer.alloc(8 * 2 ** 20, 'x'));
  good = pack(made);
  site = await ClosedSite.open([made.own.verifier], [made.own.verifier, made.second.verifier]);
  plain = path.join(site.data, 'bundle.tar');
  packed = `${plain}.zst`;
  await writeFile(plain, good.bytes);
  await writeFile(packed, zstdCompressSync(good.bytes));
});

afterAll(() => site[Symbol.asyncDispose]());

async function openNow(): Promise<string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter((target) => target.startsWith(site.data));
}

const noneOpen = () => expect.poll(openNow).toEqual([]);

describe('who stops reading early leaves no file open', () => {
  it.each([['plain'], ['packed']])('of an archive that is %s', async (kind) => {
    const file = kind === 'plain' ? plain : packed;
    for await (const _ of plainChunks(fileChunks(file))) break;
    await noneOpen();
    for await (const _ of archiveFiles(plainChunks(fileChunks(file)))) break;
    await noneOpen();
    for await (const { body } of archiveFiles(plainChunks(fileChunks(file)))) {
      for await (const _ of body) break;
      break;
    }
    await noneOpen();
    const entries = path.join(site.data, 'entries');
    const bundle = await openBundle(plainChunks(fileChunks(file)), [made.own.verifier], entries);
    await bundle.close();
    await noneOpen();
    const again = await openBundle(plainChunks(fileChunks(file)), [made.own.verifier], entries);
    for await (const _ of again.files()) break;
    await noneOpen();
    await expect(openBundle(plainChunks(fileChunks(file)), [], entries)).rejects.toThrow('not signed');
    await noneOpen();
  });

  it('of a list of files', async () => {
    const list = path.join(site.data, 'list');
    await writeFile(list, good.members[1]!.body.toString().repeat(10_000));
    for await (const _ of entriesIn(list, { entries: { count: 0, bytes: 0, size: 0, sha256: '' } })) {
      // So that what is read ahead has been read.
      await sleep(100);
      break;
    }
    await noneOpen();
  });
});

describe('a list of files', () => {
  const all = async (text: string | Buffer) => {
    const list = path.join(site.data, 'other');
    await writeFile(list, text);
    for await (const _ of entriesIn(list, { entries: { count: 1, bytes: 5, size: 0, sha256: '' } }));
  };
  const line = (name: string) => `${'0'.repeat(64)} 5 log ${name}\n`;

  it('with a line longer than any can be is refused before more of it is read', async () => {
    await all(line('a'.repeat(8192)));
    await expect(all(line('a'.repeat(8193)))).rejects.toThrow('is malformed');
    const endless = path.join(site.data, 'endless');
    await writeFile(endless, '');
    // Far more than a string can hold.
    await truncate(endless, 2 ** 32);
    const read = entriesIn(endless, { entries: { count: 1, bytes: 5, size: 0, sha256: '' } });
    await expect(read.next()).rejects.toThrow('is malformed');
  });

  it('ends each line with a newline and nothing else', async () => {
    await all(line('a'));
    await expect(all(line('a').slice(0, -1))).rejects.toThrow('is malformed');
    await expect(all(line('a').replace('\n', '\r\n'))).rejects.toThrow('is malformed');
    await expect(all(`${line('a')}\n`)).rejects.toThrow('is malformed');
  });
});
