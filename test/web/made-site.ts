import { createHash } from 'node:crypto';
import { type Gate, OPEN } from '../../src/http/gate.ts';
import { ownDatabase } from '../../src/http/database-handler.ts';
import { GokeepError } from '../../src/errors.ts';
import type { ModuleProxy } from '../../src/proxy/module-proxy.ts';
import type { ShownSignatures } from '../../src/publish/signing.ts';
import type { Yank } from '../../src/store/hosted-tables.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import type { RecordSource } from '../../src/store/log-records.ts';
import type { Candidate } from '../../src/sumdb/log-engine.ts';
import { DatabaseReader } from '../../src/sumdb/reader.ts';
import { openPages } from '../../src/web/pages.ts';
import type { SiteParts } from '../../src/web/site.ts';
import { DataDirectory, LOG_NAME } from '../cli/data-directory.ts';
import { InProcess, type InProcessOptions } from '../http/in-process.ts';
import { madeAdministration } from './made-administration.ts';
import { madeDesk } from './made-desk.ts';
import { MadeCatalogue, type MadeVersion } from './made-catalogue.ts';
import { madeStatus } from './made-status.ts';

export interface MadeSiteOptions {
  readonly versions?: readonly MadeVersion[];
  /** Records beside those of the versions. */
  readonly records?: readonly Candidate[];
  readonly gate?: Gate;
  readonly asksWho?: boolean;
  readonly url?: string;
  readonly yanks?: Readonly<Record<string, readonly Yank[]>>;
  readonly signatures?: ShownSignatures;
  readonly tls?: InProcessOptions['tls'];
  readonly parts?: Partial<SiteParts>;
  /** What a lookup answers, instead of the truth. */
  readonly lie?: (truth: string) => string;
}

export const NOW = Date.UTC(2026, 5, 1);

const h1 = (text: string) => `h1:${createHash('sha256').update(text).digest('base64')}`;

/** The record that a made version has. */
export function recordOf(path: string, version: string, source: RecordSource = 'proven'): Candidate {
  const evidence = source === 'proven' ? 'sum.golang.org@71848828 0123456789abcdef' : undefined;
  const provenance = { source, firstSeen: NOW / 1000 - 86_400, evidence };
  return { path, version, zip: h1(`${path}@${version}`), mod: h1(`${path}@${version}/go.mod`), provenance };
}

/** The pages over a made catalogue and a real log. */
export class MadeSite implements AsyncDisposable {
  readonly server: InProcess;
  readonly directory: DataDirectory;
  readonly log: LogReader;

  private constructor(server: InProcess, directory: DataDirectory, log: LogReader) {
    this.server = server;
    this.directory = directory;
    this.log = log;
  }

  static async start(o: MadeSiteOptions = {}): Promise<MadeSite> {
    const { versions = [], gate = OPEN, asksWho = gate !== OPEN } = o;
    const directory = await DataDirectory.create();
    const isPrivate = (path: string) => path.startsWith('private.test/');
    const own = versions.map(({ path, version }) =>
      recordOf(path, version, isPrivate(path) ? 'published' : 'proven'),
    );
    await directory.append([...own, ...(o.records ?? [])]);
    const log = new LogReader(directory.file('gokeep.db'));
    const reader = new DatabaseReader(log, () => {
      const head = log.publishedHead();
      if (head === undefined) throw new GokeepError('not_stored', 'nothing is here');
      return { ...head, root: head.root };
    });
    const record = async (path: string, version: string) => {
      const found = reader.find(path, version);
      if (found === undefined) throw new GokeepError('not_found', `no ${path}@${version}`);
      return found;
    };
    const database = ownDatabase(LOG_NAME, reader, { record } as unknown as ModuleProxy);
    const lookup: typeof database.lookup = async (...a) => {
      const truth = await database.lookup(...a);
      return o.lie === undefined ? truth : Buffer.from(o.lie(truth.toString()));
    };
    const catalogue = new MadeCatalogue(versions);
    const desk = await madeDesk(directory.file('desk'));
    const server = await InProcess.start({
      find: () => Promise.reject(new GokeepError('not_found', 'no modules here')),
      gate,
      isPrivate,
      tls: o.tls,
      databases: [{ ...database, lookup }],
      pages: (exchange, url) =>
        openPages({
          exchange,
          gate,
          asksWho,
          settings: () => ({ url: o.url ?? url(), vkey: directory.key.vkey }),
          name: LOG_NAME,
          catalogue,
          zips: catalogue,
          packages: catalogue,
          vulnerabilities: { of: async () => ({ kind: 'none' }) },
          reader,
          hosted: { yanks: (path) => [...(o.yanks?.[path] ?? [])] },
          signing: { show: () => o.signatures ?? { required: false, signed: false, signatures: [] } },
          goMod: async (path, version) => (await catalogue.read(path, version, 'go.mod', 2 ** 20))?.bytes,
          isPrivate,
          desk,
          status: madeStatus(),
          now: () => NOW,
          admin: madeAdministration(NOW),
          people: undefined,
          ...o.parts,
        }),
    });
    return new MadeSite(server, directory, log);
  }

  get url(): string {
    return this.server.url;
  }

  /** Notes that something else than what is on record was seen. */
  noteIncident(path: string, version: string, seen: string, source = 'https://upstream.test'): void {
    const { zip } = recordOf(path, version);
    this.directory.sql(
      'INSERT INTO incidents (at, kind, path, version, recorded, seen, source) VALUES (?, ?, ?, ?, ?, ?, ?)',
      NOW - 1000,
      'zip',
      path,
      version,
      zip,
      seen,
      source,
    );
  }

  /** A page as its reader gets it. */
  async page(target: string, headers: Record<string, string> = {}) {
    const answer = await this.server.get(target, { accept: 'text/html', ...headers });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.log.close();
    this.directory[Symbol.dispose]();
  }
}
