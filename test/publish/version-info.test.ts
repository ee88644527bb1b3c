import { describe, expect, it } from 'vitest';
import { claimOf, formatClaim, formatInfo, parseClaim } from '../../src/publish/version-info.ts';

const HASH = 'a'.repeat(40);
const commit = { hash: HASH, time: new Date('2024-01-02T03:04:05Z') };

describe('what a publisher says of a version', () => {
  it('comes back as it was written, in one line of ASCII', () => {
    const claim = claimOf(commit, 'refs/tags/süb/v1.0.0-\u{1f600}', 'süb');
    const line = formatClaim(claim);
    expect(line).toMatch(/^[ -~]+$/);
    expect(parseClaim(line)).toEqual(claim);
  });

  it('makes the .info that go reads', () => {
    expect(
      JSON.parse(formatInfo('v1.0.0', claimOf(commit, 'refs/tags/sub/v1.0.0', 'sub')).toString()),
    ).toEqual({
      Version: 'v1.0.0',
      Time: '2024-01-02T03:04:05Z',
      Origin: { VCS: 'git', Subdir: 'sub', Hash: HASH, Ref: 'refs/tags/sub/v1.0.0' },
    });
    expect(formatInfo('v1.0.0', { time: commit.time, origin: undefined }).toString()).toBe(
      '{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}',
    );
  });

  it('may be typed by a person', () => {
    expect(parseClaim('{"Version": "v9.9.9", "Time": "2024-01-02T03:04:05.678Z"}').origin).toBeUndefined();
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"Time": 1}',
    '{"Time": "2024-02-30T00:00:00Z"}',
    '{"Time": "2024-01-02T25:04:05Z"}',
    '{"Time": "2024-01-02T03:04:05+01:00"}',
    '{"Time": "2024-01-02T03:04:05Z", "Short": "x"}',
    '{"Time": "2024-01-02T03:04:05Z", "__proto__": {}}',
    '{"Time": "2024-01-02T03:04:05Z", "Origin": "x"}',
    '{"Time": "2024-01-02T03:04:05Z", "Origin": {"VCS": "hg"}}',
    '{"Time": "2024-01-02T03:04:05Z", "Origin": {"VCS": "git", "Hash": "abc"}}',
    `{"Time": "2024-01-02T03:04:05Z", "Origin": {"VCS": "git", "Hash": "${HASH}", "URL": "https://x"}}`,
    `{"Time": "2024-01-02T03:04:05Z", "Origin": {"VCS": "git", "Hash": "${HASH}", "Ref": "a\\u001b[2J"}}`,
    `{"Time": "2024-01-02T03:04:05Z", "Origin": {"VCS": "git", "Hash": "${HASH}", "Ref": ["a"]}}`,
    ' '.repeat(5000),
  ])('is refused when it is %j', (text) => {
    expect(() => parseClaim(text)).toThrow(expect.objectContaining({ code: 'bad_upload' }));
  });
});
