import { netrcCredentials } from '../../../upstream/netrc.ts';
import { valueOf, type Facts } from '../facts/facts.ts';
import type { Machine } from '../machine.ts';
import type { CredentialSource } from './probed.ts';

export interface GoCredentials {
  readonly authorization: string | undefined;
  readonly source: CredentialSource | undefined;
}

const NONE: GoCredentials = { authorization: undefined, source: undefined };
const GOAUTH_DEADLINE = 2_000;

/** What go sends to an address: what stands in GOPROXY itself, else what GOAUTH says, by https alone. */
export async function credentialsFor(machine: Machine, facts: Facts, url: string): Promise<GoCredentials> {
  const own = facts.goproxy.find((entry) => entry.url === url)?.credentials;
  if (own !== undefined) return { authorization: basic(own), source: 'GOPROXY' };
  const target = new URL(url);
  if (target.protocol !== 'https:') return NONE;
  for (const method of (valueOf(facts, 'GOAUTH') || 'netrc').split(';')) {
    const found = await byMethod(method.trim(), machine, facts, target);
    if (found.source !== undefined) return found;
  }
  return NONE;
}

async function byMethod(method: string, machine: Machine, facts: Facts, url: URL): Promise<GoCredentials> {
  if (method === '' || method === 'off') return NONE;
  if (method === 'netrc') {
    const found = netrcCredentials(facts.netrc.machines, url);
    return found === undefined ? NONE : { authorization: basic(found), source: 'netrc' };
  }
  const [command = '', ...args] = method.split(/\s+/);
  // What git's helpers answer may cost a dialog: go itself shows whether it works, in the download below.
  if (command === 'git') return NONE;
  const ran = await machine.run(command, args, { deadline: GOAUTH_DEADLINE });
  // go asks once without an address, and then with the one that refused it.
  const again =
    ran.code === 0 && headerIn(ran.stdout, url) !== undefined
      ? ran
      : await machine.run(command, [...args, url.href], { deadline: GOAUTH_DEADLINE });
  const authorization = again.code === 0 ? headerIn(again.stdout, url) : undefined;
  return authorization === undefined ? NONE : { authorization, source: 'GOAUTH' };
}

/** The Authorization header for an address in what `go help goauth` describes: addresses, a blank line, headers, a blank line. */
export function headerIn(output: string, url: URL): string | undefined {
  let urls: string[] = [];
  let isHeaders = false;
  for (const line of output.split(/\r?\n/)) {
    if (line === '') {
      if (isHeaders) urls = [];
      isHeaders = !isHeaders && urls.length > 0;
    } else if (!isHeaders) urls.push(line.trim());
    else {
      const [, value] = /^authorization:\s*(.+)$/i.exec(line) ?? [];
      const here = `${url.origin}${url.pathname.replace(/\/$/, '')}`;
      if (value !== undefined && urls.some((each) => isPrefix(each, here))) return value;
    }
  }
  return undefined;
}

function isPrefix(prefix: string, url: string): boolean {
  const bare = prefix.replace(/\/$/, '');
  return url === bare || url.startsWith(`${bare}/`);
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
