import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { explain, KNOWN_ERRORS } from '../../src/client/doctor/explain/explain.ts';
import { gokeep } from '../cli/program.ts';

const FOLDER = path.join(import.meta.dirname, '../testdata/golden/go-errors');
const sections = ['made.txt', 'known.txt'].flatMap((name) =>
  readFileSync(path.join(FOLDER, name), 'utf8')
    .split(/^-- /m)
    .slice(1)
    .map((section) => {
      const [, id = '', text = ''] = /^(\S+) --\n([^]*)$/.exec(section) ?? [];
      return [id, text.trim()] as const;
    }),
);

describe('an error that go printed', () => {
  it.each(sections)('is explained as %s', (id, text) => {
    const [first] = explain(text);
    expect(first?.id, text).toBe(id);
    expect(first?.fix.length).toBeGreaterThan(0);
  });

  it('is one of at least thirty that are known, and each has a text of go that it was tried with', () => {
    const tried = new Set(sections.map(([id]) => id));
    expect(KNOWN_ERRORS.length).toBeGreaterThanOrEqual(30);
    expect(KNOWN_ERRORS.map(({ id }) => id).filter((id) => !tried.has(id))).toEqual([]);
    expect(new Set(KNOWN_ERRORS.map(({ id }) => id)).size).toBe(KNOWN_ERRORS.length);
  });

  it('that is unknown is not explained', () => {
    expect(explain('main.go:3:1: syntax error: non-declaration statement outside function body')).toEqual([]);
  });

  it('is not looked at for long, however much is pasted', () => {
    const startedAt = performance.now();
    explain('verifying module checksum mismatch downloaded: h1:x '.repeat(200_000));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('is explained by the command, which says by its exit code whether it knew', async () => {
    const [, text = ''] = sections[0] ?? [];
    const known = await gokeep(['doctor', '--explain', text]);
    expect(known.code).toBe(0);
    expect(known.stdout).toContain('[mismatch-with-go-sum]');
    expect((await gokeep(['doctor', '--explain', 'hello', '--json'])).code).toBe(1);
  });
});
