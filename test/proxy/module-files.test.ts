import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ErrorCode, GokeepError } from '../../src/errors.ts';
import { h1OfGoMod } from '../../src/modzip/dirhash.ts';
import { ModuleFiles } from '../../src/proxy/module-files.ts';
import { Records } from '../../src/proxy/records.ts';
import type { ZipVerifier } from '../../src/proxy/zip-verifier.ts';
import type { LoggedRecord } from '../../src/store/log-reader.ts';
import type { Incident } from '../../src/store/log-records.ts';
import { ModuleStore } from '../../src/store/module-store.ts';
import type { DatabaseReader } from '../../src/sumdb/reader.ts';
import type { Sequencer } from '../../src/sumdb/sequencer.ts';
import type { Routing } from '../../src/upstream/routing.ts';

const MOD = 'module a.test/m\n';
const MOD_H1 = h1OfGoMod(Buffer.from(MOD));
const V = 'v1.0.0';

/** The h1 of the stand-in for a zip: what the verifier below says of these bytes. */
const h1Of = (zip: string): string => `h1:${zip}`;

/** Everything around ModuleFiles, scripted; the store is real. */
class Stage {
  readonly fetched: string[] = [];
  readonly incidents: Incident[] = [];
  readonly log = new Map<string, LoggedRecord>();
  /** A body by kind, or the code of a failure. */
  upstream: Record<string, string> = { info: `{"Version":"${V}"}`, mod: MOD, zip: 'zip' };
  /** What the proving database says; a code is its failure. */
  proven: { zip: string; mod: string } | ErrorCode = { zip: h1Of('zip'), mod: MOD_H1 };
  logFails = false;

  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async start(o: { offline?: boolean; proving?: boolean } = {}): Promise<ModuleFiles> {
    const store = new ModuleStore(this.directory);
    await store.clearTemporary();
    const say = (kind: string): string => {
      this.fetched.push(kind);
      const said = this.upstream[kind] ?? 'internal';
      if (/^[a-z_]+$/.test(said) && said !== 'zip' && said !== 'other') {
        throw new GokeepError(said as ErrorCode, `upstream said ${said}`);
      }
      return said;
    };
    const chain = {
      fetch: async ({ kind }: { kind: string }) => ({ body: Buffer.from(say(kind)), source: 'up' }),
      fetchZip: async (
        _path: string,
        _version: string,
        handle: { writeFile(text: string): Promise<void> },
      ) => {
        await handle.writeFile(say('zip'));
        return { source: 'up' };
      },
    };
    const sequencer = {
      add: async (record: Omit<LoggedRecord, 'id'>) => {
        if (this.logFails) throw new GokeepError('log_frozen', 'frozen');
        const { path: modulePath, version, zip, mod } = record;
        this.log.set(`${modulePath}@${version}`, { id: 0, path: modulePath, version, zip, mod });
        return { kind: 'added', id: 0 };
      },
    };
    const reader = {
      find: (modulePath: string, version: string) => this.log.get(`${modulePath}@${version}`),
      provenance: () => ({ source: 'proven' }),
    };
    const isPrivate = (modulePath: string) => modulePath.startsWith('private.test/');
    const routing = { chainFor: () => chain, isPrivate } as unknown as Routing;
    const { offline = false, proving = true } = o;
    const incidents = (incident: Incident) => void this.incidents.push(incident);
    const lookup = async () => {
      if (typeof this.proven === 'string')
        throw new GokeepError(this.proven, `the database said ${this.proven}`);
      return { ...this.proven, head: { size: 1, root: Buffer.alloc(32) } };
    };
    const records = new Records({
      reader: reader as unknown as DatabaseReader,
      sequencer: sequencer as unknown as Sequencer,
      isPrivate,
      proving: proving ? ({ name: 'sum.test', lookup } as never) : undefined,
      offline,
      incidents,
      now: () => 0,
    });
    const verify = async (file: string) => {
      const zip = readFileSync(file, 'utf8');
      if (zip === '') throw new GokeepError('bad_zip', 'no zip');
      return { h1: h1Of(zip) };
    };
    const zips = { verify } as unknown as ZipVerifier;
    return new ModuleFiles({ store, records, routing, zips, incidents, offline, diskReserve: 0 });
  }

