import { describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { h1OfGoMod } from '../../src/modzip/dirhash.ts';
import type { LoggedRecord } from '../../src/store/log-reader.ts';
import type { Incident, Provenance } from '../../src/store/log-records.ts';
import { type MonitorOptions, monitorRound } from '../../src/trust/monitor.ts';

const COMMIT = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);
const MOD = Buffer.from('module corp.test/x\n');

/** A log of versions, and repositories that are as recorded until a test says otherwise. */
class World {
  readonly records: LoggedRecord[] = [];
  readonly #byName = new Map<string, { url: string | undefined; tag: string | undefined }>();
  readonly provenances = new Map<number, Provenance>();
  /** What `git ls-remote` says, by URL. */
  readonly remotes = new Map<string, Map<string, string> | Error>();
  readonly asked: string[] = [];
  readonly fetched: string[] = [];
  readonly told: Incident[] = [];
  mod: Buffer | Error = MOD;

  hold(path: string, version: string, url: string | undefined, tag: string | undefined): void {
    const id = this.records.length;
    this.records.push({ id, path, version, zip: 'h1:zip', mod: h1OfGoMod(MOD) });
    this.#byName.set(`${path}@${version}`, { url, tag });
    if (url === undefined) return;
    const tags = this.remotes.get(url) ?? new Map<string, string>();
    this.remotes.set(url, tags);
    if (tag !== undefined && tags instanceof Map) tags.set(tag, COMMIT);
  }

  /** A tagged version of a repository of the same name. */
  release(path: string, version: string, url = `https://${path}`): void {
    this.hold(path, version, url, `refs/tags/${version}`);
  }

  move(path: string, version: string, commit: string | undefined): void {
    const tags = this.remotes.get(`https://${path}`) as Map<string, string>;
    if (commit === undefined) tags.delete(`refs/tags/${version}`);
    else tags.set(`refs/tags/${version}`, commit);
  }

  fail(path: string, code: 'not_found' | 'upstream_timeout' | 'upstream_refused'): void {
    this.remotes.set(`https://${path}`, new GokeepError(code, `${path}: ${code}`));
  }

  round(signal = new AbortController().signal) {
    const options: MonitorOptions = {
      log: {
        recordsFrom: (from, limit) => this.records.filter(({ id }) => id >= from).slice(0, limit),
        provenance: (id) =>
          this.provenances.get(id) ?? { source: 'computed', firstSeen: 1, evidence: 'direct' },
      },
      isPrivate: (path) => path.startsWith('corp.test/') || path.startsWith('other.test/'),
      info: async (path, version) => {
        const found = this.#byName.get(`${path}@${version}`);
        if (found?.url === undefined) return undefined;
        const origin = { VCS: 'git', URL: found.url, Hash: COMMIT, Ref: found.tag };
        return Buffer.from(JSON.stringify({ Version: version, Origin: origin }));
      },
      tags: async (url) => {
        this.asked.push(url);
        const said = this.remotes.get(url)!;
        if (said instanceof Error) throw said;
        return said;
      },
      fetchMod: async (path, version) => {
        this.fetched.push(`${path}@${version}`);
        if (this.mod instanceof Error) throw this.mod;
        return this.mod;
      },
      recorded: (path, version) =>
        this.told.filter((one) => one.path === path && one.version === version).toReversed(),
      onIncident: (incident) => this.told.push(incident),
      now: () => 1_000,
    };
    return monitorRound(options, signal);
  }
}

