import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDirectory, lockMark } from '../../src/store/process-lock.ts';

let data: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), 'gokeep-lock-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) await end(child);
  rmSync(data, { recursive: true, force: true });
});

/** Another process that holds the lock; resolves once it does. */
async function holder(): Promise<ChildProcess> {
  const lock = path.join(import.meta.dirname, '..', '..', 'src', 'store', 'process-lock.ts');
  const script = `
    import { lockDataDirectory, lockMark } from ${JSON.stringify(lock)};
    globalThis.kept = lockDataDirectory(${JSON.stringify(data)});
    process.stdout.write('locked');
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const taken = expect.objectContaining({
  code: 'bad_config',
  message: expect.stringMatching(/another gokeep process/),
});

describe('the lock of a data directory', () => {
  it('is held by one process and free once it gives it back', () => {
    const lock = lockDataDirectory(data);
    expect(() => lockDataDirectory(data)).toThrow(taken);
    lock[Symbol.dispose]();
    lockDataDirectory(data)[Symbol.dispose]();
  });

  it('is refused while another process holds it, and free the moment that one is killed', async () => {
    const other = await holder();
    expect(() => lockDataDirectory(data)).toThrow(taken);
    await end(other);
    lockDataDirectory(data)[Symbol.dispose]();
  });

  it('stays with a stopped process, so nobody writes behind its back', async () => {
    const other = await holder();
    other.kill('SIGSTOP');
    expect(() => lockDataDirectory(data)).toThrow(taken);
    other.kill('SIGCONT');
    expect(() => lockDataDirectory(data)).toThrow(taken);
    await end(other);
    lockDataDirectory(data)[Symbol.dispose]();
  });
});

describe('the lock of a high-water mark', () => {
  it('keeps two servers on copies of one data directory from signing by one mark', () => {
    const mark = path.join(data, 'elsewhere.mark');
    const first = lockMark(mark, '/copy/one');
    expect(() => lockMark(mark, '/copy/two')).toThrow(taken);
    first[Symbol.dispose]();
    lockMark(mark, '/copy/two')[Symbol.dispose]();
  });

  it('is that of the data directory for a mark inside it', () => {
    const mark = path.join(data, 'sumdb.mark');
    using _one = lockMark(mark, data);
    using _two = lockMark(mark, data);
    expect(existsSync(`${mark}.lock`)).toBe(false);
  });
});
