import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HighWaterMark } from '../../src/store/high-water-mark.ts';

let directory: string;
let file: string;
let mark: HighWaterMark;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-mark-'));
  file = path.join(directory, 'mark');
  mark = new HighWaterMark(file, 'log.test');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const at = (size: number, byte = size) => ({ size, root: Buffer.alloc(32, byte) });
const frozen = (why: RegExp) =>
  expect.objectContaining({ code: 'log_frozen', message: expect.stringMatching(why) });

describe('a high-water mark', () => {
  it('is undefined before it was ever set', () => {
    expect(mark.read()).toBeUndefined();
  });

  it('stands where it was moved, for another process too', () => {
    mark.advance(undefined, at(0));
    mark.advance(at(0), at(3));
    expect(new HighWaterMark(file, 'log.test').read()).toEqual(at(3));
    expect(existsSync(`${file}.tmp`)).toBe(false);
  });

  it('holds any size that a log can have', () => {
    mark.advance(undefined, at(2 ** 52, 1));
    expect(mark.read()?.size).toBe(2 ** 52);
  });

  it.each([
    ['it is not there', undefined, at(3)],
    ['it stands at another size', at(5), at(6)],
    ['it stands at another root', { size: 4, root: Buffer.alloc(32, 9) }, at(6)],
    ['it is there and none was expected', undefined, at(6)],
    ['it would go back', at(4), at(3)],
  ])('does not move when %s', (what, from, to) => {
    if (what !== 'it is not there') mark.advance(undefined, at(4));
    const before = mark.read();
    const expected = what === 'it is not there' ? at(1) : from;
    expect(() => mark.advance(expected, to)).toThrow(frozen(/another process signs this log/));
    expect(mark.read()).toEqual(before);
  });

  it('refuses the mark of another log', () => {
    new HighWaterMark(file, 'other.test').advance(undefined, at(1));
    expect(() => mark.read()).toThrow(frozen(/belongs to another/));
    expect(() => mark.advance(at(1), at(2))).toThrow(frozen(/belongs to another/));
  });

  const GOOD = `gokeep high-water mark\nlog.test\n12\n${'ab'.repeat(32)}\n`;
  it.each([
    ['nothing', ''],
    ['zeros', '\0'.repeat(GOOD.length)],
    ['a part of it', GOOD.slice(0, 40)],
    ['no last newline', GOOD.trimEnd()],
    ['more than it should', `${GOOD}\n`],
    ['another header', GOOD.replace('gokeep', 'gokept')],
    ['a size that is no number', GOOD.replace('\n12\n', '\n1e2\n')],
    ['a size with a leading zero', GOOD.replace('\n12\n', '\n012\n')],
    ['a negative size', GOOD.replace('\n12\n', '\n-12\n')],
    ['a root that is too short', GOOD.replace('abab\n', 'ab\n')],
    ['a root in upper case', GOOD.replace('abab\n', 'ABAB\n')],
  ])('refuses a file that holds %s, and leaves it as it is', (_what, text) => {
    writeFileSync(file, text);
    expect(() => mark.read()).toThrow(frozen(/damaged/));
    expect(() => mark.advance(undefined, at(13))).toThrow(frozen(/damaged/));
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('takes nothing over from a temporary file that a crash left, nor from a link in its place', () => {
    const elsewhere = path.join(directory, 'elsewhere');
    symlinkSync(elsewhere, `${file}.tmp`);
    mark.advance(undefined, at(1));
    expect(existsSync(elsewhere)).toBe(false);
    expect(mark.read()).toEqual(at(1));
  });

  it('says storage_failed, and stays, where it cannot be written or read', () => {
    mark.advance(undefined, at(1));
    mkdirSync(path.join(`${file}.tmp`, 'in-the-way'), { recursive: true });
    expect(() => mark.advance(at(1), at(2))).toThrow(expect.objectContaining({ code: 'storage_failed' }));
    expect(mark.read()).toEqual(at(1));
    const directoryAsMark = new HighWaterMark(directory, 'log.test');
    expect(() => directoryAsMark.read()).toThrow(expect.objectContaining({ code: 'storage_failed' }));
  });
});
