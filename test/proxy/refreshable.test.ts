import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { formatModuleRequest } from '../../src/module/request-path.ts';
import type { HeldModules } from '../../src/proxy/held.ts';
import { Refreshable, type RefreshableRequest } from '../../src/proxy/refreshable.ts';
import type { RememberedAnswer, UpstreamStore } from '../../src/store/upstream-store.ts';
import type { Routing } from '../../src/upstream/routing.ts';

const TTL = 60_000;
const LIST: RefreshableRequest = { kind: 'list', path: 'a.test/m' };
const BRANCH: RefreshableRequest = { kind: 'info', path: 'a.test/m', version: 'main' };

/** Upstream, clock and disk of one test. */
class Stage {
  clock = 1_000_000;
  /** What upstream says next, and how often it was asked. */
  says: () => Promise<string> = async () => 'v1.0.0\n';
  asked = 0;
  readonly disk = new Map<string, RememberedAnswer>();
  readonly hidden: string[] = [];
  heldList: string | undefined;
  failToRemember = false;

  start(offline = false): Refreshable {
    const fetch = async () => {
      this.asked++;
      return { body: Buffer.from(await this.says()), source: 'upstream' };
    };
    const remembered = {
      answer: (key: string) => this.disk.get(key),
      keepAnswer: async (key: string, answer: RememberedAnswer) => {
        if (this.failToRemember) throw new GokeepError('storage_full', 'full');
        this.disk.set(key, answer);
      },
    };
    const body = async () => (this.heldList === undefined ? undefined : Buffer.from(this.heldList));
    return new Refreshable({
      routing: { chainFor: () => ({ fetch }) } as unknown as Routing,
      remembered: remembered as unknown as UpstreamStore,
      held: { list: body, latest: body, query: body } as unknown as HeldModules,
      offline,
      ttl: TTL,
      now: () => this.clock,
      onHiddenError: (_error, what) => this.hidden.push(what),
    });
  }
}

async function find(
  refreshable: Refreshable,
  request = LIST,
  cachedOnly = false,
  signal = new AbortController().signal,
) {
  const answer = await refreshable.find(request, { cachedOnly, signal });
  if (answer.kind !== 'bytes') throw new Error('a refreshable answer is bytes');
  return { body: answer.body.toString(), from: answer.origin, freshUntil: answer.freshUntil };
}

const unreachable = async (): Promise<string> => {
  throw new GokeepError('upstream_unreachable', 'no connection');
};
const absent = async (): Promise<string> => {
  throw new GokeepError('not_found', 'none', {
    verbatim: 'not found: as upstream said',
    cause: new Error('x'),
  });
};

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

describe('within the TTL', () => {
  it('the first half is answered without asking', async () => {
    const r = stage.start();
    expect(await find(r)).toEqual({ body: 'v1.0.0\n', from: 'upstream', freshUntil: 1_000_000 + TTL / 2 });
    stage.clock += TTL / 2 - 1;
    expect(await find(r)).toMatchObject({ from: 'cache' });
    expect(stage.asked).toBe(1);
  });

  it('the second half is answered too, and upstream is asked meanwhile: new tags are visible within the TTL', async () => {
    const r = stage.start();
    await find(r);
    stage.says = async () => 'v1.0.0\nv1.1.0\n';
    stage.clock += TTL / 2;
    expect(await find(r)).toMatchObject({ body: 'v1.0.0\n', from: 'cache' });
    await turn();
    expect(await find(r)).toMatchObject({ body: 'v1.0.0\nv1.1.0\n', from: 'cache' });
    expect(stage.asked).toBe(2);
  });

  it('a failed refresh in the background is no client’s business', async () => {
    const r = stage.start();
    await find(r);
    stage.says = unreachable;
    stage.clock += TTL / 2;
    expect(await find(r)).toMatchObject({ body: 'v1.0.0\n', from: 'cache' });
    await turn();
    expect(stage.hidden).toEqual([`refreshing ${formatModuleRequest(LIST)}`]);
  });

  it('many ask at once, and upstream is asked once', async () => {
    const gate = Promise.withResolvers<string>();
    stage.says = () => gate.promise;
    const r = stage.start();
    const asked = Array.from({ length: 20 }, () => find(r));
    await turn();
    gate.resolve('v1.0.0\n');
    expect((await Promise.all(asked)).every(({ body }) => body === 'v1.0.0\n')).toBe(true);
    expect(stage.asked).toBe(1);
  });

  it('a clock that was set back does not make an answer eternal', async () => {
    const r = stage.start();
    await find(r);
    stage.clock -= 3_600_000;
    stage.says = async () => 'v2\n';
    expect(await find(r)).toMatchObject({ body: 'v2\n', from: 'upstream' });
  });
});

