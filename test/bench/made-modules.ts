import type { CatalogueTable } from '../../src/store/catalogue-table.ts';

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

/** Notes so many made-up modules, the same each time, of one version each. A few are required by many. */
export function fillCatalogue(table: CatalogueTable, modules: number): void {
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
