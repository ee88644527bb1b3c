/**
 * How long the catalogue takes to answer, over made-up modules: `node test/bench/catalogue-speed.ts [MODULES]`. Prints the
 * median and the slowest of each question; nothing is asserted.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { IndexCatalogue } from '../../src/catalogue/index-catalogue.ts';
import { openCatalogueDatabase } from '../../src/store/catalogue-database.ts';
import { CatalogueTable } from '../../src/store/catalogue-table.ts';
import { fillCatalogue } from './made-modules.ts';

const modules = Number(process.argv[2] ?? 100_000);
const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-catalogue-'));
try {
  const file = path.join(directory, 'catalogue.db');
  const db = openCatalogueDatabase(file);
  db.pragma('synchronous = NORMAL');
  const begun = performance.now();
  fillCatalogue(new CatalogueTable(db), modules);
  db.pragma('wal_checkpoint(TRUNCATE)');
  const took = performance.now() - begun;
  console.log(
    `${modules} modules in ${(took / 1000).toFixed(1)} s, ${(statSync(file).size / 2 ** 20).toFixed(0)} MiB`,
  );
  const some = String(db.prepare('SELECT path FROM modules ORDER BY dependents DESC LIMIT 1').pluck().get());
  db.close();
  using catalogue = new IndexCatalogue(file, (error) => console.error(error));
  catalogue.reopen();
  const queries = [
    'zap',
    'go',
    'client',
    'github.com',
    'github.com/',
    'github.com/zap',
    'grpc server',
    'yaml template uuid',
    'package',
    'package for',
    some,
    `${some}/x`,
    'nothinglikeit',
    'zzz',
    'http/log',
    'ie',
    'c',
    'zap for redis',
  ];
  const readers = {
    all: () => true,
    most: (modulePath: string) => !modulePath.startsWith('go.zap'),
    few: (modulePath: string) => modulePath.startsWith('go.zap'),
    none: () => false,
  };
  for (const [who, mayRead] of Object.entries(readers)) {
    const times: [string, number, number][] = [];
    const measure = (name: string, ask: () => number) => {
      const taken: number[] = [];
      let total = 0;
      for (let i = 0; i < 7; i++) {
        const from = performance.now();
        total = ask();
        taken.push(performance.now() - from);
      }
      times.push([name, taken.sort((a, b) => a - b)[3] ?? 0, total]);
    };
    for (const query of queries)
      measure(`search ${query}`, () => catalogue.search(query, { mayRead, limit: 20 }).total);
    measure('list', () => catalogue.list({ mayRead, limit: 20 }).total);
    measure('dependents', () => catalogue.dependents(some, { mayRead, limit: 20 }).length);
    measure('counts', () => catalogue.counts().modules);
    measure('facts', () => catalogue.facts(some, 'v1.0.0')?.packages.length ?? 0);
    for (const [name, median, total] of times)
      console.log(`${who.padEnd(5)} ${name.padEnd(40)} ${median.toFixed(2).padStart(8)} ms ${total}`);
  }
} finally {
  rmSync(directory, { recursive: true });
}
