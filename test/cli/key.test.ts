import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseSigner } from '../../src/note/signer.ts';
import { parseVerifier } from '../../src/note/verifier.ts';
import { gokeep } from './program.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-key-'));
const file = path.join(directory, 'sumdb.key');

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('gokeep key', () => {
  it('generates a key that only its owner can read, and shows its verifier key alone', async () => {
    const generated = await gokeep(['key', 'generate', '--name', 'sum.corp.test', '--output', file]);
    expect(generated).toMatchObject({ code: 0, stderr: '' });
    const vkey = generated.stdout.trim();
    const [skey = ''] = readFileSync(file, 'utf8').split('\n');
    const text = Buffer.from('signed\n');
    expect(parseVerifier(vkey).verify(text, parseSigner(skey).sign(text))).toBe(true);
    expect(parseVerifier(vkey).name).toBe('sum.corp.test');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(generated.stdout).not.toContain('PRIVATE');

    expect(await gokeep(['key', 'show', '--data', directory])).toEqual({
      code: 0,
      stdout: `${vkey}\n`,
      stderr: '',
    });
    const { stdout } = await gokeep(['key', 'show', '--data', directory, '--json']);
    expect(JSON.parse(stdout)).toEqual({ name: 'sum.corp.test', vkey });
  });

  it('never overwrites a key', async () => {
    const before = readFileSync(file, 'utf8');
    for (const name of ['sum.corp.test', 'sum.other.test']) {
      const { code, stdout } = await gokeep(['key', 'generate', '--name', name, '--output', file]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('refuses a name that no key can have', async () => {
    const { code, stderr } = await gokeep(['key', 'generate', '--name', 'a b', '--output', `${file}.2`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/must hold no spaces and no plus signs/);
  });

  it('says in one sentence that there is no key to show', async () => {
    const { code, stdout, stderr } = await gokeep(['key', 'show', '--data', path.join(directory, 'none')]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^gokeep: \S+: there is no signing key here; [^\n]+\n$/);
  });
});
