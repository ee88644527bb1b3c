import { GokeepError } from '../errors.ts';
import { parseVerifier, type Verifier } from '../note/verifier.ts';

/** What a GOSUMDB setting says. */
export type Gosumdb =
  | { readonly off: true }
  | {
      readonly off: false;
      /** host[/path]; may hold slashes and a port. */
      readonly name: string;
      readonly vkey: string;
      readonly verifier: Verifier;
      /** Where to reach it, past any proxy; without one, by way of the proxies and else at https://name. */
      readonly url: string | undefined;
    };

/** The databases whose keys are known by name: cmd/go's modfetch/key.go. */
const KNOWN_KEYS = new Map([
  ['sum.golang.org', 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'],
]);

/** Another address of a known database. */
const MIRRORS = new Map([['sum.golang.google.cn', 'sum.golang.org https://sum.golang.google.cn']]);

const HOST_AND_PATH = /^[^\s/?#@\\%]+(?:\/[^\s/?#@\\%]+)*$/;

/** Reads GOSUMDB as cmd/go's modfetch.dbDial does: `off`, `key`, or `key url`. Throws `bad_config`. */
export function parseGosumdb(text: string): Gosumdb {
  const trimmed = text.trim();
  if (trimmed === 'off') return { off: true };
  const [key, url, ...more] = (MIRRORS.get(trimmed) ?? trimmed).split(/\s+/);
  if (key === undefined || key === '') {
    throw bad('it is empty: name a database, give its verifier key, or say "off"');
  }
  if (more.length > 0) throw bad('it has more than two fields: a key and, after a space, a URL');
  const vkey = KNOWN_KEYS.get(key) ?? key;
  const verifier = readVerifier(vkey);
  if (!isDatabaseName(verifier.name)) throw bad('the name in its key must be host[/path]');
  if (url !== undefined) checkUrl(url);
  return { off: false, name: verifier.name, vkey, verifier, url };
}

/** The name becomes a URL and a directory of clients' caches, so nothing in it may have a meaning of its own. */
function isDatabaseName(name: string): boolean {
  if (!HOST_AND_PATH.test(name) || name.split('/').some((part) => /^\.+$/.test(part))) return false;
  const url = URL.parse(`https://${name}`);
  return url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

function readVerifier(vkey: string): Verifier {
  try {
    return parseVerifier(vkey);
  } catch (cause) {
    const why = cause instanceof GokeepError ? cause.message : 'its key cannot be read';
    throw new GokeepError('bad_config', `GOSUMDB is not valid: ${why}.`, { cause });
  }
}

function checkUrl(text: string): void {
  const url = URL.parse(text);
  if (url === null || !['https:', 'http:', 'file:'].includes(url.protocol)) {
    throw bad('its URL must begin with https://, http:// or file://');
  }
  // Credentials in clear text: the go command refuses them too.
  if (url.protocol === 'http:' && (url.username !== '' || url.password !== '')) {
    throw bad('its URL must not send credentials over http: use https');
  }
}

function bad(why: string): GokeepError {
  return new GokeepError('bad_config', `GOSUMDB is not valid: ${why}.`);
}
