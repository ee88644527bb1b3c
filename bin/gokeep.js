#!/usr/bin/env node
// Runs the program on the Node that this package pins: from its sources in a checkout, and from what was emitted in an
// installed package, since Node strips no types below node_modules.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const emitted = path.join(root, 'dist', 'main.js');
const source = path.join(root, 'src', 'main.ts');
const node = path.join(path.dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
const program = existsSync(source) ? source : emitted;
const child = spawnSync(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = child.status ?? 1;
