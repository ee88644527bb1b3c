import path from 'node:path';
import type { Logger } from 'pino';
import type { Catalogue, PackageReader, ZipFiles } from '../catalogue/catalogue.ts';
import { IndexCatalogue } from '../catalogue/index-catalogue.ts';
import { Indexer } from '../catalogue/indexer.ts';
import { StoredDocs } from '../catalogue/stored-docs.ts';
import { StoredZipFiles } from '../catalogue/zip-files.ts';
import type { Config } from '../config/load.ts';
import { ModuleStore } from '../store/module-store.ts';
import { CATALOGUE_DATABASE } from './data-files.ts';

export interface CatalogueParts {
  readonly log: Pick<Logger, 'warn'>;
  readonly onHiddenError: (error: unknown, what: string) => void;
}

/** The modules held, as files and as people look at them. */
export interface ServedCatalogue {
  /** What is named in it is looked at by the catalogue. */
  readonly store: ModuleStore;
  readonly catalogue: Catalogue;
  readonly zipFiles: ZipFiles;
  readonly packages: PackageReader;
  /** Begins to read what is held; until then the catalogue is empty. Once the server listens: nobody waits for it. */
  start(): void;
}

/** @param cleanup closes in the reverse of the order in which things are opened here */
export function openCatalogue(
  config: Config,
  { log, onHiddenError }: CatalogueParts,
  cleanup: AsyncDisposableStack,
): ServedCatalogue {
  const database = path.join(config.data, CATALOGUE_DATABASE);
  const catalogue = cleanup.use(
    new IndexCatalogue(database, (error) => {
      onHiddenError(error, 'the catalogue of modules cannot be read; it is made again');
      indexer.rebuild();
    }),
  );
  const indexer = cleanup.use(
    new Indexer({
      database,
      data: config.data,
      onReady: () => catalogue.reopen(),
      onSkipped: (modulePath, version, reason) =>
        log.warn(
          { path: modulePath, version, reason },
          'a stored zip cannot be read for the catalogue: run `gokeep fsck`',
        ),
      onTrouble: (problem) =>
        onHiddenError(new Error(problem), 'the catalogue of modules cannot be filled; it is tried again'),
    }),
  );
  const store = new ModuleStore(config.data, ({ kind, path: modulePath, version }) => {
    if (kind !== 'mod') indexer.add(modulePath, version);
  });
  const packages = cleanup.use(new StoredDocs({ store }));
  const zipFiles = new StoredZipFiles(store);
  return { store, catalogue, zipFiles, packages, start: () => indexer.start() };
}
