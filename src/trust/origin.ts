/**
 * Where a version was fetched from, as the go command writes it into `.info` (`Origin` of cmd/go's modfetch/codehost).
 * It was written when the version was first asked for, and has been kept byte for byte since.
 */
export interface Origin {
  /** The repository's address, before any rewriting: `https://gitlab.corp.example/group/app.git`. Holds no password. */
  readonly url: string;
  /** The commit, as 40 or 64 hexadecimal digits. */
  readonly hash: string;
  /** `refs/tags/v1.0.0`; undefined for a pseudo-version, whose commit no tag has to name. */
  readonly tag: string | undefined;
}

/** An address that git takes for one of a transport, and for no option, file or helper of its own. */
const ADDRESS = /^(?:https?|ssh|git):\/\/[^\s\p{C}]+$/u;
const TAG = /^refs\/tags\/[^\s\p{C}]+$/u;

/**
 * The origin in the text of an `.info` file; undefined where there is none, or none in git that can be asked again. The
 * text came from upstream and is believed in nothing but that.
 */
export function originOf(info: Buffer): Origin | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(info.toString('utf8'));
  } catch {
    return undefined;
  }
  const origin = (parsed as { readonly Origin?: unknown } | null)?.Origin;
  if (typeof origin !== 'object' || origin === null) return undefined;
  const { VCS: vcs, URL: url, Hash: hash, Ref: ref } = origin as Readonly<Record<string, unknown>>;
  if (vcs !== 'git' || typeof url !== 'string' || !isAddress(url)) return undefined;
  if (typeof hash !== 'string' || !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) return undefined;
  return { url, hash, tag: typeof ref === 'string' && TAG.test(ref) ? ref : undefined };
}

function isAddress(text: string): boolean {
  if (!ADDRESS.test(text) || !URL.canParse(text)) return false;
  const { password, username, protocol } = new URL(text);
  // ssh names its user there (`ssh://git@…`); anything else would be a login, which belongs in no log.
  return password === '' && (username === '' || protocol === 'ssh:');
}
