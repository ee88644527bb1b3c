#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { GokeepError } from '../../errors.ts';
import { HostMachine } from './host-machine.ts';
import { fillInForNode20 } from './node20.ts';
import { runDoctor } from './run.ts';
import { traceGo } from './trace/trace.ts';

/**
 * The doctor as one file, which the server hands out at `/doctor.mjs`: Node from 20 on, nothing installed. Takes what the
 * command takes.
 */

const USAGE = [
  'node doctor.mjs [--url <url>] [--module <path@version>] [--json] [--report <file>]',
  'node doctor.mjs --explain <text that go printed>',
  'node doctor.mjs trace -- go mod download all',
];
/** What a terminal would act on. */
const INVISIBLE = /(?!\n)\p{C}/gu;

function print(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line.replace(INVISIBLE, '\ufffd')}\n`);
}

function fail(error: unknown): void {
  const known = error instanceof GokeepError || (error instanceof TypeError && 'code' in error);
  process.stderr.write(`doctor: ${known ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'trace')
    return traceGo(new HostMachine(), rest[0] === '--' ? rest.slice(1) : rest, {
      stdout: (chunk) => process.stdout.write(chunk),
      stderr: (text) => process.stderr.write(text),
      print: (lines) => print(['', ...lines]),
    });
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      module: { type: 'string' },
      json: { type: 'boolean' },
      report: { type: 'string' },
      explain: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    print(USAGE);
    return 0;
  }
  const { help: _, ...options } = values;
  return runDoctor(new HostMachine(), options, print);
}

fillInForNode20();
main().then((code) => {
  // A name that is still being looked up would hold the process for as long as the resolver likes.
  process.stdout.write('', () => process.exit(code));
}, fail);
