import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toTrustMaterial } from '@sigstore/verify';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { parsePublicKey } from '../signing/public-key.ts';
import type { SigningRule } from '../signing/rule.ts';

/** The signing rules of a configuration, with their files. Throws bad_config naming the file that is not what it should be. */
export function openSigningRules({ signing }: Pick<Config, 'signing'>): SigningRule[] {
  return signing.map(({ keys, trustedRoot, ...rule }, at) => ({
    ...rule,
    keys: keys.map((file) => parsePublicKey(textOf(file, `signing[${at}].keys`), path.basename(file))),
    trustedRoot: trustedRoot === undefined ? undefined : rootIn(trustedRoot, `signing[${at}].trusted_root`),
  }));
}

function rootIn(file: string, key: string): string {
  const text = textOf(file, key);
  try {
    toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(text)), {});
  } catch (cause) {
    throw new GokeepError('bad_config', `${key}: ${file} is no sigstore trusted root`, { cause });
  }
  return text;
}

function textOf(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new GokeepError('bad_config', `${key}: ${file} cannot be read`, { cause });
  }
}
