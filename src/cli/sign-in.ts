import { readFileSync } from 'node:fs';
import type { Authenticator } from '../access/authenticator.ts';
import type { SignInConfig } from '../config/access.ts';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { OpenIdProvider } from '../upstream/openid-provider.ts';
import type { KeySetOptions } from '../upstream/key-set.ts';
import type { People } from '../web/people.ts';

export interface SignInParts {
  readonly authenticator: Pick<Authenticator, 'person'>;
  /** How the issuer is reached. */
  readonly reach: KeySetOptions;
}

/**
 * What signs people in at the provider of `access.sign_in`. Throws bad_config.
 *
 * @param cleanup closes what is opened here
 */
export function openSignIn(
  config: Config,
  signIn: SignInConfig,
  { authenticator, reach }: SignInParts,
  cleanup: AsyncDisposableStack,
): People {
  const { name, issuer, clientId, clientSecretFile, scopes } = signIn;
  const secret = clientSecretFile === undefined ? undefined : () => firstLine(clientSecretFile);
  secret?.();
  const provider = cleanup.use(
    new OpenIdProvider({
      name,
      issuer,
      clientId,
      clientSecret: secret,
      scopes,
      redirectUri: () => `${(config.url ?? '').replace(/\/+$/, '')}/ui/sign-in/callback`,
      userAgent: reach.userAgent,
      ca: reach.ca,
      egress: reach.egress,
      connectTimeout: reach.connectTimeout,
      now: Date.now,
    }),
  );
  return {
    name,
    begin: () => provider.begin(),
    finish: async (query, secrets) =>
      authenticator.person(await provider.finish(query, secrets), clientId, name),
  };
}

function firstLine(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new GokeepError('bad_config', `access.sign_in.client_secret_file: ${file} cannot be read`, {
      cause: error,
    });
  }
  const line = text.split('\n')[0]?.trim() ?? '';
  if (line === '')
    throw new GokeepError(
      'bad_config',
      `access.sign_in.client_secret_file: ${file} has nothing in its first line`,
    );
  return line;
}
