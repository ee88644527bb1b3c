import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BundleDesk } from '../../src/airgap/jobs/desk.ts';
import { JobQueue } from '../../src/airgap/jobs/job-queue.ts';
import { MadeBundles } from '../../src/airgap/jobs/made-bundles.ts';
import { ReceiptList } from '../../src/airgap/jobs/receipt-list.ts';
import { bundleId, formatManifest } from '../../src/airgap/manifest.ts';
import { Receipts } from '../../src/airgap/receipts.ts';
import type { Wish } from '../../src/store/wish-table.ts';

const SHA256 = 'a'.repeat(64);
const NAME = `example.test/${'long-'.repeat(20)}name`;
const ENTRIES = ['mod', 'zip'].map((kind) => `${SHA256} 1000 log ${NAME}/@v/v1.0.0.${kind}\n`).join('');
const MANIFEST = formatManifest({
  signed: false,
  tool: 'gokeep/test',
  base: undefined,
  entries: {
    count: 2,
    bytes: 2000,
    size: ENTRIES.length,
    sha256: createHash('sha256').update(ENTRIES).digest('hex'),
  },
  databases: [],
  vulndb: undefined,
});

/** A bundle that was imported. */
export const BUNDLE = bundleId(MANIFEST);

/** A desk of a closed site that has a bundle of either kind and a wish. */
export async function madeDesk(data: string): Promise<BundleDesk> {
  const now = () => Date.UTC(2026, 5, 1);
  const receipt = path.join(data, 'bundles', BUNDLE);
  await mkdir(receipt, { recursive: true });
  await writeFile(path.join(receipt, 'manifest'), `${MANIFEST}\n— connected.test AAAA\n`);
  await writeFile(path.join(receipt, 'entries'), ENTRIES);
  await mkdir(path.join(data, 'bundles', 'c'.repeat(32)));
  await writeFile(path.join(data, 'bundles', 'c'.repeat(32), 'manifest'), 'damaged');
  const made = new MadeBundles({ data, mostBytes: 2 ** 40, mostAgeMs: 7 * 86_400_000, now });
  await made.open();
  const scratch = await made.scratch('a');
  await writeFile(path.join(scratch, 'out', 'bundle.tar'), 'bytes');
  const counts = { size: 5e9, zips: 12_345, mods: 23_456, signatures: 7 };
  await made.keep(scratch, {
    ...counts,
    id: 'b'.repeat(32),
    base: null,
    compressed: false,
    sha256: SHA256,
    madeAt: now(),
    by: `token:${'somebody-'.repeat(10)}`,
    databases: [],
    leftOut: [],
    missing: [],
  });
  await made.dropScratch('a');
  const wish: Wish = { path: NAME, query: 'latest', kinds: 32, asked: 3, lastAsked: now() };
  return new BundleDesk({
    queue: new JobQueue({ now, onEnd: () => undefined }),
    made,
    receipts: new ReceiptList(new Receipts(data), 'own.test'),
    importer: { run: () => Promise.reject(new Error('nothing is imported here')) },
    trail: { record: async () => undefined },
    program: { main: new URL('file:///nowhere'), args: [], env: () => ({}) },
    data,
    offline: true,
    canMake: true,
    trusts: [`connected.test+${'0'.repeat(8)}+${'A'.repeat(44)}`],
    diskReserve: 0,
    mostBytes: 2 ** 40,
    wishes: async () => [wish, { ...wish, query: 'v1.2.3', kinds: 2 }],
    now,
  });
}
