import { expect, test } from 'vitest';
import { formatDataTile, parseDataTile } from '../../src/tlog/data-tile.ts';

const TEXTS = ['a 1\na 2\n', 'b\n', 'c 1\nc 2\n'].map((text) => Buffer.from(text));
const badRecord = expect.objectContaining({ code: 'bad_record' });

test('each record of a data tile ends in a blank line', () => {
  expect(formatDataTile(TEXTS).toString()).toBe('a 1\na 2\n\nb\n\nc 1\nc 2\n\n');
});

test.each([
  ['end each record', 'a 1\na 2\n\nb\n\nc 1\nc 2\n\n'],
  ['stand between two records', 'a 1\na 2\n\nb\n\nc 1\nc 2\n'],
])('a data tile is read where blank lines %s', (_, data) => {
  expect(parseDataTile(Buffer.from(data), 3)).toEqual(TEXTS);
});

test.each([
  ['too few records', 'a\n\nb\n\n'],
  ['no records', ''],
  ['too many records', 'a\n\nb\n\nc\n\nd\n\n'],
  ['a blank line too many at the end', 'a\n\nb\n\nc\n\n\n'],
  ['a blank line too many at the start', '\na\n\nb\n\nc\n\n'],
  ['a cut last line', 'a\n\nb\n\nc'],
  ['a control character', 'a\n\nb\u0000\n\nc\n\n'],
])('a data tile with %s is refused', (_, data) => {
  expect(() => parseDataTile(Buffer.from(data), 3)).toThrow(badRecord);
});
