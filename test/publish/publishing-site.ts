import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { generateKey } from '../../src/note/signer.ts';
import { GokeepError } from '../../src/errors.ts';
import { verifyZipFile } from '../../src/proxy/zip-worker.ts';
import type { InspectedZip } from '../../src/proxy/zip-verifier.ts';
import { Publishing, type PublishingOptions } from '../../src/publish/publishing.ts';
import { Yanking } from '../../src/publish/yanking.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import type { Incident } from '../../src/store/log-records.ts';
import { ModuleStore } from '../../src/store/module-store.ts';
import { Sequencer } from '../../src/sumdb/sequencer.ts';
import { zipOf } from '../modzip/zip.ts';

export const CORP = 'corp.test/lib';

/** A module's zip, as another program would make it. */
export function moduleZipOf(
  modulePath: string,
  version: string,
  files: Readonly<Record<string, string>> = {},
): Buffer {
  const all = { 'go.mod': `module ${modulePath}\n\ngo 1.21\n`, 'a.go': 'package a\n', ...files };
  return zipOf(
    Object.entries(all)
      .filter(([, content]) => content !== '')
      .map(([name, content]) => ({
        name: `${modulePath}@${version}/${name}`,
        content: Buffer.from(content),
      })),
  );
}

/** The same files as {@link moduleZipOf} packs, by a program that compresses nothing: another zip with the same `h1:`. */
export function uncompressedZipOf(
  modulePath: string,
  version: string,
  files: Readonly<Record<string, string>> = {},
): Buffer {
  const all = { 'go.mod': `module ${modulePath}\n\ngo 1.21\n`, 'a.go': 'package a\n', ...files };
  return zipOf(
    Object.entries(all)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => {
        const content = Buffer.from(text);
        const packed = deflateRawSync(content, { level: 0 });
        return { name: `${modulePath}@${version}/${name}`, content, packed };
      }),
  );
}

/** As the pool of workers does, in this thread. */
export async function inspect(file: string, modulePath: string, version: string): Promise<InspectedZip> {
  const verdict = await verifyZipFile({ file, path: modulePath, version, wantsGoMod: true });
  if ('code' in verdict) throw new GokeepError(verdict.code, verdict.message);
  const { h1, goMod, irregular } = verdict;
  return { h1, goMod: goMod === undefined ? undefined : Buffer.from(goMod), irregular };
}

/** What takes in published versions, on a store and a log of its own. */
export class PublishingSite implements AsyncDisposable {
  readonly directory: string;
  readonly incidents: Incident[] = [];
  /** How often something that was answered before went out of date. */
  changes = 0;
  readonly store: ModuleStore;
  readonly sequencer: Sequencer;
  readonly log: LogReader;
  readonly publishing: Publishing;
  readonly yanking: Yanking;

  private constructor(directory: string, sequencer: Sequencer, o: Partial<PublishingOptions>) {
    this.directory = directory;
    this.store = new ModuleStore(directory);
    this.sequencer = sequencer;
    this.log = new LogReader(path.join(directory, 'gokeep.db'));
    const common = {
      find: (modulePath: string, version: string) => {
        const record = this.log.find(modulePath, version);
        return record !== undefined && record.id < (sequencer.head?.size ?? 0) ? record : undefined;
      },
      sequencer,
      isPrivate: (modulePath: string) => modulePath.startsWith('corp.test/'),
      now: Date.now,
    };
    const onChanged = () => void this.changes++;
    this.publishing = new Publishing({
      data: directory,
      store: this.store,
      ...common,
      isHosted: (modulePath, version) => this.hosted(modulePath).includes(version),
      zips: { inspect },
      incidents: (incident) => this.incidents.push(incident),
      diskReserve: 0,
      onPublished: onChanged,
      ...o,
    });
    this.yanking = new Yanking({
      ...common,
      reasonOf: (modulePath, version) => this.reasonOf(modulePath, version),
      ...('sequencer' in o ? { sequencer: o.sequencer } : {}),
      onChanged,
    });
  }

  /** @param directory where another site was; otherwise a new one */
  static async open(o: Partial<PublishingOptions> = {}, directory?: string): Promise<PublishingSite> {
    const at = directory ?? (await mkdtemp(path.join(tmpdir(), 'gokeep-site-')));
    await new ModuleStore(at).clearTemporary();
    const sequencer = new Sequencer(
      {
        database: path.join(at, 'gokeep.db'),
        mark: path.join(at, 'sumdb.mark'),
        skey: generateKey('site.test', Buffer.alloc(32, 7)).skey,
      },
      { onHead: () => undefined, onFatal: () => undefined },
    );
    await sequencer.start();
    return new PublishingSite(at, sequencer, o);
  }

  reasonOf(modulePath: string, version: string): string | undefined {
    return this.log.hosted.yanks(modulePath).find((each) => each.version === version)?.reason;
  }

  hosted(modulePath: string): string[] {
    return this.log.hosted.hosted(modulePath).map(({ version }) => version);
  }

  publish(modulePath: string, version: string, zip: Buffer | AsyncIterable<Buffer>) {
    const body = Buffer.isBuffer(zip) ? inPieces(zip) : zip;
    const { signal } = new AbortController();
    return this.publishing.publish({ path: modulePath, version }, body, undefined, signal);
  }

  /** Files that wait: uploads and staged versions. */
  async leftovers(): Promise<string[]> {
    await this.publishing.settled();
    const names = await Promise.all(
      ['tmp', 'publish'].map((name) => readdir(path.join(this.directory, name)).catch(() => [])),
    );
    return names.flat();
  }

  /** Closes it and leaves its files. */
  async close(): Promise<void> {
    await this.publishing.settled();
    await this.sequencer.close();
    this.log.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}
