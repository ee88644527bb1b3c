import path from 'node:path';

/**
 * The URL of a module that runs in a thread of its own: `./log-thread` beside the caller. The compiler rewrites the
 * ending of an import, but not that of a URL, and a package holds `.js` where a checkout holds `.ts`.
 *
 * @param beside the caller's `import.meta.url`
 */
export function threadEntry(name: string, beside: string): URL {
  return new URL(`${name}${path.extname(beside)}`, beside);
}