  /** Names of everything on disk below the store, temporary files included, directories left out. */
  async held(): Promise<string[]> {
    const entries = await readdir(this.directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  }
}

const access = { cachedOnly: false, signal: new AbortController().signal };
const storeOnly = { ...access, cachedOnly: true };

let stage: Stage;

beforeEach(async () => {
  stage = new Stage(await mkdtemp(path.join(tmpdir(), 'gokeep-files-')));
});

afterEach(() => rm(stage.directory, { recursive: true }));

describe('a public version', () => {
  it('each file is fetched for itself, once, and then comes from the store', async () => {
    const files = await stage.start();
    expect(await files.info('a.test/m', V, access)).toMatchObject({ origin: 'upstream', immutable: true });
    expect(stage.fetched).toEqual(['info']);
    expect(await files.mod('a.test/m', V, access)).toMatchObject({ origin: 'upstream' });
    expect(await files.zip('a.test/m', V, access)).toMatchObject({ origin: 'upstream', size: 3 });
    for (const kind of ['info', 'mod', 'zip'] as const) {
      expect(await files[kind]('a.test/m', V, storeOnly)).toMatchObject({ origin: 'store' });
    }
    expect(stage.fetched).toEqual(['info', 'mod', 'zip']);
    expect(await stage.held()).toEqual(['list', 'v1.0.0.info', 'v1.0.0.mod', 'v1.0.0.zip']);
  });

  it('a record needs no zip and no go.mod', async () => {
    const files = await stage.start();
    expect(await files.record('a.test/m', V, access)).toMatchObject({ zip: h1Of('zip'), mod: MOD_H1 });
    expect(stage.fetched).toEqual([]);
    expect(await stage.held()).toEqual([]);
  });

  it.each(['mod', 'zip'] as const)(
    'a %s that differs from the record is an incident: nothing is stored',
    async (kind) => {
      const files = await stage.start();
      stage.upstream = { ...stage.upstream, mod: 'module other\n', zip: 'other' };
      await expect(files[kind]('a.test/m', V, access)).rejects.toMatchObject({
        code: 'mismatch',
        message: expect.stringContaining(`a.test/m@${V}`) as string,
      });
      expect(stage.incidents).toMatchObject([{ kind, path: 'a.test/m', version: V, source: 'up' }]);
      expect(await stage.held()).toEqual([]);
      stage.upstream = { ...stage.upstream, mod: MOD, zip: 'zip' };
      expect(await files[kind]('a.test/m', V, access)).toMatchObject({ origin: 'upstream' });
    },
  );

  it('a version that the database does not know is refused, and nothing is logged or stored', async () => {
    const files = await stage.start();
    stage.proven = 'not_found';
    for (const kind of ['mod', 'zip'] as const) {
      await expect(files[kind]('a.test/m', V, access)).rejects.toMatchObject({ code: 'refused' });
    }
    expect(stage.log.size).toBe(0);
    expect(await stage.held()).toEqual([]);
  });

  it.each([
    ['not_found', 'not_found', 'not_found'],
    ['gone', 'upstream_failed', 'gone'],
    ['upstream_failed', 'not_found', 'refused'],
    ['upstream_failed', 'bad_proof', 'bad_proof'],
  ] as const)(
    'when upstream says %s and the database %s, the client hears %s',
    async (zip, database, heard) => {
      const files = await stage.start();
      stage.upstream = { ...stage.upstream, zip };
      stage.proven = database;
      await expect(files.zip('a.test/m', V, access)).rejects.toMatchObject({ code: heard });
      expect(await stage.held()).toEqual([]);
    },
  );

  it('many clients at once are one fetch', async () => {
    const files = await stage.start();
    const answers = await Promise.all(Array.from({ length: 20 }, () => files.zip('a.test/m', V, access)));
    expect(answers.every(({ kind }) => kind === 'file')).toBe(true);
    expect(stage.fetched).toEqual(['zip']);
  });
});

describe('a private version', () => {
  const asked = 'private.test/m';

  it('its record is computed from both files, which are then held with the .info of that time', async () => {
    const files = await stage.start();
    stage.proven = 'internal';
    expect(await files.mod(asked, V, access)).toMatchObject({ origin: 'upstream' });
    expect(stage.log.get(`${asked}@${V}`)).toMatchObject({ zip: h1Of('zip'), mod: MOD_H1 });
    expect(await files.zip(asked, V, access)).toMatchObject({ origin: 'store' });
    expect(await files.info(asked, V, access)).toMatchObject({ origin: 'store' });
    expect(stage.fetched.sort()).toEqual(['info', 'mod', 'zip']);
  });

  it('keeps nothing when the log refuses', async () => {
    const files = await stage.start();
    stage.logFails = true;
    await expect(files.zip(asked, V, access)).rejects.toMatchObject({ code: 'log_frozen' });
    expect(await stage.held()).toEqual([]);
  });

  it('keeps nothing, and leaves no temporary file, when its zip is bad or one of the two is missing', async () => {
    const files = await stage.start();
    for (const upstream of [
      { zip: '', mod: MOD },
      { zip: 'zip', mod: 'not_found' },
      { zip: 'upstream_timeout', mod: MOD },
    ]) {
      stage.upstream = upstream;
      await expect(files.zip(asked, V, access)).rejects.toBeInstanceOf(GokeepError);
    }
    expect(stage.log.size).toBe(0);
    expect(await stage.held()).toEqual([]);
  });
});

describe('from the store only', () => {
  it.each([
    ['offline', true, access],
    ['for a request that asks for it', false, storeOnly],
  ])('%s, nothing is fetched, and what is not held is said to be so', async (_what, offline, find) => {
    const files = await stage.start({ offline });
    for (const kind of ['info', 'mod', 'zip', 'record'] as const) {
      await expect(files[kind]('a.test/m', V, find)).rejects.toMatchObject({ code: 'not_stored' });
    }
    expect(stage.fetched).toEqual([]);
  });

  it('a version whose zip alone is held has the least .info that go needs, and not for ever', async () => {
    const online = await stage.start();
    await online.zip('a.test/m', V, access);
    const answer = await online.info('a.test/m', V, storeOnly);
    expect(answer).toMatchObject({ body: Buffer.from(`{"Version":"${V}"}`), immutable: false });
    expect(await online.info('a.test/m', V, access)).toMatchObject({ origin: 'upstream', immutable: true });
  });
});
