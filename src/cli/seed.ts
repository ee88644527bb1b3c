import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { trailPath } from '../audit/trail-heads.ts';
import { GokeepError } from '../errors.ts';
import { checkPatterns, matchPrefixPatterns } from '../module/pattern.ts';
import { lockDataDirectory, lockMark } from '../store/process-lock.ts';
import { type GoSumFile, logSeeds, planSeed, type SeedConflict } from '../sumdb/seed.ts';
import { Sequencer } from '../sumdb/sequencer.ts';
import { LOG_DATABASE } from './data-files.ts';
import { openLocalLog, requireOwn } from './local-log.ts';
import { recordLocally } from './local-trail.ts';
import { exitFound, printJson, printLines } from './output.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

function readFiles(names: readonly string[]): GoSumFile[] {
  return names.map((name) => {
    try {
      return { name, text: readFileSync(name, 'utf8') };
    } catch (error) {
      throw new GokeepError('bad_config', `${name}: cannot be read`, { cause: error });
    }
  });
}

async function seed(names: string[], options: SharedOptions & { readonly json?: true }): Promise<void> {
  const config = loadLocal(options);
  if (config.private.length === 0) {
    throw new GokeepError(
      'bad_config',
      'private is empty, so no module counts as private and there is nothing to seed; set private to the patterns of your modules',
    );
  }
  checkPatterns(config.private);
  const patterns = config.private.join(',');
  const files = readFiles(names);
  const plan = planSeed(files, (p) => matchPrefixPatterns(patterns, p), Math.floor(Date.now() / 1000));

  using local = openLocalLog(config);
  const { key } = requireOwn(local);
  using _lock = lockDataDirectory(config.data);
  using _mark = lockMark(config.sumdb.mark, config.data);
  recordLocally(config, {
    kind: 'seed',
    facts: { files: names.map((name) => path.resolve(name)), versions: plan.candidates.length },
  });
  const sequencer = new Sequencer(
    {
      database: path.join(config.data, LOG_DATABASE),
      mark: config.sumdb.mark,
      skey: key.skey,
      keyWasUsed: !key.unused,
    },
    // When the log's thread ends, what was being added is rejected.
    { onHead: () => undefined, onFatal: () => undefined },
    trailPath(key.name),
  );
  const { added, known, conflicts } = await (async () => {
    try {
      await sequencer.start();
      return await logSeeds(plan.candidates, sequencer);
    } finally {
      await sequencer.close();
    }
  })();

  const all = [...plan.conflicts, ...conflicts];
  if (options.json === true) {
    const { publicVersions, withoutPartner } = plan;
    printJson({ added, known, publicVersions, withoutPartner, conflicts: all });
  } else {
    printLines([
      ...all.map(conflictLine),
      ...plan.withoutPartner.map((line) => `${line}: its other line is in no file, so it was left out`),
      `${added} recorded, ${known} known before, ${plan.publicVersions} public and left out, ${plan.withoutPartner.length} without their other line, ${all.length} in conflict`,
    ]);
  }
  if (all.length > 0) exitFound();
}

function conflictLine({ path: modulePath, version, what, recorded, seen, between }: SeedConflict): string {
  return `SECURITY: ${modulePath}@${version} has two hashes for its ${what}: ${recorded} in ${between[0]}, ${seen} in ${between[1]}; find out which is right before anybody uses it`;
}

export function addSeed(program: Command): void {
  withSharedOptions(program.command('seed'))
    .description('record private modules from go.sum files (server stopped)')
    .argument('<file...>', 'go.sum files that you trust')
    .option('--json', 'print one JSON document')
    .action((files: string[], options: SharedOptions & { json?: true }) => seed(files, options));
}
