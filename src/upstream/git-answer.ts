import { readFile } from 'node:fs/promises';

import type { ErrorCode } from '../errors.ts';
import { entryFor, firstLine, hostIn } from './git-host.ts';
import type { GitCredentials, GitHost } from './git-host.ts';
import { parseNetrc } from './netrc.ts';

/** What went wrong between git, or go reading a go-import page, and a host. */
export interface GitAnswer {
  readonly code: ErrorCode;
  /** `gitlab.corp answered 401 for group/app: …`, without a full stop. */
  readonly why: string;
  /** `host` or `host:port`, where the text names one. */
  readonly host: string | undefined;
}

export interface Asked {
  readonly path: string;
  /** Undefined where none are shown to anybody. */
  readonly credentials: GitCredentials | undefined;
  /** The file of further certificate authorities. */
  readonly caFile: string | undefined;
}

interface Place {
  readonly address: string;
  readonly host: string;
  /** ` for group/app`, or nothing. */
  readonly what: string;
}

type Explain = (place: Place, asked: Asked) => string | Promise<string>;

interface Rule {
  readonly code: ErrorCode;
  readonly pattern: RegExp;
  readonly why: Explain;
}

/** In the order in which they are tested. `said` is attacker-influenced; a rule chooses words of ours. */
const RULES: readonly Rule[] = [
  {
    code: 'upstream_refused',
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    why: ({ host }, asked) =>
      `${host} shows another ssh host key than ${knownHosts(host, asked)} has for it: find out whether it was renewed, or somebody stands in between`,
  },
  {
    code: 'upstream_refused',
    pattern: /Host key verification failed/,
    why: ({ host }, asked) =>
      `the ssh host key of ${host} is not in ${knownHosts(host, asked)}: compare its fingerprint, then add it`,
  },
  {
    code: 'upstream_refused',
    pattern: /UNPROTECTED PRIVATE KEY FILE/,
    why: ({ host }, asked) =>
      `ssh does not use ${sshKey(host, asked)} for ${host}, since others than its owner can read it: chmod 600`,
  },
  {
    code: 'upstream_refused',
    pattern: /Permission denied \(/,
    why: ({ host }, asked) => `${host} refused ${sshKey(host, asked)}: may it still read this repository`,
  },
  {
    code: 'upstream_refused',
    pattern:
      /Authentication failed for|could not read (?:Username|Password)|terminal prompts disabled|\b401 Unauthorized|returned error: 401/,
    why: async (place, asked) => `${place.host} answered 401${place.what}: ${await login(place, asked)}`,
  },
  {
    code: 'upstream_refused',
    pattern: /\b403 Forbidden|returned error: 403/,
    why: async (place, asked) => `${place.host} answered 403${place.what}: ${await login(place, asked)}`,
  },
  {
    code: 'upstream_unreachable',
    pattern:
      /x509: |tls: |SSL certificate problem|certificate verif|SSL: |server certificate|gnutls_handshake/i,
    why: ({ host }, { caFile }) =>
      `the TLS certificate of ${host} is not accepted: ${caFile === undefined ? 'if a company authority signed it, name its PEM file in direct.ca' : `${caFile} (direct.ca) may lack its authority, or it is expired or another host's`}`,
  },
  {
    code: 'upstream_timeout',
    pattern:
      /i\/o timeout|TLS handshake timeout|Operation timed out|Connection timed out|deadline exceeded|Operation too slow|timed out/,
    why: ({ host }) => `${host} did not answer in time`,
  },
  {
    code: 'upstream_unreachable',
    pattern: /no such host|server misbehaving|Could not resolve/,
    why: ({ host }) => `the name ${host} cannot be resolved on the gokeep host`,
  },
  {
    code: 'upstream_unreachable',
    pattern: /dial tcp|[Cc]onnection re(?:fused|set)|Failed to connect|Couldn't connect|Connection closed by/,
    why: ({ host }) => `${host} cannot be reached, or broke the connection`,
  },
];

/**
 * A repository that its host does not show. Hosts say so of one that is not there, and of one that this login may not
 * see, and so does `git` in both cases.
 */
const HIDDEN =
  /fatal: repository '[^']*' not found|Repository not found|does not appear to be a git repository|could not be found or you don't have permission/;

/**
 * What the host said, or undefined when the words are about something else.
 *
 * @param shown what was said, without secrets: names of hosts and repositories are taken from it.
 */
export async function gitAnswer(said: string, shown: string, asked: Asked): Promise<GitAnswer | undefined> {
  const place = placeIn(shown, asked);
  const { credentials } = asked;
  // Without any credentials it is as absent as it can be for us.
  if (credentials !== undefined && HIDDEN.test(said)) {
    const why = `${place.host} shows no such repository${place.what}: there is none, or ${await hiddenFrom(place, asked)}`;
    return { code: 'upstream_refused', why, host: place.host };
  }
  const rule = RULES.find(({ pattern }) => pattern.test(said));
  if (rule === undefined || (HIDDEN.test(said) && rule.code !== 'upstream_refused')) return undefined;
  return { code: rule.code, why: await rule.why(place, asked), host: place.host };
}

