import { GokeepError } from '../../errors.ts';

/** What a client is set up for. */
export interface SetupSettings {
  /** Address of the gokeep, without credentials. */
  readonly url: string;
  /** The checksum database's verifier key, which is all of GOSUMDB: `go` finds the database through GOPROXY. */
  readonly vkey: string;
  /** Clients need credentials. */
  readonly credentials: boolean;
  /** PEM of a private certificate authority that clients have to trust. */
  readonly ca?: string | undefined;
}

/** Characters that mean nothing in any of the languages that the settings are written into; no `%`, which cmd would expand. */
const PLAIN_URL = /^https?:\/\/[A-Za-z0-9.\-_~:[\]/]+$/;
const PLAIN_VKEY = /^[A-Za-z0-9.\-_/]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+?\s-----END CERTIFICATE-----/g;

/**
 * The settings as they may be written into scripts: without anything that a shell, an XML file or YAML would read as more than a word.
 *
 * @throws bad_config
 */
export function checkedSettings(settings: SetupSettings): SetupSettings {
  const url = settings.url.replace(/\/+$/, '');
  if (!PLAIN_URL.test(url) || !URL.canParse(url))
    throw new GokeepError(
      'bad_config',
      'setup: the address for clients is no plain http or https URL: name one without credentials, query or escapes, by url in the configuration or --url.',
    );
  if (!PLAIN_VKEY.test(settings.vkey))
    throw new GokeepError(
      'bad_config',
      'setup: the checksum database has a verifier key that cannot be written into scripts: give the one that npx gokeep key show prints.',
    );
  return { ...settings, url, ca: settings.ca === undefined ? undefined : certificatesOf(settings.ca) };
}

/** The certificates alone, so that neither a private key nor a comment beside them gets into a script. */
function certificatesOf(pem: string): string {
  const found = pem.replaceAll('\r\n', '\n').match(CERTIFICATE);
  if (found === null)
    throw new GokeepError(
      'bad_config',
      'setup: the file named by --ca holds no PEM certificate: name the certificate of the authority.',
    );
  return `${found.join('\n')}\n`;
}

/** Host, and port where it is not 443, as a netrc file names it. */
export function netrcMachine({ url }: SetupSettings): string {
  return new URL(url).host;
}
