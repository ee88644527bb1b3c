import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Thread } from '../../src/store/thread.ts';

type Operations = {
  double: (n: number) => number;
  refuse: (message: string) => never;
  fail: (message: string) => never;
  end: (argument: null) => void;
  hang: (argument: null) => void;
};

let directory: string;
let entry: URL;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-thread-'));
  const source = (name: string) => JSON.stringify(path.join(import.meta.dirname, '..', '..', 'src', name));
  const file = path.join(directory, 'entry.ts');
  writeFileSync(
    file,
    `import { answerCalls } from ${source('store/thread.ts')};
     import { GokeepError } from ${source('errors.ts')};
     answerCalls({
       double: (n) => n * 2,
       refuse: (message) => {
         throw new GokeepError('storage_full', message, { detail: 'more', cause: new Error('low') });
       },
       fail: (message) => { throw new Error(message); },
       end: () => process.exit(3),
       hang: () => { for (;;); },
     });`,
  );
  entry = pathToFileURL(file);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function start(): { thread: Thread<Operations>; exits: Error[] } {
  const exits: Error[] = [];
  return { thread: new Thread<Operations>(entry, {}, (error) => exits.push(error)), exits };
}

describe('a thread', () => {
  it('answers each call with its own result', async () => {
    const { thread } = start();
    expect(await Promise.all([1, 2, 3].map((n) => thread.call('double', n)))).toEqual([2, 4, 6]);
    await thread.terminate();
  });

  it('passes our errors on with code, sentence and detail', async () => {
    const { thread } = start();
    await expect(thread.call('refuse', 'the disk is full')).rejects.toMatchObject({
      code: 'storage_full',
      message: 'the disk is full',
      detail: 'the disk is full (more) ← low',
    });
    await thread.terminate();
  });

  it('keeps the words of other errors out of the sentence', async () => {
    const { thread } = start();
    await expect(thread.call('fail', '/secret/path')).rejects.toMatchObject({
      code: 'internal',
      message: expect.not.stringContaining('secret'),
      detail: expect.stringContaining('/secret/path'),
    });
    await thread.terminate();
  });

  it('rejects what is under way when it ends, and everything after, and says so once', async () => {
    const { thread, exits } = start();
    const calls = [thread.call('end', null), thread.call('double', 1)];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(thread.call('double', 2)).rejects.toMatchObject({ code: 'storage_failed' });
    expect(exits).toHaveLength(1);
  });

  it('says nothing when it was ended on purpose, and leaves no call waiting', async () => {
    const { thread, exits } = start();
    const call = thread.call('hang', null);
    const rejected = expect(call).rejects.toMatchObject({ code: 'storage_failed' });
    await thread.terminate();
    await rejected;
    await expect(thread.call('double', 2)).rejects.toMatchObject({ code: 'storage_failed' });
    expect(exits).toEqual([]);
  });
});
