import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';

/** A small disk of its own, which a test can fill: a tmpfs. */
export class SmallDisk implements Disposable {
  readonly directory: string;
  readonly #filler: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.#filler = path.join(directory, 'filler');
  }

  /** Only root may mount; undefined where that is not possible, and it throws where nothing may be skipped. */
  static mount(size: number): SmallDisk | undefined {
    const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'gokeep-test', directory], {
        stdio: 'pipe',
      });
      return new SmallDisk(directory);
    } catch {
      rmSync(directory, { recursive: true });
      if (process.env['GOKEEP_TEST_ALL'] !== '1') return undefined;
      throw new Error('GOKEEP_TEST_ALL=1, and a tmpfs cannot be mounted here');
    }
  }

  /** Leaves that many blocks free. */
  fill(leave = 0): void {
    for (let chunk = 2 ** 20; chunk >= 4096; chunk /= 2) {
      const { bavail, bsize } = statfsSync(this.directory);
      const count = Math.floor(((bavail - leave) * bsize) / chunk);
      if (count > 0) writeFileSync(this.#filler, Buffer.alloc(count * chunk), { flag: 'a' });
    }
    expect(statfsSync(this.directory).bavail).toBe(leave);
  }

  makeRoom(): void {
    rmSync(this.#filler, { force: true });
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['-l', this.directory]);
    rmSync(this.directory, { recursive: true });
  }
}
