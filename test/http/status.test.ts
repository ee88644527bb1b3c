import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, GokeepError } from '../../src/errors.ts';
import { statusOf } from '../../src/http/status.ts';

/** Every code, read from the union that declares them. */
const source = readFileSync(path.join(import.meta.dirname, '../../src/errors.ts'), 'utf8');
const union = source.slice(source.indexOf('export type ErrorCode'), source.indexOf('export interface'));
const CODES = [...union.matchAll(/^\s*\| '([a-z_]+)'/gm)].map((match) => match[1] as ErrorCode);

/** The codes after which go asks its next proxy or goes direct: only where we know that there is nothing. */
const ABSENT: readonly ErrorCode[] = ['bad_path', 'bad_version', 'not_found', 'not_stored', 'gone'];

describe('the status of an error', () => {
  it('is told for every code', () => {
    expect(CODES.length).toBeGreaterThan(25);
    for (const code of CODES) {
      const status = statusOf(new GokeepError(code, 'x'));
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(status, code).toBeLessThan(600);
    }
  });

  it('is 404 or 410 for what does not exist, and for nothing else', () => {
    const absent = CODES.filter((code) => [404, 410].includes(statusOf(new GokeepError(code, 'x'))));
    expect(absent.sort()).toEqual([...ABSENT].sort());
  });

  it('is 403 for a refusal, here or upstream', () => {
    expect(statusOf(new GokeepError('refused', 'x'))).toBe(403);
    expect(statusOf(new GokeepError('upstream_refused', 'x'))).toBe(403);
  });

  it('is 500 for what nobody foresaw', () => {
    expect(statusOf(new TypeError('x'))).toBe(500);
    expect(statusOf(undefined)).toBe(500);
  });
});
