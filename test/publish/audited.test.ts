import { afterEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { Yanking } from '../../src/publish/yanking.ts';
import type { TrailEvent } from '../../src/store/trail-entry.ts';
import { CORP, moduleZipOf, PublishingSite } from './publishing-site.ts';

let site: PublishingSite;

afterEach(() => site[Symbol.asyncDispose]());

const GOOD = moduleZipOf(CORP, 'v1.0.0');
const BY = { who: 'token:ci', from: '192.0.2.1' };
const full = () => new GokeepError('storage_full', 'the disk is full');

/** A site whose trail is in memory, and a yanking that uses it. */
async function opened(record: (event: TrailEvent) => Promise<void>) {
  site = await PublishingSite.open({ trail: { record } });
  const yanking = new Yanking({
    find: (path, version) => site.log.find(path, version),
    sequencer: site.sequencer,
    trail: { record },
    reasonOf: (path, version) => site.reasonOf(path, version),
    isPrivate: () => true,
    now: Date.now,
    onChanged: () => undefined,
  });
  const publish = (zip: Buffer) =>
    site.publishing.publish({ path: CORP, version: 'v1.0.0' }, pieces(zip), undefined, neverEnds(), BY);
  return { yanking, publish };
}

const neverEnds = () => new AbortController().signal;

async function* pieces(zip: Buffer): AsyncGenerator<Buffer> {
  yield zip;
}

describe('what is changed is recorded first', () => {
  it('a publish, with who sent it and its hashes, before the log has the version', async () => {
    const events: TrailEvent[] = [];
    const { publish } = await opened(async (event) => {
      expect(site.log.find(CORP, 'v1.0.0')).toBeUndefined();
      events.push(event);
    });
    const { zip, mod } = await publish(GOOD);
    expect(events).toEqual([{ ...BY, kind: 'publish', path: CORP, version: 'v1.0.0', facts: { zip, mod } }]);
  });

  it('and only once, when the same bytes are sent again', async () => {
    const events: TrailEvent[] = [];
    const { publish } = await opened(async (event) => void events.push(event));
    await publish(GOOD);
    expect(await publish(GOOD)).toMatchObject({ added: false });
    expect(events).toHaveLength(1);
  });

  it('nothing is logged, held or listed of a publish that cannot be recorded', async () => {
    const { publish } = await opened(() => Promise.reject(full()));
    await expect(publish(GOOD)).rejects.toThrow('the disk is full');
    expect(site.log.find(CORP, 'v1.0.0')).toBeUndefined();
    expect(site.hosted(CORP)).toEqual([]);
    expect(await site.store.size('zip', CORP, 'v1.0.0')).toBeUndefined();
    expect(await site.leftovers()).toEqual([]);
  });

  it('a refused publish is no publish', async () => {
    const events: TrailEvent[] = [];
    const { publish } = await opened(async (event) => void events.push(event));
    await expect(publish(Buffer.from('no zip'))).rejects.toThrow();
    expect(events).toEqual([]);
  });

  it('a yank and its taking back, neither where it cannot be recorded, nor a second time for the same', async () => {
    const events: TrailEvent[] = [];
    let works = true;
    const { publish, yanking } = await opened(async (event) => {
      if (!works) throw full();
      events.push(event);
    });
    await publish(GOOD);
    await yanking.yank(CORP, 'v1.0.0', 'it loses data', BY);
    await yanking.yank(CORP, 'v1.0.0', ' it loses data', BY);
    works = false;
    await expect(yanking.unyank(CORP, 'v1.0.0', BY)).rejects.toThrow('the disk is full');
    expect(site.log.hosted.yanks(CORP)).toMatchObject([{ version: 'v1.0.0' }]);
    works = true;
    await yanking.unyank(CORP, 'v1.0.0', BY);
    expect(site.log.hosted.yanks(CORP)).toEqual([]);
    await yanking.unyank(CORP, 'v1.0.0', BY);
    expect(events.slice(1)).toEqual([
      { ...BY, kind: 'yank', path: CORP, version: 'v1.0.0', facts: { reason: 'it loses data' } },
      { ...BY, kind: 'unyank', path: CORP, version: 'v1.0.0' },
    ]);
  });
});
