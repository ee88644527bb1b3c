import { describe, expect, test } from 'vitest';

import type { UpstreamChain } from '../../src/upstream/chain.ts';
import { Routing } from '../../src/upstream/routing.ts';
import type { RoutingOptions } from '../../src/upstream/routing.ts';

const named = (name: string): UpstreamChain => ({ name }) as unknown as UpstreamChain;

function where(options: Partial<RoutingOptions>, path: string, isPrivate?: boolean): string {
  const routing = new Routing({ routes: [], privatePaths: [], privateDirect: undefined, ...options });
  try {
    return (routing.chainFor(path, isPrivate) as unknown as { name: string }).name;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const PUBLIC = { match: [], private: false, chain: named('public') };
const TEAM = { match: ['corp.example/team', '*.team.example'], private: true, chain: named('team') };
const MIRROR = { match: ['github.com/*'], private: false, chain: named('mirror') };
const privatePaths = ['corp.example', 'GIT.example/Upper'];
const privateDirect = named('direct');

describe('a module goes', () => {
  const cases: [string, boolean | undefined, string][] = [
    ['example.com/m', undefined, 'public'],
    ['github.com/a/b', undefined, 'mirror'],
    ['corp.example/team/m', undefined, 'team'],
    ['x.team.example/m', undefined, 'team'],
    ['corp.example/other', undefined, 'direct'],
    ['corp.example', undefined, 'direct'],
    ['corp.example.org/m', undefined, 'public'],
    ['corp.exampleX/m', undefined, 'public'],
    ['GIT.example/Upper/m', undefined, 'direct'],
    ['git.example/upper/m', undefined, 'public'],
    ['github.com/a/b', true, 'direct'],
    ['corp.example/other', false, 'direct'],
  ];
  test.each(cases)('%s (private: %s) to %s', (path, isPrivate, expected) => {
    const routes = [PUBLIC, TEAM, MIRROR].toReversed();
    expect(where({ routes, privatePaths, privateDirect }, path, isPrivate)).toBe(expected);
  });
});

test('a private path is refused when nothing private may be asked', () => {
  expect(where({ routes: [PUBLIC], privatePaths }, 'corp.example/m')).toBe('refused');
});

test('a private entry without patterns serves every private path and no public one', () => {
  const routes = [{ match: [], private: true, chain: named('inside') }, PUBLIC];
  expect(where({ routes, privatePaths, privateDirect }, 'corp.example/m')).toBe('inside');
  expect(where({ routes, privatePaths, privateDirect }, 'example.com/m')).toBe('public');
});

test('a public path that no entry matches is refused', () => {
  expect(where({ routes: [MIRROR] }, 'example.com/m')).toBe('refused');
});

test('a malformed pattern is a configuration error', () => {
  const build = (): unknown => new Routing({ routes: [], privatePaths: ['[a'], privateDirect });
  expect(build).toThrow(expect.objectContaining({ code: 'bad_config' }));
});

test('what a private entry matches is private, though `private` does not list it: no public database hears of it', () => {
  const routing = new Routing({ routes: [TEAM, PUBLIC, MIRROR], privatePaths: [], privateDirect });
  expect(routing.isPrivate('corp.example/team/m')).toBe(true);
  expect(routing.isPrivate('corp.example/other')).toBe(false);
  expect(routing.isPrivate('github.com/a/b')).toBe(false);
});
