import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { type GoSumVerdict, verifyGoSum } from '../client/verify-go-sum.ts';
import { GokeepError } from '../errors.ts';
import { ZipVerifier } from '../proxy/zip-verifier.ts';
import { ruleFor } from '../signing/rule.ts';
import { ChecksumDatabase } from '../upstream/checksum-database.ts';
import { parseGosumdb } from '../upstream/checksum-database-keys.ts';
import { TransientMemory } from '../upstream/transient-memory.ts';
import { goSettings, openClientChain } from './client-chain.ts';
import { goRememberedHead } from './go-remembered-head.ts';
import { exitFound, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { type ServerOptions } from './server-client.ts';
import { loadLocal } from './shared-options.ts';
import { SignedModules } from './signed-modules.ts';
import { openSigningRules } from './signing-rules.ts';

interface VerifyOptions extends ServerOptions {
  readonly config?: string;
  readonly sumdb?: string;
  readonly json?: true;
}

async function verify(names: readonly string[], options: VerifyOptions): Promise<void> {
  const files = (names.length === 0 ? ['go.sum'] : names).map(readGoSum);
  const config = loadLocal(options);
  const rules = openSigningRules(config);
  const go = await goSettings(process.env);
  const gosumdb = parseGosumdb(options.sumdb ?? go.gosumdb);
  if (gosumdb.off)
    throw new GokeepError(
      'bad_config',
      'GOSUMDB is off, so there is nothing to prove anything with: give the line that gokeep prints at its start, with --sumdb or as GOSUMDB.',
    );
  const scratch = await mkdtemp(path.join(tmpdir(), 'gokeep-verify-'));
  using progress = new Progress();
  await using chain = openClientChain(config, options, go);
  await using zips = new ZipVerifier(Math.max(1, availableParallelism() - 1));
  await using modules = new SignedModules({ rules, chain: chain.chain, zips, scratch, options });
  try {
    const { signal } = new AbortController();
    const database = new ChecksumDatabase({
      verifier: gosumdb.verifier,
      memory: new TransientMemory(goRememberedHead(go.gopath, gosumdb.verifier)),
      fetch: chain.chain.sumdb(gosumdb.name, gosumdb.url),
    });
    const verdict = await verifyGoSum(files, {
      lookup: (modulePath, version) => database.lookup(modulePath, version, { signal }),
      isDemanded: (modulePath) => ruleFor(rules, modulePath)?.required === true,
      checkSigned: (modulePath, version, zip) => modules.check(modulePath, version, zip),
      onProgress: (done, of) => progress.show(() => `verifying: ${done} of ${of} versions`),
    });
    progress.clear();
    report(verdict, gosumdb.name, options.json === true);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function report(verdict: GoSumVerdict, database: string, json: boolean): void {
  const { lines, versions, signed, findings } = verdict;
  if (json) printJson({ database, lines, versions, signed, problems: findings.length, findings });
  else {
    const about = `${lines} lines of ${versions} versions against ${database}`;
    const withSignature = signed === 0 ? '' : `, ${signed} of them signed as demanded`;
    printLines([
      ...findings.map(({ path: modulePath, version, problem }) =>
        problem.includes(`${modulePath}@${version}`) ? problem : `${modulePath}@${version}: ${problem}`,
      ),
      findings.length === 0
        ? `${about}: all proven${withSignature}`
        : `${about}: ${findings.length} ${findings.length === 1 ? 'problem' : 'problems'}`,
    ]);
  }
  if (findings.length > 0) exitFound();
}

function readGoSum(name: string): { name: string; text: string } {
  try {
    return { name, text: readFileSync(name, 'utf8') };
  } catch (cause) {
    throw new GokeepError('bad_config', `${name}: cannot be read; name the go.sum files to verify`, {
      cause,
    });
  }
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description(
      'demand a proof of inclusion for every line of go.sum, and signatures where a rule wants them',
    )
    .argument('[go.sum...]', 'files to verify (default: go.sum here)')
    .option(
      '--sumdb <gosumdb>',
      'verifier key of the checksum database, and after a space its URL (default: GOSUMDB)',
    )
    .option('--url <url>', 'address of the gokeep server (default: GOPROXY)')
    .option('--config <file>', 'file with [[signing]] rules (default: gokeep.toml here, if there is one)')
    .option('--token-file <file>', 'file that holds a token (default: GOKEEP_TOKEN, else netrc)')
    .option('--ca <file>', 'PEM file of the certificate authorities to trust')
    .option('--json', 'print one JSON document')
    .action((files: string[], options: VerifyOptions) => verify(files, options));
}
