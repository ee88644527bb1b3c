import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HighWaterMark, type Mark } from '../../src/store/high-water-mark.ts';
import { LogWriter, type NewRecord, type StoredHead, type StoredTile } from '../../src/store/log-writer.ts';
import { LogEngine } from '../../src/sumdb/log-engine.ts';
import type { TreeHead } from '../../src/tlog/tree-note.ts';
import { TEST_SIGNER } from './candidates.ts';

/** A place in the four steps at which something can go wrong. */
export type FailPoint =
  | 'load'
  | 'before integrate'
  | 'after integrate'
  | 'before advance'
  | 'after advance'
  | 'before publish'
  | 'after publish';

export class InjectedFault extends Error {}

/** Points at which the next passes fail, in order: `failNext('a', 'b')` fails at the first a, then at the first b. */
class Faults {
  readonly #due: FailPoint[] = [];

  failNext(...points: readonly FailPoint[]): void {
    this.#due.push(...points);
  }

  get outstanding(): number {
    return this.#due.length;
  }

  pass(point: FailPoint): void {
    if (this.#due[0] !== point) return;
    this.#due.shift();
    throw new InjectedFault(point);
  }
}

class FailingWriter extends LogWriter {
  readonly #faults: Faults;

  constructor(file: string, faults: Faults) {
    super(file);
    this.#faults = faults;
  }

  override newestHead(): StoredHead | undefined {
    this.#faults.pass('load');
    return super.newestHead();
  }

  override integrate(
    from: number,
    records: readonly NewRecord[],
    tiles: readonly StoredTile[],
    head: TreeHead,
  ): void {
    this.#faults.pass('before integrate');
    super.integrate(from, records, tiles, head);
    this.#faults.pass('after integrate');
  }

  override publish(head: TreeHead, note: Buffer, signedAt: number): void {
    this.#faults.pass('before publish');
    super.publish(head, note, signedAt);
    this.#faults.pass('after publish');
  }
}

class FailingMark extends HighWaterMark {
  readonly #faults: Faults;

  constructor(file: string, faults: Faults) {
    super(file, TEST_SIGNER.name);
    this.#faults = faults;
  }

  override advance(from: Mark | undefined, to: Mark): void {
    this.#faults.pass('before advance');
    super.advance(from, to);
    this.#faults.pass('after advance');
  }
}

/** A log in a directory of its own, whose steps can be made to fail. */
export class TestLog implements Disposable {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'gokeep-log-'));
  readonly database = path.join(this.directory, 'log.db');
  readonly markFile = path.join(this.directory, 'mark');
  readonly faults = new Faults();
  /** Milliseconds since 1970 that the engine is told. */
  now = 1_700_000_000_000;
  #writer: FailingWriter | undefined;

  /** As a new process would open it. */
  open(): LogEngine {
    this.close();
    this.#writer = new FailingWriter(this.database, this.faults);
    return new LogEngine(
      this.#writer,
      new FailingMark(this.markFile, this.faults),
      TEST_SIGNER,
      () => this.now,
    );
  }

  close(): void {
    this.#writer?.close();
    this.#writer = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
