import { writeFileSync } from 'node:fs';
import { GokeepError } from '../../errors.ts';
import { readModule, readUrl } from './arguments.ts';
import { exitCodeOf, examine } from './doctor.ts';
import { explain } from './explain/explain.ts';
import type { Machine } from './machine.ts';
import { Redactor } from './redact.ts';
import { reportLines, ticketText } from './report.ts';

/** What a terminal would act on, and a server may have sent. */
const INVISIBLE = /(?!\n)\p{C}/gu;

/** What the command line says; the program and the script that stands alone read it with parsers of their own. */
export interface RunOptions {
  readonly url?: string;
  readonly module?: string;
  readonly json?: boolean;
  readonly report?: string;
  readonly explain?: string;
}

/**
 * Runs `doctor`, and resolves with its exit code.
 *
 * @throws bad_config for options that cannot be used
 */
export async function runDoctor(
  machine: Machine,
  options: RunOptions,
  print: (lines: readonly string[]) => void,
): Promise<0 | 1> {
  if (options.explain !== undefined) return explainText(options.explain, options.json === true, print);
  const url = readUrl(options.url ?? machine.env['GOKEEP_URL']?.split(',')[0]);
  const report = await examine(machine, { url, module: readModule(options.module) });
  if (options.report !== undefined) writeReport(options.report, ticketText(report));
  print(options.json === true ? [JSON.stringify(report, null, 2)] : reportLines(report));
  return exitCodeOf(report);
}

function explainText(text: string, json: boolean, print: (lines: readonly string[]) => void): 0 | 1 {
  const known = explain(text).map(({ id, cause, fix }) => ({ id, cause, fix }));
  if (json) print([JSON.stringify(new Redactor([]).value(known), null, 2)]);
  else if (known.length === 0)
    print([
      'None of the errors that are known is in this text; `gokeep doctor` looks at the machine itself.',
    ]);
  else print(known.flatMap(({ id, cause, fix }) => [`${cause}  [${id}]`, ...fix.map((each) => `  ${each}`)]));
  return known.length === 0 ? 1 : 0;
}

function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text.replace(INVISIBLE, '\ufffd'), { mode: 0o600 });
  } catch (cause) {
    throw new GokeepError('bad_config', `${file}: the report cannot be written there`, { cause });
  }
}
