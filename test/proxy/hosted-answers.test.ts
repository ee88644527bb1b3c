import { beforeEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import type { Answer } from '../../src/proxy/answer.ts';
import { HostedAnswers } from '../../src/proxy/hosted-answers.ts';
import type { RefreshableRequest } from '../../src/proxy/refreshable.ts';

const LIB = 'corp.test/lib';

let hosted: Record<string, string[]>;
let yanked: string[];
/** What upstream says to each kind of request; an error is thrown. */
let upstream: Partial<Record<RefreshableRequest['kind'], string | Error | Promise<Answer>>>;
let hidden: unknown[];
let infos: string[];

beforeEach(() => {
  hosted = { [LIB]: ['v1.2.0', 'v1.10.0'] };
  yanked = [];
  upstream = {};
  hidden = [];
  infos = [];
});

const answers = () =>
  new HostedAnswers({
    upstream: {
      find: async ({ kind }) => {
        const said = upstream[kind] ?? new GokeepError('not_found', 'no such module', { verbatim: 'no' });
        if (said instanceof Error) throw said;
        if (typeof said !== 'string') return await said;
        return { kind: 'bytes', body: Buffer.from(said), origin: 'cache', immutable: false, freshUntil: 99 };
      },
    },
    tables: {
      hosted: (path) => (hosted[path] ?? []).map((version) => ({ version, publishedAt: 1 })),
      yanks: () => yanked.map((version) => ({ version, yankedAt: 1, reason: 'bad' })),
      hostsBelow: (path) => Object.keys(hosted).some((each) => each.startsWith(`${path}/`)),
    },
    isPrivate: (path) => path.startsWith('corp.test'),
    info: async (_, version) => {
      infos.push(version);
      return { kind: 'bytes', body: Buffer.from(info(version)), origin: 'store', immutable: true };
    },
    onHiddenError: (error) => hidden.push(error),
    patience: 20,
  });

const info = (version: string) => JSON.stringify({ Version: version });

async function find(request: Partial<RefreshableRequest> & { kind: RefreshableRequest['kind'] }) {
  const asked = { path: LIB, ...request } as RefreshableRequest;
  const found = await answers().find(asked, { cachedOnly: false, signal: new AbortController().signal });
  if (found.kind !== 'bytes') throw new Error('a file');
  const { body, ...rest } = found;
  return { ...rest, text: body.toString() };
}

const latest = async () => (JSON.parse((await find({ kind: 'latest' })).text) as { Version: string }).Version;

describe('a list', () => {
  it('is what upstream has and what is hosted, in order, each once, for as long as upstream is fresh', async () => {
    upstream = { list: 'v1.10.0\nv1.3.0\n' };
    const found = await find({ kind: 'list' });
    expect(found).toMatchObject({ text: 'v1.2.0\nv1.3.0\nv1.10.0\n', origin: 'cache', freshUntil: 99 });
  });

  it('is what is hosted where upstream has nothing, or must not be asked', async () => {
    for (const code of ['not_found', 'gone', 'refused', 'not_stored'] as const) {
      upstream = { list: new GokeepError(code, 'no') };
      expect(await find({ kind: 'list' })).toMatchObject({ text: 'v1.2.0\nv1.10.0\n', origin: 'store' });
    }
    expect(hidden).toEqual([]);
  });

  it('is what is hosted, marked stale and never fresh, where upstream fails or is silent', async () => {
    for (const said of [new GokeepError('upstream_failed', 'x'), new Promise<Answer>(() => undefined)]) {
      upstream = { list: said };
      const found = await find({ kind: 'list' });
      expect(found).toMatchObject({ text: 'v1.2.0\nv1.10.0\n', origin: 'stale' });
      expect(found).not.toHaveProperty('freshUntil');
    }
    expect(hidden).toHaveLength(2);
  });

  it('names nothing that was yanked, hosted or not', async () => {
    upstream = { list: 'v1.3.0\nv1.4.0\n' };
    yanked = ['v1.3.0', 'v1.10.0'];
    expect((await find({ kind: 'list' })).text).toBe('v1.2.0\nv1.4.0\n');
  });

  it('of a module that is not hosted is upstream’s, and so is its error', async () => {
    hosted = {};
    upstream = { list: 'v1.3.0\n' };
    expect((await find({ kind: 'list' })).text).toBe('v1.3.0\n');
    upstream = {};
    await expect(find({ kind: 'list' })).rejects.toMatchObject({ code: 'not_found', verbatim: 'no' });
  });
});

describe('@latest', () => {
  it('is the newest of both, a release before a pre-release', async () => {
    upstream = { latest: info('v1.9.0') };
    expect(await latest()).toBe('v1.10.0');
    upstream = { latest: info('v1.11.0') };
    expect(await latest()).toBe('v1.11.0');
    upstream = { latest: info('v2.0.0-rc.1') };
    expect(await latest()).toBe('v1.10.0');
    upstream = { latest: info('v0.0.0-20240102030405-abcdefabcdef') };
    expect(await latest()).toBe('v1.10.0');
  });

  it('of what upstream does not have is what is hosted', async () => {
    expect(await latest()).toBe('v1.10.0');
    upstream = { latest: new GokeepError('upstream_failed', 'x') };
    expect(await find({ kind: 'latest' })).toMatchObject({ origin: 'stale' });
  });

  it('is nothing that was yanked: the next one of upstream’s list comes instead', async () => {
    upstream = { latest: info('v1.11.0'), list: 'v1.11.0\nv1.10.5\n' };
    yanked = ['v1.11.0'];
    expect(await latest()).toBe('v1.10.5');
    yanked = ['v1.11.0', 'v1.10.5', 'v1.10.0'];
    expect(await latest()).toBe('v1.2.0');
  });

  it('is absent where everything was yanked', async () => {
    yanked = ['v1.2.0', 'v1.10.0'];
    await expect(latest()).rejects.toMatchObject({ code: 'not_found' });
    upstream = { latest: new GokeepError('refused', 'off') };
    await expect(latest()).rejects.toMatchObject({ code: 'not_found' });
    upstream = { latest: info('v1.10.0'), list: 'v1.10.0\n' };
    await expect(latest()).rejects.toMatchObject({ code: 'not_found' });
    // Then it is not known what there is.
    upstream = { latest: new GokeepError('upstream_failed', 'x') };
    await expect(latest()).rejects.toMatchObject({ code: 'upstream_failed' });
  });
});

describe('a query', () => {
  it('by prefix means the newest of both that begins so', async () => {
    upstream = { info: info('v1.2.5') };
    const asked = async (version: string) => (await find({ kind: 'info', version })).text;
    expect(await asked('v1.2')).toBe(info('v1.2.5'));
    expect(await asked('v1')).toBe(info('v1.10.0'));
    upstream = {};
    expect(await asked('v1.2')).toBe(info('v1.2.0'));
    await expect(asked('v1.1')).rejects.toMatchObject({ code: 'not_found' });
    expect(infos).toEqual(['v1.10.0', 'v1.2.0']);
  });

  it('of another kind is upstream’s business', async () => {
    upstream = { info: info('v1.2.0') };
    expect((await find({ kind: 'info', version: 'main' })).text).toBe(info('v1.2.0'));
    expect(infos).toEqual([]);
  });
});

describe('beside a hosted module, where no upstream may be asked', () => {
  const off = new GokeepError('refused', 'the upstream list is "off"');

  it.each(['corp.test', `${LIB}/sub`, `${LIB}/sub/pkg`])('%s is no module', async (path) => {
    upstream = { list: off };
    await expect(find({ kind: 'list', path })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('trouble stays trouble, since then it is not known what there is', async () => {
    upstream = { list: new GokeepError('upstream_failed', 'x') };
    await expect(find({ kind: 'list', path: 'corp.test' })).rejects.toMatchObject({
      code: 'upstream_failed',
    });
  });

  it.each(['corp.test/libs', 'open.test', 'corp.test/other/x'])('%s is refused', async (path) => {
    upstream = { list: off };
    await expect(find({ kind: 'list', path })).rejects.toBe(off);
  });
});
