import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNote } from '../../src/note/note.ts';
import { parseVerifier } from '../../src/note/verifier.ts';
import { lockDataDirectory } from '../../src/store/process-lock.ts';
import { parseHash, recordHash } from '../../src/tlog/hash.ts';
import { checkRecord } from '../../src/tlog/proof.ts';
import { parseTree } from '../../src/tlog/tree-note.ts';
import { candidate, DataDirectory } from './data-directory.ts';
import { gokeep } from './program.ts';

let sound: DataDirectory;

beforeAll(async () => {
  sound = await DataDirectory.create();
  await sound.append(
    [candidate(0)],
    Array.from({ length: 299 }, (_, i) => candidate(i + 1)),
  );
});

afterAll(() => sound[Symbol.dispose]());

const log = ({ data }: DataDirectory, ...args: string[]) => gokeep(['log', ...args, '--data', data]);

function headNow(directory: DataDirectory): { size: number; root: string } {
  const { size, root } = parseTree(
    openNote(Buffer.from(readNote(directory)), [parseVerifier(directory.key.vkey)]).text,
  );
  return { size, root: root.toString('base64') };
}

let note = '';
const readNote = (_directory: DataDirectory) => note;

describe('gokeep log head', () => {
  it('prints size, root and the signed note', async () => {
    const { code, stdout } = await log(sound, 'head', '--json');
    expect(code).toBe(0);
    const shown = JSON.parse(stdout) as { size: number; root: string; note: string; signedAt: string };
    note = shown.note;
    expect(headNow(sound)).toEqual({ size: 300, root: shown.root });
    expect(shown.size).toBe(300);
    expect(shown.signedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const { stdout: text } = await log(sound, 'head');
    expect(text).toBe(`size 300\nroot ${shown.root}\nsigned ${shown.signedAt}\n\n${shown.note}\n`);
  });
});

describe('gokeep log verify', () => {
  it('finds nothing in a sound log', async () => {
    expect(await log(sound, 'verify')).toEqual({
      code: 0,
      stdout: '300 records under 4 heads: all in order\n',
      stderr: '',
    });
  });

  it('names what is damaged, and exits 1', async () => {
    using damaged = sound.copy();
    damaged.flip('records', 'zip_h1', 'id = 280', 0);
    const { code, stdout } = await log(damaged, 'verify', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      problems: 1,
      findings: [{ kind: 'record', subject: 'record 280 (example.test/m280@v1.0.0)' }],
    });
  });
});

describe('gokeep log prove', () => {
  it.each([255, 299])('prints a tlog-proof of record %i that holds by the key alone', async (id) => {
    const { code, stdout } = await log(sound, 'prove', `example.test/m${id}@v1.0.0`);
    expect(code).toBe(0);
    const blank = stdout.indexOf('\n\n');
    const [header, extra, index, ...hashes] = stdout.slice(0, blank).split('\n');
    expect([header, index]).toEqual(['c2sp.org/tlog-proof@v1', `index ${id}`]);
    const text = Buffer.from(extra!.slice('extra '.length), 'base64');
    expect(text.toString()).toMatch(new RegExp(`^example\\.test/m${id} v1\\.0\\.0 h1:`));
    const signed = openNote(Buffer.from(stdout.slice(blank + 2)), [parseVerifier(sound.key.vkey)]);
    const { size, root } = parseTree(signed.text);
    const proof = hashes.map((hash) => parseHash(hash)!);
    expect(() => checkRecord(proof, size, root, id, recordHash(text))).not.toThrow();
  });

  it('says the same as JSON', async () => {
    const { stdout } = await log(sound, 'prove', 'example.test/m7@v1.0.0', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ id: 7, path: 'example.test/m7', size: 300 });
  });

  it('exits 1 for a version that the log does not have, and 2 for what is no version', async () => {
    const absent = await log(sound, 'prove', 'example.test/m7@v1.0.1');
    expect(absent).toEqual({
      code: 1,
      stdout: '',
      stderr: 'gokeep: the log has no record of example.test/m7@v1.0.1\n',
    });
    expect((await log(sound, 'prove', 'example.test/m7')).code).toBe(2);
  });

  it('prints no proof from a log that is damaged', async () => {
    using damaged = sound.copy();
    damaged.flip('records', 'zip_h1', 'id = 280', 0);
    const { code, stdout, stderr } = await log(damaged, 'prove', 'example.test/m280@v1.0.0');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/does not prove what it should/);
  });
});

describe('gokeep log mark', () => {
  const text = (d: DataDirectory) => readFileSync(d.file('sumdb.mark'), 'utf8');

  it('says that the mark is where it has to be', async () => {
    const { code, stdout } = await log(sound, 'mark', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'level', mark: { size: 300 }, newest: { size: 300 } });
  });

  it('sets a missing mark onto the newest head when a person accepts it, and only then', async () => {
    using lost = sound.copy();
    rmSync(lost.file('sumdb.mark'));
    const shown = await log(lost, 'mark');
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(
      /^mark none\nnewest head 300 \S+\nthe high-water mark is missing; put it back/,
    );
    expect((await log(lost, 'mark', '--accept')).code).toBe(0);
    expect(text(lost)).toBe(text(sound));
  });

  it('sets an older mark onto the newest head', async () => {
    using older = await DataDirectory.create();
    const before = text(older);
    await older.append([candidate(1)]);
    const after = text(older);
    writeFileSync(older.file('sumdb.mark'), before);
    expect((await log(older, 'mark')).stdout).toMatch(/stands at 0 while the database was signed up to 1/);
    expect((await log(older, 'mark', '--accept')).code).toBe(0);
    expect(text(older)).toBe(after);
  });

  it('never accepts a database that is older than the mark', async () => {
    using restored = sound.copy();
    using newer = sound.copy();
    await newer.append([candidate(1000)]);
    writeFileSync(restored.file('sumdb.mark'), text(newer));
    const { code, stdout, stderr } = await log(restored, 'mark', '--accept');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/stands at 301 but the database ends at 300.*it was not changed\n$/);
    expect(text(restored)).toBe(text(newer));
  });

  it('never accepts a database of another history', async () => {
    using other = await DataDirectory.create();
    await other.append([candidate(1)]);
    using one = other.copy();
    await one.append([candidate(2)]);
    await other.append([candidate(3)], [candidate(4)]);
    writeFileSync(other.file('sumdb.mark'), text(one));
    const { code, stderr } = await log(other, 'mark', '--accept');
    expect(code).toBe(2);
    expect(stderr).toMatch(/of size 2 that this database never had/);
    expect(text(other)).toBe(text(one));
  });

  it('accepts nothing while a server runs', async () => {
    using running = sound.copy();
    rmSync(running.file('sumdb.mark'));
    using _server = lockDataDirectory(running.data);
    const { code, stderr } = await log(running, 'mark', '--accept');
    expect(code).toBe(2);
    expect(stderr).toMatch(/stop it first/);
    expect(() => text(running)).toThrow('ENOENT');
  });
});
