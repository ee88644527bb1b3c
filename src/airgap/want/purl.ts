/** Package URLs of Go modules (github.com/package-url/purl-spec): `pkg:golang/<namespace>/<name>@<version>?…#…`. */

export interface GoPurl {
  /** The module path, which some tools write in lower case whatever it is. */
  readonly path: string;
  readonly version: string | undefined;
  /** `module`, `package` or what else it says it is. */
  readonly type: string | undefined;
}

/** Longer than any path and version that are fetched. In characters. */
const MAX_PURL = 4096;

/** Reads a purl. Undefined for one that is not of Go, or malformed. */
export function parseGoPurl(text: string): GoPurl | undefined {
  const match = /^pkg:\/*golang\/([^?#]+)(?:\?([^#]*))?(?:#.*)?$/is.exec(text);
  if (match?.[1] === undefined || text.length > MAX_PURL) return undefined;
  // The version begins at the last @; one in the name itself is percent-encoded.
  const at = match[1].lastIndexOf('@');
  const name = at < 0 ? match[1] : match[1].slice(0, at);
  try {
    const path = decodeURIComponent(name).replace(/^\/+|\/+$/g, '');
    const version = at < 0 ? undefined : decodeURIComponent(match[1].slice(at + 1));
    // Not decoded as a form: a plus sign in a version is itself.
    const type = match[2]?.split('&').find((qualifier) => qualifier.toLowerCase().startsWith('type='));
    return { path, version: version === '' ? undefined : version, type: type?.slice('type='.length) };
  } catch {
    return undefined;
  }
}
