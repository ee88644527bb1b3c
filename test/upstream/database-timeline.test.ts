import { expect, test } from 'vitest';
import { type Tile, tilePath } from '../../src/tlog/tile.ts';
import type { TileReader } from '../../src/tlog/tile-reader.ts';
import { DatabaseTimeline } from '../../src/upstream/database-timeline.ts';
import { FakeDatabase, MapMemory } from './fake-database.ts';

const fake = FakeDatabase.ofSize(700);

class CountedTiles implements TileReader {
  readonly height = 8;
  reads = 0;
  async readTiles(tiles: readonly Tile[]): Promise<Buffer[]> {
    this.reads++;
    return tiles.map((tile) => fake.answer(`/${tilePath(tile)}`));
  }
  saveTiles(): void {}
}

function timelineOf(memory: MapMemory): DatabaseTimeline {
  return new DatabaseTimeline(FakeDatabase.verifier, memory, () => expect.unreachable(), false);
}

test('a head that was placed once needs no tiles again, whichever is the newest by then', async () => {
  const tiles = new CountedTiles();
  const timeline = timelineOf(new MapMemory());
  await timeline.merge(fake.note(600), tiles);
  expect(tiles.reads).toBe(0);
  await timeline.merge(fake.note(650), tiles);
  expect(tiles.reads).toBe(1);
  await timeline.merge(fake.note(500), tiles);
  expect(tiles.reads).toBe(2);
  for (const size of [500, 600, 650]) await timeline.merge(fake.note(size), tiles);
  expect(tiles.reads).toBe(2);
});

test('heads that come at the same time end with the newest, kept', async () => {
  const memory = new MapMemory();
  const timeline = timelineOf(memory);
  const sizes = [600, 700, 0, 1, 650, 256, 699, 512];
  await Promise.all(sizes.map((size) => timeline.merge(fake.note(size), new CountedTiles())));
  expect((await timeline.newest())?.head.size).toBe(700);
  expect(memory.note).toEqual(fake.note(700));
});

test('a newer head that another process has kept is not set back', async () => {
  const memory = new MapMemory();
  const timeline = timelineOf(memory);
  await timeline.newest();
  memory.note = fake.note(650);
  expect((await timeline.merge(fake.note(600), new CountedTiles())).head.size).toBe(650);
  expect(memory.note).toEqual(fake.note(650));
});

test('a memory that never takes the head is trouble, not an endless loop', async () => {
  const memory = new MapMemory();
  memory.advance = async () => false;
  await expect(timelineOf(memory).merge(fake.note(), new CountedTiles())).rejects.toMatchObject({
    code: 'busy',
  });
});

test('a memory that fails to be read is read again the next time', async () => {
  const memory = new MapMemory();
  memory.note = fake.note(600);
  const latest = memory.latest.bind(memory);
  memory.latest = () => Promise.reject(new Error('not now'));
  const timeline = timelineOf(memory);
  await expect(timeline.newest()).rejects.toThrow('not now');
  memory.latest = latest;
  expect((await timeline.newest())?.head.size).toBe(600);
});

test('a note of over a million bytes is refused unread', () => {
  const note = Buffer.concat([fake.note(), Buffer.alloc(1_000_000)]);
  expect(() => timelineOf(new MapMemory()).open(note)).toThrow('too long');
});
