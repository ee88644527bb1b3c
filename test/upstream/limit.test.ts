import { expect, test } from 'vitest';

import { Limit } from '../../src/upstream/limit.ts';

test('places go to those who wait, in order', async () => {
  const limit = new Limit(1);
  const order: number[] = [];
  const leave = await limit.enter(undefined);
  const waiting = [1, 2].map(async (n) => {
    const leaveAgain = await limit.enter(undefined);
    order.push(n);
    leaveAgain();
  });
  leave();
  await Promise.all(waiting);
  expect(order).toEqual([1, 2]);
});

test('leaving twice frees one place', async () => {
  const limit = new Limit(1);
  const leave = await limit.enter(undefined);
  leave();
  leave();
  await limit.enter(undefined);
  await expect(limit.enter(AbortSignal.timeout(10))).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('one who gives up while waiting takes no place with it', async () => {
  const limit = new Limit(1);
  const leave = await limit.enter(undefined);
  await expect(limit.enter(AbortSignal.timeout(10))).rejects.toMatchObject({ name: 'TimeoutError' });
  leave();
  const again = await limit.enter(AbortSignal.timeout(1000));
  again();
  await expect(limit.enter(AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
});
