import type { Command } from 'commander';
import { GokeepError } from '../errors.ts';
import { formatLookup } from '../module/request-path.ts';
import { checkModuleVersion } from '../module/version.ts';
import { printJson, printLines } from './output.ts';
import { ServerClient } from './server-client.ts';
import { type TalkingOptions, withServerOptions } from './server-options.ts';

/** Yanks a version, or without a reason takes that back. */
async function yank(argument: string, reason: string | undefined, options: TalkingOptions): Promise<void> {
  const at = argument.indexOf('@');
  if (at < 0) throw new GokeepError('bad_version', `Say which version: ${argument}@v1.2.3.`);
  const modulePath = argument.slice(0, at);
  const version = argument.slice(at + 1);
  checkModuleVersion(modulePath, version);
  await using server = await ServerClient.open(options, process.env);
  const target = `/api/v1/yanks/${formatLookup(modulePath, version)}`;
  if (reason === undefined) await server.send('DELETE', target);
  else {
    const headers = { 'content-type': 'application/json' };
    await server.send('POST', target, { headers, body: JSON.stringify({ reason }) });
  }
  const yanked = reason !== undefined;
  if (options.json === true) printJson({ path: modulePath, version, yanked, reason: reason ?? null });
  else {
    const what = yanked
      ? 'is yanked: lists and @latest no longer name it, and whoever has pinned it can still build'
      : 'is no longer yanked';
    printLines([`${modulePath}@${version} ${what}`]);
  }
}

export function addYank(program: Command): void {
  withServerOptions(program.command('yank'))
    .description('hide a version of your own module from lists and @latest')
    .argument('<module@version>', 'which version')
    .requiredOption('--reason <text>', 'why, in one line')
    .action((version: string, options: TalkingOptions & { reason: string }) =>
      yank(version, options.reason, options),
    );
  withServerOptions(program.command('unyank'))
    .description('show a yanked version again')
    .argument('<module@version>', 'which version')
    .action((version: string, options: TalkingOptions) => yank(version, undefined, options));
}
