import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditTrail } from '../../src/audit/trail.ts';
import { headRecord, recordedHeads, trailPath } from '../../src/audit/trail-heads.ts';
import { TrailRecorder } from '../../src/audit/trail-recorder.ts';
import { generateKey } from '../../src/note/signer.ts';
import { h1OfGoMod } from '../../src/modzip/dirhash.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import type { TrailEvent, TrailHead } from '../../src/store/trail-entry.ts';
import { TrailReader, TrailWriter } from '../../src/store/trail-table.ts';
import { Sequencer } from '../../src/sumdb/sequencer.ts';

const NAME = 'site.test';

let directory: string;
let file: string;
const hidden: unknown[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-trail-'));
  file = path.join(directory, 'audit.db');
  new TrailWriter(file).close();
  hidden.length = 0;
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const onHiddenError = (error: unknown) => hidden.push(error);
const opened = () => new AuditTrail({ file, now: () => 0, onFatal: () => undefined, onHiddenError });
const event = (version: string): TrailEvent => ({ kind: 'yank', who: 'a', path: 'corp.test/a', version });

function versions(): (string | undefined)[] {
  using reader = new TrailReader(file);
  return [...reader.entries()].map(({ text }) => (JSON.parse(text) as TrailEvent).version);
}

async function openSequencer(): Promise<Sequencer> {
  const { skey } = generateKey(NAME, Buffer.alloc(32, 7));
  const at = (name: string) => path.join(directory, name);
  const sequencer = new Sequencer(
    { database: at('gokeep.db'), mark: at('sumdb.mark'), skey },
    { onHead: () => undefined, onFatal: () => undefined },
    trailPath(NAME),
  );
  await sequencer.start();
  return sequencer;
}

describe("a server's audit trail", () => {
  it('has what was recorded when its promise resolves, in the order of the calls', async () => {
    await using trail = opened();
    await Promise.all(['v1', 'v2', 'v3'].map((version) => trail.record(event(version))));
    expect(versions()).toEqual(['v1', 'v2', 'v3']);
  });

  it('has what was only noted when it is closed', async () => {
    {
      await using trail = opened();
      trail.note(event('v1'));
    }
    expect(versions()).toEqual(['v1']);
    expect(hidden).toEqual([]);
  });

  it('refuses what it cannot write, and whoever only noted it is not disturbed', async () => {
    await using trail = opened();
    const bad = { ...event('v1'), facts: { circle: 1n } };
    await expect(trail.record(bad)).rejects.toThrow();
    trail.note(bad);
    await trail.record(event('v2'));
    expect(hidden).toHaveLength(1);
    expect(versions()).toEqual(['v2']);
  });
});

describe('the head of a trail in the log', () => {
  it('is recorded once for each head, and read back', async () => {
    await using cleanup = new AsyncDisposableStack();
    const sequencer = await openSequencer();
    cleanup.defer(() => sequencer.close());
    let head: TrailHead = { n: 0, hash: Buffer.alloc(32) };
    const conflicts: TrailHead[] = [];
    const o = { logName: NAME, sequencer, now: () => 0, onHiddenError };
    const recorder = new TrailRecorder({ ...o, head: () => head, onConflict: (at) => conflicts.push(at) }, 0);
    cleanup.use(recorder);
    await recorder.record();
    expect(sequencer.head?.size).toBe(0);
    head = { n: 3, hash: Buffer.alloc(32, 3) };
    await recorder.record();
    await recorder.record();
    expect(sequencer.head?.size).toBe(1);
    using log = new LogReader(path.join(directory, 'gokeep.db'));
    expect(recordedHeads(log, NAME)).toEqual([{ ...head, version: 'v0.0.3' }]);
    expect(log.provenance(0)?.source).toBe('audit');

    const again = new TrailRecorder({ ...o, head: () => head, onConflict: (at) => conflicts.push(at) }, 0);
    cleanup.use(again);
    await again.record();
    expect(conflicts).toEqual([]);
    const rewritten = { n: 3, hash: Buffer.alloc(32, 9) };
    const other = new TrailRecorder(
      { ...o, head: () => rewritten, onConflict: (at) => conflicts.push(at) },
      0,
    );
    cleanup.use(other);
    await other.record();
    expect(conflicts).toEqual([rewritten]);
    expect(hidden).toEqual([]);
  });

  it('is no version of a module that had the same path before there were trails', async () => {
    await using cleanup = new AsyncDisposableStack();
    const sequencer = await openSequencer();
    cleanup.defer(() => sequencer.close());
    const mod = h1OfGoMod(Buffer.from(`module ${trailPath(NAME)}\n\ngo 1.21\n`));
    const head = { n: 2, hash: Buffer.alloc(32, 2) };
    await sequencer.add({ ...headRecord(NAME, { n: 7, hash: Buffer.alloc(32, 7) }, 0), mod });
    await sequencer.add(headRecord(NAME, head, 0));
    using log = new LogReader(path.join(directory, 'gokeep.db'));
    expect(recordedHeads(log, NAME)).toEqual([{ ...head, version: 'v0.0.2' }]);
  });

  it('is the only thing that is recorded under its path', async () => {
    const sequencer = await openSequencer();
    try {
      const forged = headRecord(NAME, { n: 1, hash: Buffer.alloc(32) }, 0);
      const provenance = { source: 'published', firstSeen: 0, evidence: undefined } as const;
      await expect(sequencer.add({ ...forged, provenance })).rejects.toThrow('site.test/audit is no module');
    } finally {
      await sequencer.close();
    }
  });

  it('has a path that a module could have, whatever the log is called', () => {
    expect(trailPath('sum.corp.example')).toBe('sum.corp.example/audit');
    for (const name of ['gokeep', '-x.test', 'ünser.test', 'a//b'])
      expect(trailPath(name), name).toBe('gokeep.internal/audit');
  });
});
