import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { InProcess } from './in-process.ts';

const LOOKUP = '/sumdb/sum.test.internal/lookup/example.test/m@v1.0.0';
const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

let now = START;
let head = 1;
let asked: string[] = [];
let server: InProcess;

beforeAll(async () => {
  const say = (what: string) => {
    asked.push(what);
    return Promise.resolve(Buffer.from(`${what} at head ${head}\n`));
  };
  server = await InProcess.start({
    find: () => Promise.reject(new GokeepError('not_found', 'no modules here')),
    databases: [
      {
        name: 'sum.test.internal',
        lookup: (path, version) => say(`lookup ${path}@${version}`),
        latest: () => say('latest'),
        tile: () => say('tile'),
      },
    ],
    now: () => now,
  });
});

beforeEach(() => {
  server.prepared.clear();
  now = START;
  head = 1;
  asked = [];
});

afterAll(() => server[Symbol.asyncDispose]());

const text = async (target: string, headers?: Record<string, string>) =>
  (await server.get(target, headers)).text();

describe('a lookup that was answered', () => {
  it('is given again with its own head within five minutes, and not after them', async () => {
    const first = await text(LOOKUP);
    head = 2;
    now += 4 * MINUTE;
    expect(await text(LOOKUP)).toBe(first);
    now += 2 * MINUTE;
    expect(await text(LOOKUP)).toBe('lookup example.test/m@v1.0.0 at head 2\n');
    expect(asked).toHaveLength(2);
  });

  it('is found anew for who wants an answer from the store only', async () => {
    await text(LOOKUP);
    await text(LOOKUP, { 'disable-module-fetch': 'true' });
    expect(asked).toHaveLength(2);
  });
});

describe('the newest head', () => {
  it('is never kept', async () => {
    await text('/sumdb/sum.test.internal/latest');
    head = 2;
    expect(await text('/sumdb/sum.test.internal/latest')).toBe('latest at head 2\n');
  });
});
