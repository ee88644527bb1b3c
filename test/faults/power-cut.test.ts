import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../world/programs.ts';
import { expectRecovers, parseSaid } from './appended.ts';
import { type DiskEvent, powerCut, readRecording, recordTo } from './recorded-disk.ts';
import { memoryDirectory } from './memory-directory.ts';
import { runAppender } from './run-appender.ts';

/** Deterministic, so that a failure can be looked at: mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const haveStrace = needs('strace');

describe.skipIf(!haveStrace)('a power cut at any moment, on what strace recorded of a run', () => {
  let directory: string;
  let events: DiskEvent[];

  beforeAll(async () => {
    directory = await memoryDirectory();
    const trace = path.join(directory, 'trace');
    const run = await runAppender(directory, { rounds: 2, wrapper: recordTo(trace) });
    expect(run.ended).toBe(0);
    events = readRecording(trace, directory);
    expect(parseSaid(run.output).logged).toHaveLength(8);
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** What was said before event `count`. */
  const saidUntil = (count: number) =>
    parseSaid(
      events
        .slice(0, count)
        .map((event) => (event.kind === 'say' ? event.text : ''))
        .join(''),
    );

  async function expectSurvives(count: number, survives: () => boolean | number): Promise<void> {
    const disk = await mkdtemp(path.join(directory, 'disk-'));
    powerCut(events, count, survives, disk);
    await expectRecovers(disk, saidUntil(count)).catch((error: unknown) => {
      throw new Error(`after event ${count}: ${JSON.stringify(events[count - 1])?.slice(0, 200)}`, {
        cause: error,
      });
    });
    await rm(disk, { recursive: true });
  }

  it('recorded all that matters: with nothing lost, the files are what they are', async () => {
    await expectSurvives(events.length, () => true);
    expect(new Set(events.map((event) => event.kind))).toEqual(
      new Set(['create', 'write', 'truncate', 'rename', 'unlink', 'sync', 'syncDirectory', 'say']),
    );
  });

  it('loses nothing acknowledged when nothing that was not synced survives', async () => {
    for (let count = 0; count <= events.length; count++) await expectSurvives(count, () => false);
  });

  it('loses nothing acknowledged when any of what was not synced survives, whole or torn', async () => {
    const next = random(20_260_101);
    for (let count = 0; count <= events.length; count++) {
      await expectSurvives(count, () => (next() < 0.4 ? false : next() < 0.6 ? true : next()));
    }
  });

  it('has everything synced that an acknowledgement stands on before it is given', () => {
    const unsynced = new Set<string>();
    const saidAt: string[][] = [];
    for (const event of events) {
      if (event.kind === 'write' || event.kind === 'truncate') unsynced.add(event.name);
      else if (event.kind === 'create' || event.kind === 'rename') unsynced.add('directory');
      else if (event.kind === 'sync') unsynced.delete(event.name);
      else if (event.kind === 'syncDirectory') unsynced.delete('directory');
      else if (event.kind === 'say') saidAt.push([...unsynced]);
    }
    expect(saidAt.length).toBeGreaterThan(8);
    expect(saidAt.filter((names) => names.length > 0)).toEqual([]);
  });
});
