import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { GokeepError, hasCode } from '../errors.ts';
import { formatLookup } from '../module/request-path.ts';
import type { ZipVerifier } from '../proxy/zip-verifier.ts';
import { Artifact } from '../signing/artifact.ts';
import { ruleFor, type SigningRule } from '../signing/rule.ts';
import { verifySignature } from '../signing/verify-signature.ts';
import type { UpstreamChain } from '../upstream/chain.ts';
import { ServerClient, type ServerOptions } from './server-client.ts';

export interface SignedModulesOptions {
  readonly rules: readonly SigningRule[];
  readonly chain: UpstreamChain;
  readonly zips: Pick<ZipVerifier, 'verify'>;
  /** A directory for zips. */
  readonly scratch: string;
  readonly options: ServerOptions;
}

/**
 * Verifies signatures of modules on the client: the bundles that a gokeep shows, with our own rules, over a zip whose hash is
 * compared first. What the gokeep says of them is not asked.
 */
export class SignedModules implements AsyncDisposable {
  readonly #o: SignedModulesOptions;
  #server: Promise<ServerClient> | undefined;

  constructor(options: SignedModulesOptions) {
    this.#o = options;
  }

  /**
   * @param zip the proven `h1:` of the version's zip
   * @throws refused where nobody whom the rule trusts has signed; mismatch; what fetching throws
   */
  async check(modulePath: string, version: string, zip: string): Promise<void> {
    const rule = ruleFor(this.#o.rules, modulePath);
    if (rule === undefined) return;
    const bundles = await this.#bundles(modulePath, version);
    if (bundles.length === 0) throw unsigned(modulePath, version);
    const file = path.join(this.#o.scratch, randomUUID());
    try {
      await this.#fetch(modulePath, version, zip, file);
      const artifact = new Artifact(file);
      let why: GokeepError | undefined;
      for (const bundle of bundles)
        try {
          if ((await verifySignature(bundle, artifact, rule)).kind === 'signature') return;
        } catch (error) {
          if (!hasCode(error, 'bad_signature')) throw error;
          why = error;
        }
      throw unsigned(modulePath, version, why);
    } finally {
      await rm(file, { force: true });
    }
  }

  async #bundles(modulePath: string, version: string): Promise<string[]> {
    this.#server ??= ServerClient.open(this.#o.options, process.env);
    const server = await this.#server;
    const { text } = await server.send('GET', `/api/v1/signatures/${formatLookup(modulePath, version)}`);
    const { signatures } = JSON.parse(text) as { signatures?: readonly { readonly bundle?: unknown }[] };
    return (signatures ?? []).map(({ bundle }) => JSON.stringify(bundle));
  }

  async #fetch(modulePath: string, version: string, zip: string, file: string): Promise<void> {
    const handle = await open(file, 'wx+');
    try {
      await this.#o.chain.fetchZip(modulePath, version, handle, {});
    } finally {
      await handle.close();
    }
    const { h1 } = await this.#o.zips.verify(file, modulePath, version);
    if (h1 !== zip)
      throw new GokeepError(
        'mismatch',
        `SECURITY: ${modulePath}@${version}: the zip that was served has ${h1}, the checksum database has proven ${zip}`,
      );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#server?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}

function unsigned(modulePath: string, version: string, why?: GokeepError): GokeepError {
  return new GokeepError(
    'refused',
    `${modulePath}@${version} is not signed by anybody whom the rules trust${why === undefined ? '' : `: ${why.message}`}`,
    { cause: why },
  );
}
