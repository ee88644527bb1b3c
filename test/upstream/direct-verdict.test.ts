import { expect, test } from 'vitest';

import { directError } from '../../src/upstream/direct-verdict.ts';

const DIR = '/data/direct/mod';

/** What go 1.26 and git 2.39 said, with paths and hosts replaced. */
test.each([
  ['not_found', 'example.com/m@v1.0.9: invalid version: unknown revision v1.0.9'],
  ['not_found', 'module example.com/m/none: no matching versions for query "latest"'],
  [
    'not_found',
    'example.com/m@v0.0.0-20240102030405-abcdefabcdef: invalid pseudo-version: does not match version-control timestamp',
  ],
  [
    'not_found',
    'unrecognized import path "example.com/m": reading https://example.com/m?go-get=1: 404 Not Found',
  ],
  [
    'not_found',
    'unrecognized import path "example.com/m": parse https://example.com/m?go-get=1: no go-import meta tags ()',
  ],
  [
    'not_found',
    `module example.com/m: git ls-remote -q origin in ${DIR}/cache/vcs/1: exit status 128:\n\tfatal: repository 'https://u:p@example.com/m/' not found`,
  ],
  [
    'upstream_unreachable',
    `example.com/m@v1.0.0: invalid version: git ls-remote -q origin in ${DIR}/x: exit status 128:\n\tfatal: unable to access 'https://example.com/': Could not resolve host: example.com`,
  ],
  [
    'upstream_unreachable',
    'unrecognized import path "example.com/m": https fetch: Get "https://example.com/m?go-get=1": dial tcp: lookup example.com: no such host',
  ],
  [
    'upstream_timeout',
    'unrecognized import path "example.com/m": https fetch: Get "https://example.com/m?go-get=1": dial tcp 192.0.2.1:443: i/o timeout',
  ],
  [
    'upstream_refused',
    `module example.com/m: git ls-remote: exit status 128:\n\tfatal: could not read Username for 'https://example.com': terminal prompts disabled`,
  ],
  [
    'upstream_failed',
    'unrecognized import path "example.com/m": reading https://example.com/m?go-get=1: 500 Internal Server Error',
  ],
  [
    'upstream_failed',
    `example.com/m@v1.0.0: invalid version: git fetch -f origin in ${DIR}/x: exit status 128:\n\tfatal: early EOF`,
  ],
  ['upstream_failed', 'example.com/m.git@latest: no secure protocol found for repository'],
  ['upstream_failed', 'something go has never said before: not found'],
  ['upstream_failed', ''],
  [
    'no_go',
    'example.com/m@latest: unable to resolve git version: failed to execute git version: exec: "git": executable file not found in $PATH',
  ],
  ['no_go', 'example.com/m@v1.0.0 requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)'],
])('%s: %s', async (code, said) => {
  const { error } = await directError(`go: ${said}`, {
    subject: 'Module example.com/m',
    path: 'example.com/m',
    directory: DIR,
    credentials: undefined,
    caFile: undefined,
  });
  expect(error.code).toBe(code);
  expect(error.message).toMatch(/^Module example\.com\/m .*\.$/);
  expect(error.message).not.toContain(DIR);
  expect(`${error.message} ${error.detail}`).not.toContain('u:p@');
});
