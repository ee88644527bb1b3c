import { expect, test } from 'vitest';
import { Requirements } from '../../../src/airgap/want/requirements.ts';
import { MadeAnswers } from './made-graph.ts';

test('go.mod files that name a million versions are refused before they fill the memory', () => {
  const requirements = new Requirements({
    answers: new MadeAnswers({}),
    concurrency: 1,
    signal: new AbortController().signal,
    progress: () => {},
  });
  for (let i = 0; i < 1_000_000; i++) requirements.version(`m.test/m${i % 1000}`, `v0.0.${i}`);
  expect(requirements.version('m.test/m0', 'v0.0.0')).toBe(requirements.version('m.test/m0', 'v0.0.0'));
  expect(() => requirements.version('m.test/m0', 'v1.0.0')).toThrow(
    expect.objectContaining({ code: 'bad_mod_file', message: expect.stringMatching(/^More than 1000000 /) }),
  );
});
