#!/usr/bin/env node
// Runs the program on the Node that this package pins: from its sources in a checkout, and from what was emitted in an
// installed package, since Node strips no types below node_modules.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const emitted = path.join(root, 'dist', 'main.js');
const source = path.join(root, 'src', 'main.ts');
const node = path.join(
  path.dirname(createRequire(import.meta.url).resolve('node/package.json')),
  'bin',
  'node',
);
const program = existsSync(source) ? source : emitted;
const args = process.argv.slice(2);
// A bundle may be larger than memory by any factor. What its commands read and unpack lies outside of the heap and is given
// back when the young generation is collected, so that is kept small; and few arenas leave few holes.
const small = args[0] === 'bundle';
const child = spawn(node, [...(small ? ['--max-semi-space-size=1'] : []), program, ...args], {
  stdio: 'inherit',
  env: small ? { MALLOC_ARENA_MAX: '2', ...process.env } : process.env,
});

// Who stops the server knows this process only: it passes signals on, and ends when the program has.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`gokeep: cannot run ${node}: ${error.message}`);
  process.exitCode = 2;
});
child.on('close', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
