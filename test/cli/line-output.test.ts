import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineOutput } from '../../src/cli/line-output.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-lines-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

describe('LineOutput', () => {
  it('writes every line once and in order', async () => {
    const file = path.join(directory, 'log');
    const fd = openSync(file, 'w');
    const output = new LineOutput(fd);
    const lines = Array.from({ length: 5_000 }, (_, i) => `{"n":${i},"é":"ü"}\n`);
    for (const line of lines) output.write(line);
    await output.close();
    closeSync(fd);
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
    expect(output.dropped).toBe(0);
  });

  it('counts what a full disk takes', async () => {
    const fd = openSync('/dev/full', 'w');
    const output = new LineOutput(fd);
    output.write('one\n');
    output.write('two\nthree\n');
    await output.close();
    output.write('after the end\n');
    closeSync(fd);
    expect(output.dropped).toBe(4);
  });

  it('waits for a reader that stopped, within its budget, and tears no line', async () => {
    const fifo = path.join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    const output = new LineOutput(writer, 200_000);
    const line = `${'a'.repeat(99)}\n`;
    for (let i = 0; i < 5_000; i++) output.write(line);
    expect(output.dropped).toBe(3_000);
    const begun = performance.now();
    await output.close();
    expect(performance.now() - begun).toBeLessThan(3_000);
    let text = '';
    const read = () => {
      try {
        const chunk = Buffer.alloc(2 ** 20);
        text += chunk.toString('latin1', 0, readSync(reader, chunk));
      } catch {
        // Nothing there yet.
      }
      return text.length;
    };
    await expect.poll(read).toBe(200_000);
    expect(text).toBe(line.repeat(2_000));
    closeSync(writer);
    closeSync(reader);
  });
});

describe('a server whose standard output', () => {
  it('is a full disk answers, counts the lines it lost, and ends with 0', async () => {
    await using gokeep = await GokeepProcess.start({
      toml: '[upstream]\nsumdb = "off"\n',
      wrapper: ['sh', '-c', 'exec "$@" >/dev/full', 'sh'],
    });
    for (let i = 0; i < 10; i++) {
      const response = await fetch(`${gokeep.url}/livez`, { signal: AbortSignal.timeout(3_000) });
      expect(response.status).toBe(200);
      await new Promise((resolve) => {
        setTimeout(resolve, 60);
      });
    }
    expect(await (await gokeep.get('/metrics')).text()).toMatch(/^gokeep_dropped_log_lines_total [1-9]/m);
    expect(await gokeep.stop('SIGTERM')).toBe(0);
  });

  it('is a pipe that nobody reads answers, and ends with 0', async () => {
    await using gokeep = await GokeepProcess.start({ toml: '[upstream]\nsumdb = "off"\n' });
    gokeep.child.stdout?.removeAllListeners('data');
    gokeep.child.stdout?.pause();
    const agent = 'a'.repeat(128);
    for (let i = 0; i < 4_000; i++) {
      const response = await gokeep.get(`/livez?${i}`, { 'user-agent': agent });
      expect(await response.text()).toBe('ok\n');
    }
    gokeep.child.kill('SIGTERM');
    // 'exit': the output of it that nobody reads keeps 'close' from coming.
    expect(await new Promise((resolve) => gokeep.child.once('exit', resolve))).toBe(0);
    gokeep.child.stdout?.resume();
  });
});
