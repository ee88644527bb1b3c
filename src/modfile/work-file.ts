/** What gokeep reads of a go.work (golang.org/x/mod/modfile, ParseWork). */

import { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';
import { parseReplacement, type Replacement } from './mod-file.ts';
import { parseString } from './string.ts';
import { readStatements } from './syntax.ts';

export interface WorkFile {
  /** Directories of the workspace's modules, as written: relative to the file, or absolute. */
  readonly use: readonly string[];
  readonly replace: readonly Replacement[];
  /** As written, unchecked: such as `1.26.0`. */
  readonly go: string | undefined;
  /** As written, unchecked: such as `go1.26.1`. */
  readonly toolchain: string | undefined;
}

const blockVerbs = new Set(['godebug', 'use', 'replace']);

/**
 * Reads a go.work.
 *
 * @throws bad_mod_file with the line's number
 */
export function parseWorkFile(bytes: Uint8Array): WorkFile {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const use: string[] = [];
  const replace: Replacement[] = [];
  let go: string | undefined;
  let toolchain: string | undefined;
  for (const statement of readStatements('go.work', text)) {
    const fail = (problem: string) =>
      new GokeepError('bad_mod_file', `go.work line ${statement.line}: ${problem}.`);
    const block = statement.kind === 'block' ? statement : statement.block;
    const [verb = ''] = (block ?? statement).tokens;
    if (block !== undefined && (block.tokens.length > 1 || !blockVerbs.has(verb)))
      throw fail(`${quote(block.tokens.join(' '))} cannot begin a block`);
    if (statement.kind === 'block') continue;
    const args = block === undefined ? statement.tokens.slice(1) : statement.tokens;
    try {
      if (verb === 'replace') replace.push(parseReplacement(args));
      else if (args.length !== 1)
        throw new GokeepError('bad_mod_file', `expected one word after ${quote(verb)}`);
      else if (verb === 'use') use.push(parseString(args[0] ?? ''));
      else if (verb === 'go') go = args[0];
      else if (verb === 'toolchain') toolchain = args[0];
      else if (verb !== 'godebug') throw new GokeepError('bad_mod_file', `${quote(verb)} is not a directive`);
    } catch (error) {
      if (!(error instanceof GokeepError)) throw error;
      throw fail(error.message);
    }
  }
  return { use, replace, go, toolchain };
}