describe('beyond the TTL', () => {
  it('upstream is asked first, and its answer given', async () => {
    const r = stage.start();
    await find(r);
    stage.clock += TTL;
    stage.says = async () => 'v1.1.0\n';
    expect(await find(r)).toMatchObject({ body: 'v1.1.0\n', from: 'upstream' });
  });

  it('when upstream fails, the older answer is given, marked stale, and upstream left alone for a while', async () => {
    const r = stage.start();
    await find(r);
    stage.clock += TTL;
    stage.says = unreachable;
    for (let i = 0; i < 5; i++)
      expect(await find(r)).toEqual({ body: 'v1.0.0\n', from: 'stale', freshUntil: undefined });
    expect(stage.asked).toBe(2);
    stage.clock += 10_000;
    stage.says = async () => 'v1.1.0\n';
    expect(await find(r)).toMatchObject({ body: 'v1.1.0\n', from: 'upstream' });
  });

  it('an authentic absence is the answer, however old answers may lie about', async () => {
    const r = stage.start();
    await find(r);
    stage.clock += TTL;
    stage.says = absent;
    await expect(find(r)).rejects.toMatchObject({
      code: 'not_found',
      verbatim: 'not found: as upstream said',
    });
  });

  it('an upstream that hangs makes nobody wait who comes later, and its failure is reported once', async () => {
    const r = stage.start();
    await find(r);
    stage.clock += TTL;
    const gate = Promise.withResolvers<string>();
    stage.says = () => gate.promise;
    for (const answer of await Promise.all([find(r), find(r), find(r)])) {
      expect(answer).toMatchObject({ from: 'stale' });
    }
    const begun = performance.now();
    expect(await find(r)).toMatchObject({ from: 'stale' });
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(stage.asked).toBe(2);
    gate.reject(new GokeepError('upstream_timeout', 'no answer'));
    await turn();
    expect(stage.hidden).toEqual([`refreshing ${formatModuleRequest(LIST)}`]);
  });

  it('an upstream that hangs costs three seconds, then the older answer is given', async () => {
    const r = stage.start();
    await find(r);
    stage.clock += TTL;
    const gate = Promise.withResolvers<string>();
    stage.says = () => gate.promise;
    const begun = performance.now();
    expect(await find(r)).toMatchObject({ from: 'stale' });
    expect(performance.now() - begun).toBeLessThan(10_000);
    gate.resolve('v1.1.0\n');
    await turn();
    expect(await find(r)).toMatchObject({ body: 'v1.1.0\n', from: 'cache' });
  });
});

describe('absence', () => {
  it('is remembered within the TTL and not beyond it, in words of upstream each time', async () => {
    const r = stage.start();
    stage.says = absent;
    for (let i = 0; i < 3; i++) {
      await expect(find(r)).rejects.toMatchObject({
        code: 'not_found',
        verbatim: 'not found: as upstream said',
      });
    }
    expect(stage.asked).toBe(1);
    stage.says = async () => 'v1.0.0\n';
    stage.clock += TTL;
    expect(await find(r)).toMatchObject({ body: 'v1.0.0\n', from: 'upstream' });
  });

  it.each(['upstream_failed', 'upstream_unreachable', 'upstream_timeout', 'upstream_refused'] as const)(
    'is never made of %s',
    async (code) => {
      const r = stage.start();
      stage.says = async () => {
        throw new GokeepError(code, 'trouble');
      };
      for (let i = 0; i < 2; i++) await expect(find(r)).rejects.toMatchObject({ code });
      expect(stage.asked).toBe(2);
      stage.says = async () => 'v1.0.0\n';
      expect(await find(r)).toMatchObject({ from: 'upstream' });
    },
  );
});

describe('after a restart', () => {
  it('an answer on disk that is fresh is given, an older one helps when upstream is away', async () => {
    await find(stage.start());
    await turn();
    stage.clock += 1_000;
    expect(await find(stage.start())).toMatchObject({ from: 'cache' });
    expect(stage.asked).toBe(1);
    stage.clock += TTL;
    stage.says = unreachable;
    expect(await find(stage.start())).toMatchObject({ body: 'v1.0.0\n', from: 'stale' });
  });

  it('what could not be remembered was answered all the same', async () => {
    stage.failToRemember = true;
    expect(await find(stage.start())).toMatchObject({ body: 'v1.0.0\n', from: 'upstream' });
    await turn();
    expect(stage.hidden).toEqual([`remembering ${formatModuleRequest(LIST)}`]);
  });

  it('with nothing remembered and upstream away, what is held is given, marked stale', async () => {
    stage.says = unreachable;
    stage.heldList = 'v0.9.0\n';
    expect(await find(stage.start())).toMatchObject({ body: 'v0.9.0\n', from: 'stale' });
  });
});

describe('from the store only', () => {
  it.each([
    ['offline', true, false],
    ['for a request that asks for it', false, true],
  ])('%s, upstream is never asked', async (_what, offline, cachedOnly) => {
    stage.heldList = 'v0.9.0\n';
    const r = stage.start(offline);
    expect(await find(r, LIST, cachedOnly)).toMatchObject({
      body: 'v0.9.0\n',
      from: 'store',
      freshUntil: undefined,
    });
    stage.heldList = undefined;
    await expect(find(r, LIST, cachedOnly)).rejects.toMatchObject({ code: 'not_stored' });
    expect(stage.asked).toBe(0);
  });

  it('a branch is what upstream once said it was; a list is what is held, whatever upstream said', async () => {
    stage.says = async () => '{"Version":"v1.0.0"}';
    const online = stage.start();
    await find(online, BRANCH);
    await find(online, LIST);
    await turn();
    const r = stage.start(true);
    expect(await find(r, BRANCH)).toMatchObject({ body: '{"Version":"v1.0.0"}', from: 'store' });
    await expect(find(r, LIST)).rejects.toMatchObject({ code: 'not_stored' });
  });
});

describe('a client that goes away', () => {
  it('ends the question when it was the only one, and is told nothing stale', async () => {
    const client = new AbortController();
    const gate = Promise.withResolvers<string>();
    stage.says = () => gate.promise;
    stage.heldList = 'v0.9.0\n';
    const asked = find(stage.start(), LIST, false, client.signal);
    client.abort(new GokeepError('busy', 'gone'));
    await expect(asked).rejects.toMatchObject({ code: 'busy' });
    gate.resolve('v1.0.0\n');
  });
});