/** True when a host said that it shows no such repository, of one that its git asked for. */
export function isHidden(said: string): boolean {
  return HIDDEN.test(said);
}

const ADDRESSES: readonly RegExp[] = [
  /unable to access '([^']+)'/,
  /Authentication failed for '([^']+)'/,
  /could not read (?:Username|Password) for '([^']+)'/,
  /repository '([^']+)' not found/,
  /(?:reading |Get ")(https?:\/\/[^\s"?]+)/,
];

/** What ssh says names the host alone. */
const SSH_HOSTS: readonly RegExp[] = [
  /(?:^|[\s@])([\w.-]+): Permission denied \(/,
  /key is known for \[?([\w.-]+)/,
  /[Hh]ost key for \[?([\w.-]+)/,
  /connect to host ([\w.-]+)/,
  /resolve hostname ([\w.-]+)/,
];

function placeIn(said: string, { path, credentials }: Asked): Place {
  const found = ADDRESSES.map((pattern) => pattern.exec(said)?.[1]).find((text) => text !== undefined);
  if (found !== undefined && URL.canParse(found)) {
    const url = new URL(found);
    const name = url.pathname.replace(/^\/|\/$/g, '').replace(/\.git$/, '');
    return {
      address: `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, '')}`,
      host: url.host,
      what: name === '' ? '' : ` for ${decoded(name)}`,
    };
  }
  const ssh = SSH_HOSTS.map((pattern) => pattern.exec(said)?.[1]).find((text) => text !== undefined);
  if (ssh !== undefined) return { address: `ssh://${ssh}`, host: ssh, what: '' };
  const [host = path, ...rest] = path.split('/');
  const what = rest.length === 0 ? '' : ` for ${rest.join('/').replace(/\.git(?=\/|$)/, '')}`;
  const url = entryFor(credentials?.hosts ?? [], `https://${path}`)?.url;
  return url === undefined
    ? { address: `https://${path}`, host, what }
    : { address: url, host: hostIn(url), what };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function sshEntry(host: string, { path, credentials }: Asked): GitHost | undefined {
  const hosts = credentials?.hosts ?? [];
  return entryFor(hosts, `ssh://${host}`) ?? entryFor(hosts, `https://${path}`);
}

function knownHosts(host: string, asked: Asked): string {
  const file = sshEntry(host, asked)?.sshKnownHosts ?? asked.credentials?.sshKnownHostsFile;
  return file ?? 'the known_hosts files of the gokeep host';
}

function sshKey(host: string, asked: Asked): string {
  const file = sshEntry(host, asked)?.sshKey ?? asked.credentials?.sshIdentityFile;
  return file === undefined ? 'a login without an ssh key (none is set for it)' : `the ssh key ${file}`;
}

/** What there is to do about a login that was not enough. */
async function login({ address, host }: Place, { path, credentials }: Asked): Promise<string> {
  if (credentials === undefined) return 'for a path that is not private, gokeep shows no credentials';
  const entry = entryFor(credentials.hosts, address) ?? entryFor(credentials.hosts, `https://${path}`);
  if (entry?.helper !== undefined)
    return `the login that ${entry.helper[0]} gives was not accepted, or it gave none`;
  if (entry?.tokenFile !== undefined) {
    const token = await readFile(entry.tokenFile, 'utf8').catch(() => undefined);
    if (token === undefined) return `the file ${entry.tokenFile} with its token cannot be read`;
    if (firstLine(token) === '') return `the file ${entry.tokenFile} holds no token in its first line`;
    return `the token in ${entry.tokenFile} may have expired, or lack the right to read it`;
  }
  const { netrcFile, gitConfigFile } = credentials;
  if (netrcFile !== undefined) {
    const machines = parseNetrc(await readFile(netrcFile, 'utf8').catch(() => ''));
    const name = host.replace(/:\d+$/, '');
    if (machines.some(({ machine }) => [host, name].includes(machine.split('/')[0] ?? ''))) {
      return `the entry for it in ${netrcFile} may have expired, or lack the right to read it`;
    }
    if (gitConfigFile === undefined) return `${netrcFile} has no entry for it`;
  }
  if (gitConfigFile !== undefined) return `${gitConfigFile} may lack a login for it, or that one expired`;
  return 'gokeep has no login for it; add a [[git]] entry to its configuration';
}

async function hiddenFrom(place: Place, asked: Asked): Promise<string> {
  return place.address.startsWith('https:')
    ? `gokeep may not see it: ${await login(place, asked)}`
    : `${sshKey(place.host, asked)} may not read it`;
}
