import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/airgap/jobs/job.ts';
import { JobQueue, type Running } from '../../src/airgap/jobs/job-queue.ts';
import { type MadeBundle, MadeBundles } from '../../src/airgap/jobs/made-bundles.ts';
import { inputFiles, inputName, type MakeRequest } from '../../src/airgap/jobs/make-request.ts';
import { GokeepError } from '../../src/errors.ts';

const BY = { who: 'token:operator' };
const PLANNED: Outcome = {
  kind: 'planned',
  plan: { zips: 0, mods: 0, absent: 0, heldBytes: 0, leftOut: [] },
};
const DAY = 86_400_000;

/** A job that is over when it is told to be, or is cancelled. */
function held() {
  const done = Promise.withResolvers<Outcome>();
  const began: string[] = [];
  const cleared: string[] = [];
  return {
    done,
    began,
    cleared,
    run: ({ id, signal }: Running) => {
      began.push(id);
      signal.addEventListener('abort', () => done.reject(signal.reason as Error));
      return done.promise;
    },
    clear: async (id: string) => void cleared.push(id),
  };
}

describe('the queue of jobs', () => {
  const open = () => new JobQueue({ now: () => 1, onEnd: () => undefined });

  it('runs one at a time, in their order', async () => {
    await using queue = open();
    const [first, second] = [held(), held()];
    const a = queue.add('make', BY, first);
    const b = queue.add('make', BY, second);
    await expect.poll(() => a.state).toBe('running');
    expect([b.state, second.began]).toEqual(['waiting', []]);
    first.done.resolve(PLANNED);
    await expect.poll(() => b.state).toBe('running');
    expect([a.state, first.cleared]).toEqual(['done', [a.id]]);
    second.done.reject(new GokeepError('bad_request', 'no'));
    await expect.poll(() => b.state).toBe('failed');
    expect([b.error, second.cleared]).toEqual(['no', [b.id]]);
  });

  it('clears what was prepared for a job that was cancelled before its turn, and never begins it', async () => {
    await using queue = open();
    const [first, second] = [held(), held()];
    queue.add('make', BY, first);
    const b = queue.add('make', BY, second);
    expect([queue.cancel(b.id), b.state]).toEqual([true, 'cancelled']);
    first.done.resolve(PLANNED);
    await expect.poll(() => second.cleared).toEqual([b.id]);
    expect([second.began, queue.cancel(b.id)]).toEqual([[], false]);
  });

  it('is bounded', async () => {
    await using queue = open();
    queue.add('make', BY, held());
    await expect.poll(() => queue.list()[0]?.state).toBe('running');
    for (let n = 0; n < 8; n++) queue.add('make', BY, held());
    expect(() => queue.add('make', BY, held())).toThrow('8 jobs wait already');
  });

  it('shows nobody what an unexpected error says', async () => {
    await using queue = open();
    const job = queue.add('make', BY, { run: () => Promise.reject(new Error('/secret/path')) });
    await expect.poll(() => job.state).toBe('failed');
    expect(job.error).toBe('the gokeep server failed; its log says why');
  });
});

describe('what was made', () => {
  let data: string;
  let now: number;

  beforeEach(() => {
    data = mkdtempSync(path.join(tmpdir(), 'gokeep-made-'));
    now = 10 * DAY;
  });
  afterEach(() => rmSync(data, { recursive: true, force: true }));

  const open = async (mostBytes = 100) => {
    const made = new MadeBundles({ data, mostBytes, mostAgeMs: DAY, now: () => now });
    await made.open();
    return made;
  };
  const about = (letter: string, size: number): MadeBundle => ({
    id: letter.repeat(32),
    base: null,
    compressed: false,
    size,
    sha256: 'x',
    madeAt: now,
    by: 'somebody',
    zips: 1,
    mods: 1,
    signatures: 0,
    databases: [],
    leftOut: [],
    missing: [],
  });
  const keep = async (made: MadeBundles, letter: string, size: number) => {
    const scratch = await made.scratch(letter);
    writeFileSync(path.join(scratch, 'out', 'bundle.tar'), 'bytes');
    await made.keep(scratch, about(letter, size));
    await made.dropScratch(letter);
    now += 1_000;
  };
  const letters = (made: MadeBundles) => made.list().map(({ id }) => id[0]);

  it('is there after a restart, and what a job was at when it was killed is not', async () => {
    const made = await open();
    await keep(made, 'a', 10);
    writeFileSync(path.join(await made.scratch('killed'), 'out', 'bundle.tar'), 'half');
    mkdirSync(path.join(data, 'made', 'b'.repeat(32)));
    const again = await open();
    expect(letters(again)).toEqual(['a']);
    expect(existsSync(again.file(again.list()[0]!))).toBe(true);
    expect(readdirSync(path.join(data, 'made'))).toEqual(['a'.repeat(32)]);
  });

  it('makes room for what is new, the oldest first, and what is new stays', async () => {
    const made = await open();
    for (const letter of ['a', 'b', 'c']) await keep(made, letter, 40);
    expect(letters(made)).toEqual(['c', 'b']);
    await keep(made, 'd', 500);
    expect(letters(made)).toEqual(['d']);
    expect(readdirSync(path.join(data, 'made'))).toEqual(['d'.repeat(32)]);
  });

  it('does not stay for ever', async () => {
    const made = await open();
    await keep(made, 'a', 10);
    now += DAY;
    await made.prune(0);
    expect(readdirSync(path.join(data, 'made'))).toEqual([]);
  });
});

describe('an input', () => {
  it.each([
    ['go.mod', '// a comment\nmodule example.test/a\n'],
    ['go.mod', '\ufeffmodule (\n\texample.test/a\n)\n'],
    ['go.sum', 'example.test/a v1.0.0 h1:AAAA=\n'],
    ['bill', ' {"bomFormat": "CycloneDX"}'],
    ['bill', 'SPDXVersion: SPDX-2.3\n'],
    ['list', 'example.test/a@v1.0.0\n'],
    ['list', '../../etc/passwd\n'],
  ])('is a %s by what is in it: %j', (name, text) => {
    expect(inputName(text)).toBe(name);
  });

  it('has a name of ours, another one where that is taken', () => {
    const request = { inputs: ['a@v1', '  ', 'module m\n', 'b@v1'] } as unknown as MakeRequest;
    expect(inputFiles(request).map(({ name }) => name)).toEqual(['list', 'go.mod', '3/list']);
  });
});
