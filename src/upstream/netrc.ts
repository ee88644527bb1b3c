import type { Credentials } from './proxy-list.ts';

/** One complete `machine … login … password …` of a netrc file. */
export interface NetrcMachine extends Credentials {
  /** Host, or `host:port` where the port is not the default one of https. */
  readonly machine: string;
}

/** Reads a netrc file as cmd/go/internal/auth.parseNetrc does: incomplete machines and macros are skipped. */
export function parseNetrc(text: string): readonly NetrcMachine[] {
  const machines: NetrcMachine[] = [];
  let current = { machine: '', login: '', password: '' };
  let inMacro = false;
  for (const line of text.split('\n')) {
    if (inMacro) {
      inMacro = line !== '';
      continue;
    }
    const fields = line.split(/\s+/).filter((field) => field !== '');
    let i = 0;
    for (; i < fields.length - 1; i += 2) {
      const value = fields[i + 1] ?? '';
      switch (fields[i]) {
        case 'machine':
          current = { machine: value, login: '', password: '' };
          break;
        case 'login':
          current.login = value;
          break;
        case 'password':
          current.password = value;
          break;
        case 'macdef':
          inMacro = true;
          break;
        default:
          break;
      }
      if (current.machine !== '' && current.login !== '' && current.password !== '') {
        machines.push({ machine: current.machine, username: current.login, password: current.password });
        current = { machine: '', login: '', password: '' };
      }
    }
    // A default entry would hand the credentials to every host: the file is read up to it and no further.
    if (fields[i] === 'default') break;
  }
  return machines;
}

/**
 * The credentials for a URL, or undefined. Never any over plain http. As in cmd/go/internal/auth.loadCredential
 * a machine may carry a path, the longest one wins, and of two equal machines the first.
 */
export function netrcCredentials(machines: readonly NetrcMachine[], url: URL): Credentials | undefined {
  if (url.protocol !== 'https:') return undefined;
  let prefix = `${url.host}${url.pathname}`.replace(/\/$/, '');
  for (;;) {
    const found = machines.find((m) => m.machine.replace(/\/$/, '') === prefix);
    if (found !== undefined) return { username: found.username, password: found.password };
    const slash = prefix.lastIndexOf('/');
    if (slash < 0) return undefined;
    prefix = prefix.slice(0, slash);
  }
}
