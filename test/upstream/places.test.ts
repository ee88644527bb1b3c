import { expect, test } from 'vitest';
import { Places } from '../../src/upstream/places.ts';

/** Whether it is settled before anything else happens. */
async function soon(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise(setImmediate);
  return settled;
}

test('one host has all places but one, and the last one is for another', async () => {
  const places = new Places(3);
  const leave = await places.enter('a', undefined);
  await places.enter('a', undefined);
  const third = places.enter('a', undefined);
  expect(await soon(third)).toBe(false);
  await places.enter('b', undefined);
  const fourth = places.enter('c', undefined);
  expect(await soon(fourth)).toBe(false);
  leave();
  expect(await soon(fourth)).toBe(true);
  expect(await soon(third)).toBe(false);
});

test('a single place is for anybody', async () => {
  const places = new Places(1);
  const leave = await places.enter('a', undefined);
  const next = places.enter('a', undefined);
  expect(await soon(next)).toBe(false);
  leave();
  (await next)();
  expect(await soon(places.enter('a', undefined))).toBe(true);
});

test('who gives up leaves the places to others, whether waiting for the host or for all', async () => {
  const places = new Places(2);
  const leaveA = await places.enter('a', undefined);
  const leaveB = await places.enter('b', undefined);
  const stop = new AbortController();
  const waiting = ['a', 'c'].map((host) => places.enter(host, stop.signal));
  await new Promise(setImmediate);
  stop.abort();
  for (const { status } of await Promise.allSettled(waiting)) expect(status).toBe('rejected');
  leaveA();
  leaveB();
  const entered = ['a', 'c'].map((host) => places.enter(host, undefined));
  expect(await soon(Promise.all(entered))).toBe(true);
});
