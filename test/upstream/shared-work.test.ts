import { expect, test } from 'vitest';
import { SharedWork } from '../../src/upstream/shared-work.ts';

const { signal } = new AbortController();

test('those who ask meanwhile share the work, those who ask later start it anew', async () => {
  const shared = new SharedWork<number>();
  let runs = 0;
  const work = async () => {
    await Promise.resolve();
    return ++runs;
  };
  expect(await Promise.all([shared.do('a', signal, work), shared.do('a', signal, work)])).toEqual([1, 1]);
  expect(await shared.do('a', signal, work)).toBe(2);
});

test('another key is other work', async () => {
  const shared = new SharedWork<string>();
  const ask = (key: string) => shared.do(key, signal, async () => key);
  expect(await Promise.all([ask('a'), ask('b')])).toEqual(['a', 'b']);
});

test('a failure reaches all who wait and is not remembered', async () => {
  const shared = new SharedWork<number>();
  const fail = () => Promise.reject(new Error('no'));
  const both = await Promise.allSettled([shared.do('a', signal, fail), shared.do('a', signal, fail)]);
  expect(both.map((one) => one.status)).toEqual(['rejected', 'rejected']);
  expect(await shared.do('a', signal, async () => 1)).toBe(1);
});

test('the work is aborted when the last asker has given up, and not before', async () => {
  const shared = new SharedWork<never>();
  const [one, two] = [new AbortController(), new AbortController()];
  let seen: AbortSignal | undefined;
  const work = (s: AbortSignal) => {
    seen = s;
    return new Promise<never>(() => {});
  };
  const first = shared.do('a', one.signal, work);
  const second = shared.do('a', two.signal, work);
  one.abort(new Error('first'));
  await expect(first).rejects.toThrow('first');
  expect(seen?.aborted).toBe(false);
  two.abort(new Error('second'));
  await expect(second).rejects.toThrow('second');
  expect(seen?.aborted).toBe(true);
});

test('who asks after the work was aborted gets work of his own', async () => {
  const shared = new SharedWork<number>();
  const one = new AbortController();
  const first = shared.do('a', one.signal, () => new Promise<never>(() => {}));
  one.abort(new Error('enough'));
  await expect(first).rejects.toThrow('enough');
  expect(await shared.do('a', signal, async () => 1)).toBe(1);
});

test('who comes already aborted starts nothing', async () => {
  const shared = new SharedWork<number>();
  const asked = shared.do('a', AbortSignal.abort(new Error('too late')), () => expect.unreachable());
  await expect(asked).rejects.toThrow('too late');
});
