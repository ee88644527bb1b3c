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

const WORDS =
  'api auth aws bench build cache chart client cloud cluster cobra codec config crypto data db diff docker event fast flag git graph grpc hash http json jwt kube log logger map mesh metric mock net oauth parse pool proto proxy queue redis rest route rpc server sql ssh store stream sync table template test text time tls token tool trace tree type util uuid vault web worker xml yaml zap'.split(
    ' ',
  );

let state = 1;
const below = (n: number) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 8) % n;
};
const word = () => WORDS[below(WORDS.length)] ?? '';
/** Made up, so that most owners have few modules. */
const owner = () => `${word()}${below(20_000).toString(36)}`;
const sentence = () => `Package ${word()} ${Array.from({ length: 8 }, word).join(' ')} for ${word()}s.`;

function fill(table: CatalogueTable, modules: number): void {
  const paths: string[] = [];
  for (let from = 0; from < modules; from += 500) {
    table.inOne(() => {
      for (let at = from; at < Math.min(modules, from + 500); at++) {
        const host = below(10) < 7 ? 'github.com' : `go.${word()}.example`;
        const modulePath = `${host}/${owner()}/${word()}-${word()}${at % 3 === 0 ? '' : at.toString(36)}`;
        paths.push(modulePath);
        const packages = Array.from({ length: 1 + below(20) }, (_, i) => ({
          importPath: i === 0 ? modulePath : `${modulePath}/${word()}/${word()}${i}`,
          name: word(),
          synopsis: sentence(),
        }));
        // A few are required by many.
        const requires = Array.from({ length: below(30) }, () => ({
          path: paths[Math.floor(paths.length * (below(1000) / 1000) ** 4)] ?? modulePath,
          version: 'v1.0.0',
          indirect: false,
        }));
        table.note(modulePath, { version: 'v1.0.0', size: 1000, time: 0 });
        const synopsis = packages[0]?.synopsis ?? '';
        table.setFacts(modulePath, 'v1.0.0', {
          synopsis,
          readme: 'README.md',
          licence: 'MIT',
          packages,
          requires,
        });
      }
    });
  }
}

const modules = Number(process.argv[2] ?? 100_000);
const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-catalogue-'));
try {
  const file = path.join(directory, 'catalogue.db');
  const db = openCatalogueDatabase(file);
  db.pragma('synchronous = NORMAL');
  const begun = performance.now();
  fill(new CatalogueTable(db), modules);
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