describe('a round over the private versions on record', () => {
  it('asks each repository once, however many versions it has: 10,000 versions of 5 repositories', async () => {
    const world = new World();
    for (let n = 0; n < 10_000; n++) world.release(`corp.test/r${n % 5}`, `v1.${n}.0`);
    expect(await world.round()).toMatchObject({ repositories: 5, same: 10_000, incidents: [], troubles: [] });
    expect(world.asked.sort()).toEqual([0, 1, 2, 3, 4].map((n) => `https://corp.test/r${n}`));
  });

  it('takes an address with and without .git for one repository', async () => {
    const world = new World();
    world.release('corp.test/lib', 'v1.0.0');
    world.release('corp.test/lib/sub', 'v1.0.0', 'https://corp.test/lib.git');
    expect(await world.round()).toMatchObject({ repositories: 1, same: 2 });
    expect(world.asked).toEqual(['https://corp.test/lib']);
  });

  it('names no public path to anybody, and none that came through another proxy', async () => {
    const world = new World();
    world.release('public.test/lib', 'v1.0.0');
    world.release('corp.test/lib', 'v1.0.0');
    world.provenances.set(1, { source: 'computed', firstSeen: 1, evidence: 'https://proxy.test' });
    world.hold('corp.test/blank', 'v1.0.0', undefined, undefined);
    expect(await world.round()).toMatchObject({ repositories: 0, unknown: 2, incidents: [] });
    expect(world.asked).toEqual([]);
  });

  it('a moved tag is an incident, told once; one that moves on is another', async () => {
    const world = new World();
    world.release('corp.test/lib', 'v1.0.0');
    world.release('corp.test/lib', 'v1.1.0');
    world.move('corp.test/lib', 'v1.0.0', OTHER);
    const incident = {
      at: 1_000,
      kind: 'tag',
      path: 'corp.test/lib',
      version: 'v1.0.0',
      recorded: COMMIT,
      seen: OTHER,
      source: 'https://corp.test/lib',
    };
    expect(await world.round()).toMatchObject({ same: 1, incidents: [incident], fresh: [incident] });
    expect(await world.round()).toMatchObject({ incidents: [incident], fresh: [] });
    expect(world.told).toEqual([incident]);
    world.move('corp.test/lib', 'v1.0.0', 'c'.repeat(40));
    expect((await world.round()).fresh).toMatchObject([{ seen: 'c'.repeat(40) }]);
  });

  it('a tag that is gone is an incident, and nothing is fetched for it', async () => {
    const world = new World();
    world.release('corp.test/lib', 'v1.0.0');
    world.move('corp.test/lib', 'v1.0.0', undefined);
    expect((await world.round()).fresh).toMatchObject([{ kind: 'tag', seen: 'nothing' }]);
    expect(world.fetched).toEqual([]);
  });

  it('the go.mod of a moved tag is fetched, and is an incident where it differs from the record', async () => {
    const world = new World();
    world.release('corp.test/lib', 'v1.0.0');
    world.move('corp.test/lib', 'v1.0.0', OTHER);
    world.mod = Buffer.from('module corp.test/other\n');
    expect((await world.round()).fresh).toMatchObject([
      { kind: 'tag' },
      { kind: 'mod', recorded: h1OfGoMod(MOD), seen: h1OfGoMod(world.mod) },
    ]);
    await world.round();
    expect(world.fetched).toEqual(['corp.test/lib@v1.0.0']);
  });

  it('whoever moves thousands of tags has not thousands of them fetched', async () => {
    const world = new World();
    for (let n = 0; n < 200; n++) {
      world.release('corp.test/lib', `v1.${n}.0`);
      world.move('corp.test/lib', `v1.${n}.0`, OTHER);
    }
    expect((await world.round()).fresh.length).toBe(200);
    expect(world.fetched.length).toBe(50);
  });

  it('a repository that is gone is one incident of each module path in it', async () => {
    const world = new World();
    world.release('corp.test/lib', 'v1.0.0');
    world.release('corp.test/lib', 'v1.1.0');
    world.hold('corp.test/lib/sub', 'v0.1.0', 'https://corp.test/lib', 'refs/tags/sub/v0.1.0');
    world.fail('corp.test/lib', 'not_found');
    expect((await world.round()).fresh).toMatchObject([
      { kind: 'repository', path: 'corp.test/lib', version: '', seen: 'nothing' },
      { kind: 'repository', path: 'corp.test/lib/sub', version: '' },
    ]);
    expect((await world.round()).fresh).toEqual([]);
  });

  it('a commit without a tag is as it was where its repository is there', async () => {
    const world = new World();
    world.hold('corp.test/lib', 'v0.0.0-20240102030405-aaaaaaaaaaaa', 'https://corp.test/lib', undefined);
    expect(await world.round()).toMatchObject({ untagged: 1, incidents: [] });
    world.fail('corp.test/lib', 'not_found');
    expect((await world.round()).fresh).toMatchObject([{ kind: 'repository' }]);
  });

  it('a host that does not answer, or refuses us, is trouble and no incident; its silence costs one deadline', async () => {
    const world = new World();
    for (const name of ['a', 'b', 'c', 'd']) {
      world.release(`corp.test/${name}`, 'v1.0.0');
      world.fail(`corp.test/${name}`, 'upstream_timeout');
    }
    world.release('other.test/lib', 'v1.0.0');
    world.fail('other.test/lib', 'upstream_refused');
    const { incidents, troubles } = await world.round();
    expect(incidents).toEqual([]);
    expect(troubles.map(({ url }) => url).sort()).toEqual([
      'https://corp.test/a',
      'https://corp.test/b',
      'https://corp.test/c',
      'https://corp.test/d',
      'https://other.test/lib',
    ]);
    // Two repositories are asked at a time.
    expect(world.asked.filter((url) => url.startsWith('https://corp.test')).length).toBeLessThanOrEqual(2);
  });

  it('a go.mod that cannot be fetched is trouble', async () => {
    const world = new World();
    world.release('corp.test/lib', 'v1.0.0');
    world.move('corp.test/lib', 'v1.0.0', OTHER);
    world.mod = new GokeepError('upstream_failed', 'no');
    expect(await world.round()).toMatchObject({ fresh: [{ kind: 'tag' }], troubles: [{ why: 'no' }] });
  });

  it('ends with its signal', async () => {
    const world = new World();
    world.release('corp.test/lib', 'v1.0.0');
    await expect(world.round(AbortSignal.abort(new Error('closing')))).rejects.toThrow('closing');
    expect(world.asked).toEqual([]);
  });
});
