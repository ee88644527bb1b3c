import { readFile } from 'node:fs/promises';

import { parseNetrc } from './netrc.ts';

/** One `[[git]]` entry: how to get at the repositories of a host, or of a folder of it. Paths of files are absolute. */
export interface GitHost {
  /** As in an https address: `gitlab.corp.example`, with `:port` where it is not 443. */
  readonly host: string;
  /** Only what lies below this folder, without slashes at the ends: `group/team`. */
  readonly path?: string | undefined;
  /** What git asks instead of `https://host/path/`; ends with a slash. */
  readonly url?: string | undefined;
  /** The user name that goes with the token. */
  readonly user?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** A git credential helper and its arguments. */
  readonly helper?: readonly string[] | undefined;
  readonly sshKey?: string | undefined;
  readonly sshKnownHosts?: string | undefined;
}

/** What `direct` may show to a host, and where that lies. */
export interface GitCredentials {
  /** Of entries that fit the same address, the one with the longer path counts. */
  readonly hosts: readonly GitHost[];
  readonly netrcFile?: string | undefined;
  /** Read by git as its global configuration. */
  readonly gitConfigFile?: string | undefined;
  readonly sshIdentityFile?: string | undefined;
  readonly sshKnownHostsFile?: string | undefined;
}

/** What git says instead of a user name when a token is all that counts. GitLab, Gitea and GitHub take any. */
export const ANY_USER = 'oauth2';

/** `https://host/path/` */
export function httpsBase({ host, path }: GitHost): string {
  return `https://${host}/${path === undefined ? '' : `${path}/`}`;
}

/** The addresses at which an entry's token or helper may be shown: its own, and the one that git asks instead. */
export function loginBases(entry: GitHost): readonly string[] {
  if (entry.tokenFile === undefined && entry.helper === undefined) return [];
  return [
    httpsBase(entry),
    ...(entry.url !== undefined && /^https?:/.test(entry.url) ? [entry.url] : []),
  ].filter((base, at, all) => all.indexOf(base) === at);
}

/** The host in an address, as `direct` names it: ssh does not say at which port. */
export function hostIn(address: string): string {
  const { protocol, host, hostname } = new URL(address);
  return protocol === 'ssh:' ? hostname : host;
}

/** The entry for an address, such as git names it in an error. */
export function entryFor(hosts: readonly GitHost[], address: string): GitHost | undefined {
  const fits = (base: string | undefined): boolean =>
    base !== undefined && (`${address}/`.startsWith(base) || sameSshHost(base, address));
  return hosts
    .filter((entry) => fits(httpsBase(entry)) || fits(entry.url))
    .sort((a, b) => (b.path?.length ?? 0) - (a.path?.length ?? 0))[0];
}

/** ssh names the host in what it says, and neither the user nor the folder. */
function sameSshHost(base: string, address: string): boolean {
  if (!address.startsWith('ssh://') || !URL.canParse(address) || !URL.canParse(base)) return false;
  const [asked, own] = [new URL(address), new URL(base)];
  return own.protocol === 'ssh:' && own.hostname === asked.hostname;
}

/**
 * Everything that must not be shown to anybody, read anew: a hostile server can have git repeat what it was sent.
 * Files that cannot be read hold nothing to hide.
 */
export async function secretsOf({ hosts, netrcFile }: GitCredentials): Promise<readonly string[]> {
  const text = async (file: string): Promise<string> => await readFile(file, 'utf8').catch(() => '');
  const pairs: { readonly user: string; readonly password: string }[] = [];
  for (const { user = ANY_USER, tokenFile } of hosts) {
    if (tokenFile !== undefined) pairs.push({ user, password: firstLine(await text(tokenFile)) });
  }
  if (netrcFile !== undefined) {
    for (const { username, password } of parseNetrc(await text(netrcFile))) {
      pairs.push({ user: username, password });
    }
  }
  return (
    pairs
      // Shorter ones would be cut out of words that have nothing to do with them, and so be told.
      .filter(({ password }) => password.length >= 6)
      .flatMap(({ user, password }) => [
        password,
        encodeURIComponent(password),
        Buffer.from(`${user}:${password}`).toString('base64'),
      ])
  );
}

/** A token as its file holds it: the first line, without what an editor or Windows put behind it. */
export function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').trim();
}

/** A text without secrets: those known, and what looks like the login that a credential helper gave. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .reduce((left, secret) => left.replaceAll(secret, '…'), text)
    .replaceAll(/\b(Basic|Bearer) [\w+/=.~-]{8,}/gi, '$1 …')
    .replaceAll(/\b(?:gh[a-z]_|github_pat_|glpat-)[\w.-]{8,}/g, '…');
}
