import { expect, test } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { type Attempt, FailingHosts } from '../../src/upstream/failing-hosts.ts';

const HOST: [string, ...string[]] = ['git.corp.test'];
const silent = new GokeepError('upstream_timeout', 'it hangs');
const dead = new GokeepError('upstream_unreachable', 'it is down');

function hosts() {
  const clock = { now: 0 };
  return { clock, failing: new FailingHosts(() => clock.now) };
}

const fails =
  (error: GokeepError) =>
  async ({ start }: Attempt): Promise<string> => {
    start();
    throw error;
  };
const answers = async ({ start }: Attempt): Promise<string> => {
  start();
  return 'answer';
};

test('a host that did not answer is not asked for half a minute, and says so with the same code', async () => {
  for (const error of [silent, dead]) {
    const { clock, failing } = hosts();
    await expect(failing.attempt(HOST, 'Module m', fails(error))).rejects.toBe(error);
    clock.now = 29_999;
    await expect(failing.attempt(HOST, 'Module m', answers)).rejects.toMatchObject({
      code: error.code,
      message:
        'Module m could not be fetched from its repository: git.corp.test did not answer a moment ago, and is asked again in 1 s.',
    });
    clock.now = 30_000;
    expect(await failing.attempt(HOST, 'Module m', answers)).toBe('answer');
  }
});

test('then one request finds out for all', async () => {
  const { clock, failing } = hosts();
  await failing.attempt(HOST, 'm', fails(silent)).catch(() => {});
  clock.now = 30_000;
  const probe = Promise.withResolvers<string>();
  const probing = failing.attempt(HOST, 'm', async ({ start }) => {
    start();
    return await probe.promise;
  });
  await expect(failing.attempt(HOST, 'm', answers)).rejects.toMatchObject({ code: 'upstream_timeout' });
  probe.resolve('answer');
  expect(await probing).toBe('answer');
  expect(await failing.attempt(HOST, 'm', answers)).toBe('answer');
});

test('a probe that was given up leaves the next one to find out', async () => {
  const { clock, failing } = hosts();
  await failing.attempt(HOST, 'm', fails(silent)).catch(() => {});
  clock.now = 30_000;
  const busy = new GokeepError('busy', 'given up');
  await expect(failing.attempt(HOST, 'm', fails(busy))).rejects.toBe(busy);
  expect(await failing.attempt(HOST, 'm', answers)).toBe('answer');
});

test('who waited for a place meanwhile does not ask either', async () => {
  const { failing } = hosts();
  const turn = Promise.withResolvers<undefined>();
  let asked = false;
  const waiting = failing.attempt(HOST, 'm', async ({ start }) => {
    await turn.promise;
    start();
    asked = true;
  });
  await failing.attempt(HOST, 'm', fails(silent)).catch(() => {});
  turn.resolve(undefined);
  await expect(waiting).rejects.toMatchObject({ code: 'upstream_timeout' });
  expect(asked).toBe(false);
});

test('a request that hangs while the host answers others says nothing about the host', async () => {
  const { clock, failing } = hosts();
  const end = Promise.withResolvers<never>();
  const large = failing.attempt(HOST, 'large', async ({ start }) => {
    start();
    return await end.promise;
  });
  clock.now = 5;
  for (const word of ['not_found', 'upstream_refused'] as const) {
    await failing.attempt(HOST, 'm', fails(new GokeepError(word, 'x'))).catch(() => {});
  }
  end.reject(silent);
  await expect(large).rejects.toBe(silent);
  expect(await failing.attempt(HOST, 'm', answers)).toBe('answer');
});

test('another host that was to blame does not stop this one', async () => {
  const { failing } = hosts();
  const led = failing.attempt(HOST, 'm', async ({ start, name }) => {
    start();
    name('elsewhere.test');
    throw dead;
  });
  await expect(led).rejects.toBe(dead);
  expect(await failing.attempt(HOST, 'm', answers)).toBe('answer');
  await expect(failing.attempt(['elsewhere.test'], 'm', answers)).rejects.toMatchObject({ code: dead.code });
});

test('an absence that one host told says nothing about the others', async () => {
  const { failing } = hosts();
  const both: [string, ...string[]] = ['https://git.corp.test', 'git.corp.test'];
  const end = Promise.withResolvers<never>();
  const git = failing.attempt(HOST, 'm', async ({ start }) => {
    start();
    return await end.promise;
  });
  const page = failing.attempt(both, 'm', async ({ start, name }) => {
    start();
    name('https://git.corp.test');
    throw new GokeepError('not_found', 'x');
  });
  await page.catch(() => {});
  end.reject(silent);
  await git.catch(() => {});
  await expect(failing.attempt(HOST, 'm', answers)).rejects.toMatchObject({ code: silent.code });
  const refused = failing.attempt(['https://git.corp.test'], 'm', answers);
  expect(await refused).toBe('answer');
});

test('absences and other failures are not remembered', async () => {
  const { failing } = hosts();
  for (const code of ['not_found', 'upstream_refused', 'upstream_failed', 'busy'] as const) {
    await failing.attempt(HOST, 'm', fails(new GokeepError(code, 'x'))).catch(() => {});
    expect(await failing.attempt(HOST, 'm', answers)).toBe('answer');
  }
});

test('a thousand hosts are remembered, and no more', async () => {
  const { failing } = hosts();
  for (let i = 0; i < 1_001; i++) await failing.attempt([`h${i}.test`], 'm', fails(dead)).catch(() => {});
  expect(await failing.attempt(['h0.test'], 'm', answers)).toBe('answer');
  await expect(failing.attempt(['h1.test'], 'm', answers)).rejects.toMatchObject({ code: dead.code });
});

test('hosts that fail are told, the latest first, with why and for how long they are held back, until they answer', async () => {
  let now = 0;
  const failing = new FailingHosts(() => now);
  expect(failing.failing()).toEqual([]);
  const secret = new GokeepError('upstream_timeout', 'https://me:hunter2@one.test did not answer');
  await failing.attempt(['one.test'], 'm', fails(secret)).catch(() => {});
  now = 10_000;
  await failing.attempt(['two.test'], 'm', fails(dead)).catch(() => {});
  expect(failing.failing()).toMatchObject([
    { host: 'two.test', heldBack: 30_000 },
    { host: 'one.test', code: 'upstream_timeout', why: 'https://one.test did not answer', heldBack: 20_000 },
  ]);
  now = 60_000;
  expect(failing.failing().map(({ heldBack }) => heldBack)).toEqual([0, 0]);
  await failing.attempt(['two.test'], 'm', answers);
  expect(failing.failing().map(({ host }) => host)).toEqual(['one.test']);
});
