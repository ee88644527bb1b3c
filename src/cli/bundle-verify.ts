import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { type VerifiedBundle, verifyBundle } from '../airgap/verify.ts';
import type { SignatureFacts } from '../airgap/verify-signatures.ts';
import { readInputs } from '../airgap/want/read-inputs.ts';
import { ZipVerifier } from '../proxy/zip-verifier.ts';
import { trustedKeys } from './bundle-keys.ts';
import { endWithServer, type JobOptions, withJobOption } from './job-mode.ts';
import { exitFound, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { openSigningRules } from './signing-rules.ts';
import { dropStartupGarbage } from './startup-garbage.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface VerifyOptions extends SharedOptions, JobOptions {
  readonly key: string[];
  readonly after: string[];
  readonly for: string[];
  readonly tests?: true;
  readonly json?: true;
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  endWithServer(options);
  const config = loadLocal(options);
  const { signers, databases } = trustedKeys(config, options.key);
  const scratch = await mkdtemp(path.join(options.job ?? tmpdir(), 'gokeep-verify-'));
  using progress = new Progress(options.job !== undefined);
  dropStartupGarbage();
  try {
    await using zips = new ZipVerifier(Math.max(1, availableParallelism() - 1));
    const verified = await verifyBundle({
      bundle: path.resolve(file),
      after: options.after.map((each) => path.resolve(each)),
      signers,
      databases,
      zips,
      rules: openSigningRules(config),
      scratch,
      inputs: await readInputs(options.for, process.cwd()),
      tests: options.tests === true,
      onProgress: (files, bytes) =>
        progress.steps(
          'checking',
          bytes,
          0,
          () => `checking: ${files} files, ${Math.floor(bytes / 2 ** 20)} MiB`,
        ),
    });
    progress.clear();
    if (options.json === true) printJson(asJson(verified));
    else printLines(asLines(verified));
    if (verified.problems.length > 0) exitFound();
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function asJson({
  id,
  signer,
  manifest,
  chain,
  facts,
  signatures,
  alone,
  problems,
  complete,
}: VerifiedBundle) {
  return {
    id: id ?? null,
    signer: signer ?? null,
    base: manifest?.base ?? null,
    chain,
    databases: manifest?.databases.map(({ name, head }) => ({
      name,
      size: head.size,
      root: head.root.toString('base64'),
    })),
    ...facts,
    trustedSignatures: signatures?.trusted ?? null,
    uncheckedSignatures: signatures?.unchecked ?? null,
    alone,
    complete: complete ?? null,
    problems,
  };
}

function asLines({
  id,
  signer,
  manifest,
  chain,
  facts,
  signatures,
  alone,
  problems,
  complete,
}: VerifiedBundle): string[] {
  if (manifest === undefined || facts === undefined) return [...problems, 'this bundle is not to be used'];
  const trust = [
    `bundle ${id}: its list of files is signed by ${signer}, whose key was given`,
    ...(chain.length === 1
      ? []
      : [`${chain.length} bundles lie here over each other, the same holds for each of them`]),
    ...manifest.databases.map(
      ({ name, head }) =>
        `${name}: by its own key, a tree of ${head.size} records has every record of it in the bundle`,
    ),
    `${facts.zips} zips and ${facts.mods} go.mod files have the hashes that these records say; .info, list and @latest carry no proof in Go’s design`,
    ...signatureLines(facts.signatures, signatures),
    ...alone.map(
      ({ database, versions, example }) =>
        `${versions} module versions are proven by ${database} alone, such as ${example}`,
    ),
    ...(manifest.vulndb === undefined
      ? []
      : [`the vulnerability database (${manifest.vulndb.modified}) has no proof but that signature`]),
    ...(complete === undefined ? [] : [`${complete} module versions are needed by what was named`]),
  ];
  const verdict =
    problems.length === 0 ? 'all in order' : `${problems.length} problems: this bundle is not to be used`;
  return [...(problems.length === 0 ? trust : problems), verdict];
}

function signatureLines(count: number, facts: SignatureFacts | undefined): string[] {
  if (count === 0 || facts === undefined) return [];
  const { trusted, unchecked } = facts;
  return [
    `${count} signatures: ${trusted} of them are by somebody whom the [[signing]] rules of this configuration trust; each site has rules of its own`,
    ...(unchecked === 0
      ? []
      : [`${unchecked} of them are of zips that earlier bundles brought, and were not compared with those`]),
  ];
}

const several = (value: string, before: string[]): string[] => [...before, value];

export function addVerify(bundle: Command): void {
  withJobOption(withSharedOptions(bundle.command('verify')))
    .description(
      'check that a bundle, or the directory that a chain of them was unpacked to, proves itself; needs no server and no network',
    )
    .argument('<bundle>', 'file, first part of a split one, or directory')
    .option(
      '--key <vkey>',
      'GOSUMDB key of the server that made it, where the configuration does not know it',
      several,
      [],
    )
    .option(
      '--after <bundle>',
      'an earlier bundle of the chain: its heads have to be how this one’s began',
      several,
      [],
    )
    .option(
      '--for <input>',
      'go.mod, go.sum, source directory and so on: nothing that it needs may be missing',
      several,
      [],
    )
    .option('--tests', 'with --for: also what only tests of dependencies need')
    .option('--json', 'print one JSON document')
    .action((file: string, options: VerifyOptions) => verify(file, options));
}
