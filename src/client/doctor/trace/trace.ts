import { spawn } from 'node:child_process';
import { collectFacts } from '../facts/collect.ts';
import { GokeepError } from '../../../errors.ts';
import { valueOf } from '../facts/facts.ts';
import type { Machine } from '../machine.ts';
import { Redactor, secretsOf } from '../redact.ts';
import { story } from './story.ts';
import { readServerLines, traceTargets } from './server-lines.ts';
import { tracedRequests } from './requests.ts';

const MOST = 64 * 2 ** 20;

export interface TraceOutput {
  /** What go itself prints for its caller. */
  stdout(chunk: Buffer): void;
  stderr(text: string): void;
  print(lines: readonly string[]): void;
}

/**
 * Runs a go command with -x, lets its own output through, and tells afterwards what it asked whom, and what the log of a gokeep
 * says of it. Resolves with the exit code of the command.
 *
 * @throws bad_config for another program, no_go where there is none
 */
export async function traceGo(
  machine: Machine,
  [program, ...args]: readonly string[],
  output: TraceOutput,
): Promise<number> {
  if (program === undefined || !/(?:^|[/\\])go[\w.]*$/.test(program))
    throw new GokeepError(
      'bad_config',
      'Only a go command can be traced: gokeep doctor trace -- go mod download',
    );
  const facts = await collectFacts(machine);
  const redactor = new Redactor(secretsOf(machine.env, facts));
  const targets = await traceTargets(machine, facts);
  // By GOFLAGS, since commands that know no -x pass it over there.
  const env = { ...machine.env, ...targets.env, GOFLAGS: `${valueOf(facts, 'GOFLAGS')} -x`.trim() };
  const shown = (text: string) => redactor.text(text.replaceAll(targets.marker, ''));
  const { code, stderr } = await run(program, args, { env, cwd: machine.cwd, output, shown });
  const requests = tracedRequests(stderr.replaceAll(targets.marker, ''));
  const server = await readServerLines(machine, facts, targets, requests.length > 0);
  output.print(story(requests, facts.goproxy, server).map((line) => redactor.text(line)));
  return code;
}

interface RunInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly output: TraceOutput;
  /** What may be printed of it. */
  readonly shown: (text: string) => string;
}

function run(
  program: string,
  args: readonly string[],
  { env, cwd, output, shown }: RunInput,
): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...env }, stdio: ['inherit', 'pipe', 'pipe'] });
    let stderr = '';
    let line = '';
    child.stdout.on('data', (chunk: Buffer) => output.stdout(chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < MOST) stderr += chunk;
      // Whole lines, so that a secret is not cut in two.
      line += chunk;
      const end = line.lastIndexOf('\n') + 1;
      if (end > 0) output.stderr(shown(line.slice(0, end)));
      line = line.slice(end);
    });
    child.on('error', (cause) =>
      reject(new GokeepError('no_go', `${program} cannot be run: is it on PATH?`, { cause })),
    );
    child.on('close', (code) => {
      if (line !== '') output.stderr(shown(line));
      resolve({ code: code ?? 2, stderr });
    });
  });
}
