import { ANY_USER, httpsBase, loginBases } from './git-host.ts';
import type { GitHost } from './git-host.ts';

/**
 * `git-login USER FILE get`: a git credential helper (gitcredentials(7)) that takes the password from a file. The token
 * goes from the file through shell built-ins into git's pipe: it is in no argument, no variable of the environment and no
 * other file, and a new token counts from the next question on.
 */
export const GIT_LOGIN = `#!/bin/sh
[ "$3" = get ] || exit 0
token=
{ read -r token <"$2"; } 2>/dev/null
token=\${token%"$(printf '\\r')"}
[ -n "$token" ] || exit 0
printf 'username=%s\\npassword=%s\\n' "$1" "$token"
`;

/**
 * `go-login BASE [URL]`: a GOAUTH command (go help goauth), for go-import pages. It asks git, so that one setting serves
 * both, and answers before the first request: a host that hides what it has may answer wrongly instead of with 401.
 */
export const GO_LOGIN = `#!/bin/sh
printf 'url=%s\\n\\n' "$1" | git credential fill 2>/dev/null | {
  user= password=
  while IFS= read -r line; do
    case $line in
      username=*) user=\${line#username=} ;;
      password=*) password=\${line#password=} ;;
    esac
  done
  [ -n "$password" ] || exit 0
  login=$(printf '%s:%s' "$user" "$password" | base64 | tr -d '\\n')
  printf '%s\\n\\nAuthorization: Basic %s\\n\\n' "$1" "$login"
}
`;

/** Git settings, in their order, for the `[[git]]` entries. `gitLogin` is the path of GIT_LOGIN. */
export function loginConfig(
  hosts: readonly GitHost[],
  gitLogin: string,
): readonly (readonly [key: string, value: string])[] {
  // git takes the last that fits, and the longer path is to win.
  const sorted = [...hosts].sort((a, b) => (a.path?.length ?? 0) - (b.path?.length ?? 0));
  return sorted.flatMap((entry) => {
    const { url, user = ANY_USER, tokenFile, helper } = entry;
    const command = helper ?? (tokenFile === undefined ? [] : [gitLogin, user, tokenFile]);
    return [
      ...(url === undefined ? [] : [[`url.${url}.insteadOf`, httpsBase(entry)] as const]),
      ...loginBases(entry).flatMap((base) => {
        const key = `credential.${base.replace(/\/$/, '')}`;
        return [
          // An empty one takes back what a configuration file says for the same address.
          [`${key}.helper`, ''] as const,
          [`${key}.helper`, `!${command.map(shellQuote).join(' ')}`] as const,
          // A helper may have a login for each owner or repository.
          [`${key}.useHttpPath`, String(helper !== undefined)] as const,
        ];
      }),
    ];
  });
}

/**
 * GOAUTH for a module path. `goLogin` is the path of GO_LOGIN, without spaces or semicolons. Only the entries of the
 * path's own host are asked: that is where its go-import page lies.
 */
export function goAuth(
  path: string,
  hosts: readonly GitHost[],
  goLogin: string,
  gitConfigFile: string | undefined,
): string {
  const own = hosts
    .filter((entry) => loginBases(entry).length > 0 && `https://${path}/`.startsWith(httpsBase(entry)))
    .map((entry) => `${goLogin} ${httpsBase(entry)}`);
  // With a file of the administrator's, git itself is asked once a page was refused; "/" is no repository.
  return [...own, 'netrc', ...(gitConfigFile === undefined ? [] : ['git /'])].join(';');
}

/** One word of a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
