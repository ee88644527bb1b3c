import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/version.ts';
import { makeModule } from '../world/modules.ts';
import { DataDirectory } from './data-directory.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
let directory: string;

function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, maxBuffer: 16 * 2 ** 20 }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${error.message}\n${stdout}${stderr}`)),
    );
  });
}

/**
 * What `npm install` of the packed file leaves, without asking a registry for the rest: its dependencies are those of the
 * checkout, which the lockfile named.
 */
async function install(): Promise<string> {
  const pack = await run('npm', ['pack', '--json', '--pack-destination', directory], ROOT);
  const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz'))!;
  expect(pack).toContain(tarball);
  await run('tar', ['-xzf', tarball], directory);
  const modules = path.join(directory, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.'))
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name), 'dir');
  }
  const installed = path.join(modules, 'gokeep');
  cpSync(path.join(directory, 'package'), installed, { recursive: true });
  return installed;
}

/** Starts a server by its launcher, waits for its banner, stops it as an operator does; its exit code and output. */
async function serveOnce(launcher: string): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [launcher, 'serve', '--data', path.join(directory, 'data')], {
    cwd: directory,
    env: { ...process.env, GOKEEP_LISTEN: '127.0.0.1:0', GOKEEP_OFFLINE: '1' },
  });
  let output = '';
  const ended = once(child, 'close');
  await new Promise<void>((resolve) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('PowerShell:')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('close', () => resolve());
  });
  const url = /serving on (\S+)/.exec(output)?.[1];
  expect(url, output).toBeDefined();
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  child.kill('SIGTERM');
  const [code] = (await ended) as [unknown];
  // The program behind the launcher is gone too, not only the launcher.
  await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
  return { code, output };
}

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-package-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the gokeep command', () => {
  it('runs by npx in a checkout', async () => {
    expect(await run('npx', ['--no-install', 'gokeep', '--version'], ROOT)).toBe(`${VERSION}\n`);
  });

  it('is stopped by a signal to its launcher, after it has drained', async () => {
    expect((await serveOnce(path.join(ROOT, 'bin', 'gokeep.js'))).code).toBe(0);
  });

  it('serves, and checks itself, from an installed package', async () => {
    const installed = await install();
    expect(readdirSync(installed).sort()).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'bin', 'dist', 'migrations', 'package.json']),
    );
    expect(readdirSync(installed)).not.toContain('src');
    const launcher = path.join(installed, 'bin', 'gokeep.js');
    expect((await serveOnce(launcher)).code).toBe(0);
    // A zip is verified in a thread, whose entry has to be found in the package too.
    using held = await DataDirectory.create();
    await held.hold(await makeModule({ path: 'example.test/a', version: 'v1.0.0' }));
    const verified = await run(process.execPath, [launcher, 'fsck', '--data', held.data], directory);
    expect(verified).toBe('1 records under 2 heads, 3 files of 1 modules: all in order\n');
  });
});
