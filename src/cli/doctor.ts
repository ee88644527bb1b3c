import type { Command } from 'commander';
import { HostMachine } from '../client/doctor/host-machine.ts';
import { type RunOptions, runDoctor } from '../client/doctor/run.ts';
import { traceGo } from '../client/doctor/trace/trace.ts';
import { printLines } from './output.ts';

async function doctor(options: RunOptions): Promise<void> {
  const code = await runDoctor(new HostMachine(), options, printLines);
  // A name that is still being looked up would hold the process for as long as the resolver likes.
  process.stdout.write('', () => process.exit(code));
}

async function trace(command: readonly string[]): Promise<void> {
  process.exitCode = await traceGo(new HostMachine(), command, {
    stdout: (chunk) => process.stdout.write(chunk),
    stderr: (text) => process.stderr.write(text),
    print: (lines) => printLines(['', ...lines]),
  });
}

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description(
      "say what is wrong with this machine's use of a gokeep, and how to change it; changes nothing",
    )
    .option('--url <url>', 'address of the gokeep server (or GOKEEP_URL; default: GOPROXY)')
    .option(
      '--module <path@version>',
      'module version to download for a try (default: one that the server holds)',
    )
    .option('--json', 'print one JSON document')
    .option('--report <file>', 'also write a report for a ticket, without secrets')
    .option('--explain <text>', 'say what an error means that go has printed, instead')
    .action((options: RunOptions) => doctor(options));
  command
    .command('trace')
    .description('run a go command and say, request by request, who answered it')
    .argument('<command...>', 'after --: go and what it is to do')
    .action((words: string[]) => trace(words));
}
