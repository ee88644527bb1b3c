import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { GokeepError } from '../errors.ts';
import { formatLookup } from '../module/request-path.ts';
import { checkModuleVersion } from '../module/version.ts';
import type { Verdict } from '../signing/verdict.ts';
import { printJson, printLines } from './output.ts';
import { ServerClient } from './server-client.ts';
import { type TalkingOptions, withServerOptions } from './server-options.ts';

/** What the server answers about one signature. */
interface Shown {
  readonly id: string;
  readonly kind: 'signature' | 'attestation';
  readonly signer: Verdict['signer'];
  readonly predicateType?: string;
  readonly verifiedAt?: string;
  readonly trusted?: boolean;
}

/**
 * Sends signatures of one version, each from its file.
 *
 * @returns what the server answered to each
 * @throws bad_config for a file that cannot be read; what the server refuses
 */
export async function sendSignatures(
  server: ServerClient,
  modulePath: string,
  version: string,
  files: readonly string[],
): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const file of files) {
    const headers = { 'content-type': 'application/json' };
    const target = `/api/v1/signatures/${formatLookup(modulePath, version)}`;
    const { text } = await server.send('PUT', target, { headers, body: bundleText(file) });
    answers.push(JSON.parse(text));
  }
  return answers;
}

/** Throws bad_config. */
export function bundleText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new GokeepError('bad_config', `${file}: the signature cannot be read`, { cause });
  }
}

async function attach(argument: string, files: readonly string[], options: TalkingOptions): Promise<void> {
  const { path, version } = moduleVersion(argument);
  files.forEach(bundleText);
  await using server = await ServerClient.open(options, process.env);
  const answers = (await sendSignatures(server, path, version, files)) as (Shown & {
    readonly state: string;
    readonly until?: string;
    readonly added?: boolean;
  })[];
  if (options.json === true) printJson(answers);
  else
    printLines(
      answers.map((each) => {
        if (each.state === 'waiting')
          return `${argument} is not published yet: the signature waits until ${each.until ?? '?'}`;
        return `${argument} ${each.added === true ? 'has' : 'had before'} ${described(each)}`;
      }),
    );
}

async function show(argument: string, options: TalkingOptions): Promise<void> {
  const { path, version } = moduleVersion(argument);
  await using server = await ServerClient.open(options, process.env);
  const { text } = await server.send('GET', `/api/v1/signatures/${formatLookup(path, version)}`);
  if (options.json === true) return printJson(JSON.parse(text));
  const { required, signed, signatures } = JSON.parse(text) as {
    required: boolean;
    signed: boolean;
    signatures: Shown[];
  };
  const demanded = required ? 'a signature is demanded' : 'no signature is demanded';
  printLines([
    `${argument} is ${signed ? 'signed' : 'not signed'}; ${demanded}`,
    ...signatures.map((each) => {
      if (each.signer.kind === 'unknown') return described(each);
      const now = each.trusted === true ? '' : ', who is no longer trusted';
      return `${described(each)}${now}, verified ${each.verifiedAt ?? '?'}`;
    }),
  ]);
}

function described({ kind, signer, predicateType }: Shown): string {
  const what = kind === 'signature' ? 'a signature' : `an attestation (${predicateType ?? '?'})`;
  if (signer.kind === 'unknown')
    return `${what} that was imported and that nobody here vouches for: ${signer.why}`;
  return signer.kind === 'key'
    ? `${what} by key ${signer.name} (${signer.fingerprint})`
    : `${what} by ${signer.subject} of ${signer.issuer}`;
}

function moduleVersion(argument: string): { path: string; version: string } {
  const at = argument.indexOf('@');
  if (at < 0) throw new GokeepError('bad_version', `Say which version: ${argument}@v1.2.3.`);
  const path = argument.slice(0, at);
  const version = argument.slice(at + 1);
  checkModuleVersion(path, version);
  return { path, version };
}

export function addSign(program: Command): void {
  const sign = program.command('sign').description('signatures of versions, as cosign makes them');
  withServerOptions(sign.command('attach'))
    .description('send signatures or attestations of a version')
    .argument('<module@version>', 'which version')
    .argument('<bundle...>', 'files that cosign sign-blob or attest-blob wrote with --bundle')
    .action((version: string, files: string[], options: TalkingOptions) => attach(version, files, options));
  withServerOptions(sign.command('show'))
    .description('show who has signed a version')
    .argument('<module@version>', 'which version')
    .action((version: string, options: TalkingOptions) => show(version, options));
}
