import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openNote } from '../../src/note/note.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import type { SignedHead } from '../../src/sumdb/log-engine.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { EMPTY_ROOT, recordHash } from '../../src/tlog/hash.ts';
import { parseTree } from '../../src/tlog/tree-note.ts';
import { treeHash } from '../../src/tlog/tree.ts';
import { StoredLog } from '../tlog/stored-log.ts';
import { candidate, candidates, h1, TEST_VERIFIER } from './candidates.ts';
import { type FailPoint, InjectedFault, TestLog } from './test-log.ts';

let log: TestLog;

beforeEach(() => {
  log = new TestLog();
});

afterEach(() => log[Symbol.dispose]());

/** Every head that was ever signed, each held against the tree computed anew from the records. */
async function expectConsistent(shown: readonly SignedHead[]): Promise<void> {
  const reader = new LogReader(log.database);
  try {
    const tree = new StoredLog();
    const roots = [EMPTY_ROOT.toString('hex')];
    for (const { path, version, zip, mod } of reader.range(0, 10_000)) {
      tree.append(recordHash(formatGoSumRecord(path, version, zip, mod)));
      roots.push((await treeHash(tree.size, tree.reader)).toString('hex'));
    }
    expect(reader.heads(0, 10_000).length).toBeGreaterThan(0);
    for (const { size, root, note } of [...shown, ...reader.heads(0, 10_000)]) {
      expect(root.toString('hex')).toBe(roots[size]);
      if (note === null) continue;
      expect(parseTree(openNote(note, [TEST_VERIFIER]).text)).toEqual({ size, root });
    }
  } finally {
    reader.close();
  }
}

describe('a batch', () => {
  it('starts from a signed empty tree', () => {
    const head = log.open().recover();
    expect(head.size).toBe(0);
    expect(head.root).toEqual(EMPTY_ROOT);
    expect(parseTree(openNote(head.note, [TEST_VERIFIER]).text).size).toBe(0);
  });

  it('numbers its records in order and is covered by the head that it gives', async () => {
    const engine = log.open();
    const first = engine.append(candidates(1, 2, 3));
    expect(first.outcomes).toEqual([0, 1, 2].map((id) => ({ kind: 'logged', id, added: true })));
    expect(first.head.size).toBe(3);
    await expectConsistent([first.head]);
  });

  it('makes one record of duplicates in it, and none of what is logged already', () => {
    const engine = log.open();
    engine.append(candidates(1));
    const { outcomes, head } = engine.append(candidates(2, 1, 2, 2));
    expect(outcomes).toEqual([
      { kind: 'logged', id: 1, added: true },
      { kind: 'logged', id: 0, added: false },
      { kind: 'logged', id: 1, added: false },
      { kind: 'logged', id: 1, added: false },
    ]);
    expect(head.size).toBe(2);
  });

  it('signs nothing new when it brings nothing new', () => {
    const engine = log.open();
    const { head } = engine.append(candidates(1));
    log.now += 60_000;
    expect(engine.append(candidates(1)).head).toEqual(head);
  });

  it.each(['zip', 'mod'] as const)('leaves a record for ever as it is when another %s hash comes', (part) => {
    const other = { ...candidate(1), [part]: h1('other bytes') };
    const engine = log.open();
    engine.append(candidates(1));
    const recorded = { kind: 'conflict', zip: candidate(1).zip, mod: candidate(1).mod };
    expect(engine.append([other, candidate(2)]).outcomes).toEqual([
      recorded,
      { kind: 'logged', id: 1, added: true },
    ]);
    expect(log.open().append([other]).outcomes).toEqual([recorded]);
    expect(log.open().append(candidates(1)).outcomes).toEqual([{ kind: 'logged', id: 0, added: false }]);
  });

  it('takes the first of two that contradict each other in it', () => {
    const { outcomes, head } = log.open().append([candidate(1), { ...candidate(1), zip: h1('other bytes') }]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['logged', 'conflict']);
    expect(head.size).toBe(1);
  });

  it('does not care which way the clock jumps', async () => {
    const heads: SignedHead[] = [];
    for (const jump of [0, -63_072_000_000, 31_536_000_000, 0]) {
      log.now += jump;
      heads.push(log.open().append(candidates(heads.length)).head);
    }
    expect(heads.map(({ size }) => size)).toEqual([1, 2, 3, 4]);
    await expectConsistent(heads);
  });
});

const STEPS: readonly FailPoint[] = [
  'before integrate',
  'after integrate',
  'before advance',
  'after advance',
  'before publish',
  'after publish',
];

describe('a fault between two steps', () => {
  it.each(STEPS)('%s: the next append goes on, with one record and one history', async (step) => {
    const engine = log.open();
    const before = engine.append(candidates(1, 2)).head;
    log.faults.failNext(step);
    expect(() => engine.append(candidates(3, 4))).toThrow(InjectedFault);
    const { outcomes, head } = engine.append(candidates(4, 3, 5));
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['logged', 'logged', 'logged']);
    expect(head.size).toBe(5);
    await expectConsistent([before, head]);
  });

  it.each(STEPS)('%s: the next process goes on, with one record and one history', async (step) => {
    const engine = log.open();
    const before = engine.append(candidates(1, 2)).head;
    log.faults.failNext(step);
    expect(() => engine.append(candidates(3, 4))).toThrow(InjectedFault);
    const next = log.open();
    const recovered = next.recover();
    expect(recovered.size).toBe(step === 'before integrate' ? 2 : 4);
    const { head } = next.append(candidates(3, 4, 5));
    expect(head.size).toBe(5);
    await expectConsistent([before, recovered, head]);
  });

  it.each(STEPS)('%s, on the very first start: the next start goes on', (step) => {
    log.faults.failNext(step);
    expect(() => log.open().recover()).toThrow(InjectedFault);
    expect(log.open().recover().size).toBe(0);
    expect(log.faults.outstanding).toBe(0);
  });

  /** The second fault hits the recovery from the first. */
  const SECOND = ['load', 'before advance', 'after advance', 'before publish', 'after publish'] as const;

  it.each(STEPS.flatMap((first) => SECOND.map((second) => [first, second] as const)))(
    '%s, and then %s while it is mended: nothing is lost and nothing forks',
    async (first, second) => {
      const engine = log.open();
      const before = engine.append(candidates(1)).head;
      log.faults.failNext(first, second);
      expect(() => engine.append(candidates(2, 3))).toThrow(InjectedFault);
      const heads = [before];
      for (let n = 4; log.faults.outstanding > 0; n++) {
        try {
          heads.push(engine.append(candidates(n)).head);
        } catch (error) {
          expect(error).toBeInstanceOf(InjectedFault);
        }
      }
      heads.push(engine.append(candidates(1, 2, 3)).head);
      heads.push(log.open().recover());
      await expectConsistent(heads);
    },
  );

  it('shows nothing of what is integrated and not published', () => {
    const engine = log.open();
    engine.append(candidates(1));
    log.faults.failNext('before publish');
    expect(() => engine.append(candidates(2))).toThrow(InjectedFault);
    const reader = new LogReader(log.database);
    expect(reader.publishedHead()?.size).toBe(1);
    expect(reader.heads(0, 10_000).map(({ size, note }) => [size, note === null])).toEqual([
      [0, false],
      [1, false],
      [2, true],
    ]);
    reader.close();
  });
});
