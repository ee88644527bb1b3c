import { describe, expect, it } from 'vitest';
import type { RecordedHead } from '../../src/audit/trail-heads.ts';
import { verifyTrail } from '../../src/audit/verify-trail.ts';
import { entryHash, entryText, type TrailEvent } from '../../src/store/trail-entry.ts';
import type { StoredEntry } from '../../src/store/trail-table.ts';

const event: TrailEvent = { kind: 'yank', who: 'token:ci', path: 'corp.test/a', version: 'v1.0.0' };

/** A chain of so many entries behind a hash. */
function chain(length: number, from = 1, before: Buffer = Buffer.alloc(32)): StoredEntry[] {
  let last = before;
  return Array.from({ length }, (_, at) => {
    const text = entryText(from + at, 0, event);
    last = entryHash(last, text);
    return { n: from + at, text, hash: last };
  });
}

const headOf = ({ n, hash }: StoredEntry): RecordedHead => ({ n, hash, version: `v0.0.${n}` });
const at = (entries: readonly StoredEntry[], n: number): StoredEntry => {
  const found = entries.find((each) => each.n === n);
  if (found === undefined) throw new Error(`no entry ${n}`);
  return found;
};

describe('a whole trail', () => {
  const good = chain(5);
  const heads = [headOf(at(good, 2)), headOf(at(good, 4))];

  it('has no problems, and is covered as far as the log has recorded it', () => {
    expect(verifyTrail(good, heads)).toEqual({ entries: 5, last: 5, covered: 4, problems: [] });
    expect(verifyTrail([], [])).toEqual({ entries: 0, last: 0, covered: 0, problems: [] });
  });

  it('shows an entry that was changed, with its old hash or with a new one', () => {
    const text = at(good, 3).text.replace('corp.test/a', 'corp.test/b');
    const changed = good.map((each) => (each.n === 3 ? { ...each, text } : each));
    expect(verifyTrail(changed, heads).problems).toEqual([
      'entry 3 is not what it was: its hash does not fit it and the entries before it',
    ]);
    const rehashed = good.map((each) =>
      each.n === 3 ? { ...each, text, hash: entryHash(at(good, 2).hash, text) } : each,
    );
    expect(verifyTrail(rehashed, heads).problems).toEqual([
      'entry 4 is not what it was: its hash does not fit it and the entries before it',
    ]);
  });

  it('shows a chain that was written anew, which fits in itself, by the heads in the log', () => {
    const [first] = good;
    const forged = [...good.slice(0, 1), ...chain(4, 2, entryHash(first?.hash ?? Buffer.alloc(32), 'x'))];
    let before = first?.hash ?? Buffer.alloc(32);
    const whole = forged.map((each) => {
      if (each.n === 1) return each;
      const text = each.text.replace('token:ci', 'token:eve');
      before = entryHash(before, text);
      return { n: each.n, text, hash: before };
    });
    expect(verifyTrail(whole, []).problems).toEqual([]);
    expect(verifyTrail(whole, heads)).toMatchObject({
      covered: 0,
      problems: [
        'entry 2 is not what it was: the log recorded another hash for it',
        'entry 4 is not what it was: the log recorded another hash for it',
      ],
    });
  });

  it('shows entries that were cut off behind what the log has recorded', () => {
    expect(verifyTrail(good.slice(0, 3), heads).problems).toEqual(['entry 4 is missing']);
    expect(verifyTrail([], heads).problems).toEqual(['entries 1 to 4 are missing']);
    // Nothing can tell of what no head covers yet.
    expect(verifyTrail(good.slice(0, 4), heads).problems).toEqual([]);
  });

  it('shows entries that were taken out of the middle', () => {
    const without = good.filter(({ n }) => n !== 3);
    expect(verifyTrail(without, heads).problems).toContain('entry 3 is missing');
  });

  it('shows an entry under the number of another', () => {
    const swapped = good.map((each) => (each.n === 3 ? { ...at(good, 4), n: 3 } : each));
    expect(verifyTrail(swapped, heads).problems).toContain('entry 3 is not an entry of that number');
  });

  it('goes on behind a gap that the server has noted, and still says what is missing', () => {
    const bridged = (hash: Buffer): StoredEntry[] => {
      const facts = { after: 1, lost: 3, hash: hash.toString('base64') };
      const text = entryText(5, 0, { kind: 'gap', who: 'gokeep', facts });
      const gap = { n: 5, text, hash: entryHash(hash, text) };
      return [...good.slice(0, 1), gap, ...chain(2, 6, gap.hash)];
    };
    expect(verifyTrail(bridged(at(good, 4).hash), [headOf(at(good, 4))]).problems).toEqual([
      'entries 2 to 4 are missing: the trail was put back from a backup or begun anew',
    ]);
    expect(verifyTrail(bridged(Buffer.alloc(32, 1)), [headOf(at(good, 4))]).problems).toContain(
      'entry 5 goes on behind a hash that is not the one that the log recorded for entry 4',
    );
  });

  it('shows bytes that are no entry', () => {
    const spoilt = good.map((each) => (each.n === 5 ? { ...each, text: '\0' } : each));
    expect(verifyTrail(spoilt, heads).problems).toHaveLength(2);
  });
});
