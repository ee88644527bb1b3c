/**
 * What a page costs the server where much is held: `node test/bench/page-cost.ts [MODULES]`. Prints for each page its bytes, the median
 * and the slowest of its times as a client on this machine sees them, and how many times that of a line of plain text, all in one run.
 * Nothing is asserted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { IndexCatalogue } from '../../src/catalogue/index-catalogue.ts';
import { openCatalogueDatabase } from '../../src/store/catalogue-database.ts';
import { CatalogueTable } from '../../src/store/catalogue-table.ts';
import { MadeSite, NOW, recordOf } from '../web/made-site.ts';
import { fillCatalogue } from './made-modules.ts';
import { median, ratio } from './table.ts';

const ROUNDS = 30;
/** A module with more versions than anybody reads. */
const TALL = 'example.test/team/tall';
const TALL_VERSIONS = 5_000;
const PLAINEST = '/livez';

const modules = Number(process.argv[2] ?? 100_000);
const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-pages-'));
try {
  const file = path.join(directory, 'catalogue.db');
  const db = openCatalogueDatabase(file);
  db.pragma('synchronous = NORMAL');
  const table = new CatalogueTable(db);
  fillCatalogue(table, modules - TALL_VERSIONS);
  table.inOne(() => {
    for (let n = 0; n < TALL_VERSIONS; n++)
      table.note(TALL, { version: `v1.${n}.0`, size: 1000, time: NOW - n * 1000 });
  });
  db.pragma('wal_checkpoint(TRUNCATE)');
  const wide = String(db.prepare('SELECT path FROM modules ORDER BY dependents DESC LIMIT 1').pluck().get());
  db.close();
  using catalogue = new IndexCatalogue(file, (error) => console.error(error));
  catalogue.reopen();
  const records = Array.from({ length: modules }, (_, n) => recordOf(`example.test/r${n}`, 'v1.0.0'));
  await using site = await MadeSite.start({ records, parts: { catalogue } });
  const pages = [
    '/',
    '/ui/search?q=zap',
    '/ui/search?q=grpc+server',
    '/ui/search?q=package',
    '/ui/modules',
    `/ui/mod/${wide}`,
    `/ui/mod/${wide}?tab=versions`,
    `/ui/mod/${wide}?tab=packages`,
    `/ui/mod/${wide}?tab=dependencies`,
    `/ui/mod/${wide}?tab=graph`,
    `/ui/mod/${wide}?tab=record`,
    `/ui/mod/${TALL}`,
    `/ui/mod/${TALL}?tab=versions`,
    '/ui/log',
    `/ui/log/records?from=${modules / 2}`,
    '/ui/status',
    '/ui/setup',
    '/ui/bundles',
    '/ui/admin/tokens',
    '/ui/admin/audit',
  ];
  const times = new Map<string, number[]>([PLAINEST, ...pages].map((target) => [target, []]));
  const bytes = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++)
    for (const [target, taken] of times) {
      const from = performance.now();
      const { status, text } = await site.page(target);
      taken.push(performance.now() - from);
      if (status !== 200) throw new Error(`${target} answered with ${status}`);
      bytes.set(target, Buffer.byteLength(text));
    }
  const plainest = median(times.get(PLAINEST) ?? []);
  console.log(`${modules} versions, and as many records`);
  for (const [target, taken] of times) {
    const [mid, slowest] = [median(taken), Math.max(...taken)].map((ms) => `${ms.toFixed(1)} ms`.padStart(9));
    const size = `${((bytes.get(target) ?? 0) / 1000).toFixed(1)} kB`.padStart(8);
    console.log(`${size} ${mid} ${slowest}  ${ratio(median(taken), plainest).padStart(9)}  ${target}`);
  }
} finally {
  rmSync(directory, { recursive: true });
}
