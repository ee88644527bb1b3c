import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateKey } from '../../src/note/signer.ts';
import { noteKeyUse, openKeyFile, readKeyFile } from '../../src/sumdb/key-file.ts';
import { TEST_KEY } from './candidates.ts';

let directory: string;
let file: string;
const random = Buffer.from(Array.from({ length: 36 }, (_, i) => i));
const uid = process.getuid?.();

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-key-'));
  file = path.join(directory, 'key');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const refused = (why: RegExp) =>
  expect.objectContaining({ code: 'bad_config', message: expect.stringMatching(why) });
const write = (text: string, mode = 0o600) => {
  writeFileSync(file, text);
  chmodSync(file, mode);
};
const GOOD = `${TEST_KEY.skey}\n${TEST_KEY.vkey}\n`;

describe('openKeyFile', () => {
  it('makes a key that nobody else can read, under a name of its own, and finds it again', () => {
    const made = openKeyFile(file, undefined, random, uid);
    expect(made).toMatchObject({ name: 'gokeep-20212223.internal', created: true });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(made.unused).toBe(true);
    expect(openKeyFile(file, undefined, Buffer.alloc(36), uid)).toEqual({ ...made, created: false });
    expect(openKeyFile(file, made.name, Buffer.alloc(36), uid)).toEqual({ ...made, created: false });
  });

  it('makes it under the configured name', () => {
    const { name, vkey } = openKeyFile(file, 'sum.corp.example', random, uid);
    expect(name).toBe('sum.corp.example');
    expect(vkey.startsWith('sum.corp.example+')).toBe(true);
  });

  it.each([0o644, 0o666])('is not led by a temporary file that somebody left, mode %o', (mode) => {
    writeFileSync(`${file}.tmp`, 'left over');
    chmodSync(`${file}.tmp`, mode);
    openKeyFile(file, undefined, random, uid);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is not led by a link where its temporary file goes', () => {
    const elsewhere = path.join(directory, 'elsewhere');
    symlinkSync(elsewhere, `${file}.tmp`);
    openKeyFile(file, undefined, random, uid);
    expect(() => readFileSync(elsewhere)).toThrow(/ENOENT/);
    expect(readKeyFile(file, uid)).toBeDefined();
  });

  it('refuses another name than the key was made for, and says what to do', () => {
    write(GOOD);
    expect(() => openKeyFile(file, 'other.test', random, uid)).toThrow(
      refused(/made for the name log\.test, but sumdb\.name says other\.test.*set sumdb\.name back/),
    );
    expect(readFileSync(file, 'utf8')).toBe(GOOD);
  });
});

describe('readKeyFile', () => {
  it('is undefined where there is no file', () => {
    expect(readKeyFile(file, uid)).toBeUndefined();
  });

  it.each([0o644, 0o640, 0o604, 0o660, 0o610])('refuses mode %o', (mode) => {
    write(GOOD, mode);
    expect(() => readKeyFile(file, uid)).toThrow(refused(/can be read by others; chmod 600/));
  });

  it('refuses a symbolic link, to a good key too', () => {
    write(GOOD);
    const link = path.join(directory, 'link');
    symlinkSync(file, link);
    expect(() => readKeyFile(link, uid)).toThrow(refused(/plain file/));
  });

  it('refuses a directory', () => {
    expect(() => readKeyFile(directory, uid)).toThrow(refused(/plain file/));
  });

  it('refuses a file of another user', () => {
    write(GOOD);
    expect(() => readKeyFile(file, statSync(file).uid + 1)).toThrow(refused(/another user/));
  });

  const other = generateKey('log.test', Buffer.alloc(32, 8));
  const otherName = generateKey('other.test', Buffer.alloc(32, 7));
  it.each([
    ['the verifier key of another key', `${TEST_KEY.skey}\n${other.vkey}\n`, /not a pair/],
    ['the verifier key under another name', `${TEST_KEY.skey}\n${otherName.vkey}\n`, /not a pair/],
    ['nothing', '', /no key file/],
    ['the signer key alone', `${TEST_KEY.skey}\n`, /no key file/],
    ['the two the wrong way round', `${TEST_KEY.vkey}\n${TEST_KEY.skey}\n`, /no key file/],
    ['a third line', `${GOOD}more\n`, /no key file/],
    ['a fourth line', `${GOOD}unused\nunused\n`, /no key file/],
    ['no last newline', GOOD.trimEnd(), /no key file/],
    ['a damaged signer key', GOOD.replace(/.(?=\n)/, '!'), /malformed/],
    ['a damaged verifier key', `${TEST_KEY.skey}\n${TEST_KEY.vkey.slice(0, -4)}\n`, /malformed/],
  ])('refuses a file that holds %s, and shows nothing of the key', (_what, text, why) => {
    write(text);
    expect(() => readKeyFile(file, uid)).toThrow(refused(why));
    try {
      readKeyFile(file, uid);
    } catch (error) {
      const secret = TEST_KEY.skey.split('+').at(-1)!;
      expect(JSON.stringify([error, String(error), String((error as Error).cause)])).not.toContain(secret);
    }
  });
});

describe('noteKeyUse', () => {
  it('has the file say that its log has begun, and leaves the key and its mode', () => {
    const made = openKeyFile(file, undefined, random, uid);
    expect(noteKeyUse(file, made)).toBe(true);
    const { created: _, ...key } = made;
    expect(readKeyFile(file, uid)).toEqual({ ...key, unused: false });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('does not write a file that says so already', () => {
    write(GOOD);
    const before = statSync(file).ino;
    expect(noteKeyUse(file, readKeyFile(file, uid)!)).toBe(true);
    expect(statSync(file).ino).toBe(before);
  });

  it('says so where it cannot', () => {
    write(`${GOOD}unused\n`);
    const key = readKeyFile(file, uid)!;
    expect(noteKeyUse(path.join(directory, 'none', 'key'), key)).toBe(false);
  });
});
