import { GokeepError } from '../errors.ts';
import type { GitSettings } from './schema.ts';

/** One `[[git]]` entry, checked: paths absolute, `url` with a slash at its end. */
export interface GitHostConfig {
  readonly host: string;
  readonly path: string | undefined;
  readonly url: string | undefined;
  readonly user: string | undefined;
  readonly tokenFile: string | undefined;
  readonly helper: readonly string[] | undefined;
  readonly sshKey: string | undefined;
  readonly sshKnownHosts: string | undefined;
}

/** The `[[git]]` entries. Throws bad_config, naming the key. */
export function resolveGitHosts(
  rows: readonly GitSettings[],
  fromFile: (value: string | undefined) => string | undefined,
): GitHostConfig[] {
  const seen = new Set<string>();
  return rows.map((row, at) => {
    const refuse = (key: string, why: string): never => {
      throw new GokeepError('bad_config', `git[${at}].${key}: ${why}`);
    };
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?$/.test(row.host)) {
      refuse('host', 'has to be the host alone, in lower case, such as "gitlab.corp.example"');
    }
    const path = row.path?.replace(/^\/+|\/+$/g, '');
    // It becomes part of a command line of go's, which knows no quoting for all of them.
    if (path !== undefined && !/^[\w.~-]+(\/[\w.~-]+)*$/.test(path)) {
      refuse('path', 'has to be a folder of the host, such as "group/team"');
    }
    const name = `${row.host}/${path ?? ''}`;
    if (seen.has(name)) refuse('host', `there is an entry for ${name} already`);
    seen.add(name);
    if (row.token_file !== undefined && row.helper !== undefined) {
      refuse('helper', 'stands beside token_file, and only one can give the login');
    }
    if (row.user !== undefined && row.token_file === undefined) {
      refuse('user', 'says whose token it is; it needs token_file');
    }
    const takesLogin = row.token_file !== undefined || row.helper !== undefined;
    const sshKey = fromFile(row.ssh_key);
    const sshKnownHosts = fromFile(row.ssh_known_hosts);
    for (const [key, file] of [
      ['ssh_key', sshKey],
      ['ssh_known_hosts', sshKnownHosts],
    ] as const) {
      const why = unfitForSsh(file);
      if (why !== undefined) refuse(key, why);
    }
    return {
      host: row.host,
      path,
      url: row.url === undefined ? undefined : checkedUrl(row.url, takesLogin, refuse),
      user: row.user,
      tokenFile: fromFile(row.token_file),
      helper: row.helper === undefined ? undefined : [fromFile(row.helper[0]) ?? '', ...row.helper.slice(1)],
      sshKey,
      sshKnownHosts,
    };
  });
}

/** Why ssh could not be told of a file: its configuration expands variables and knows no escape for a quote. */
export function unfitForSsh(file: string | undefined): string | undefined {
  return file !== undefined && /["$\p{Cc}]/u.test(file)
    ? 'ssh cannot be given a file with a quote, a dollar or a control character in its name'
    : undefined;
}

function checkedUrl(text: string, takesLogin: boolean, refuse: (key: string, why: string) => never): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^(https?|ssh):$/.test(url.protocol) || url.hostname === '') {
    return refuse('url', 'has to be an https or ssh URL, such as "ssh://git@git.corp.example/"');
  }
  if (url.password !== '' || (url.protocol !== 'ssh:' && url.username !== '')) {
    return refuse('url', 'holds a login, which belongs in a file: see token_file');
  }
  if (url.search !== '' || url.hash !== '') return refuse('url', 'has to end with a folder');
  if (url.protocol === 'http:' && takesLogin) {
    return refuse('url', 'would send the login over plain http');
  }
  return text.endsWith('/') ? text : `${text}/`;
}
