import type { SourceFile } from './syntax.ts';

/** Import paths by the names that files use them by; those that files do not agree on are left out. */
export function importsOf(files: readonly SourceFile[]): Record<string, string> {
  const found = new Map<string, string>();
  for (const { imports } of files)
    for (const { name, path } of imports) {
      if (name === '.' || name === '_') continue;
      const used = name ?? assumedName(path);
      const before = found.get(used);
      found.set(used, before === undefined || before === path ? path : '');
    }
  return Object.fromEntries([...found].filter(([, path]) => path !== ''));
}

/** go/doc, assumedPackageName. */
function assumedName(path: string): string {
  const elements = path.split('/');
  let last = elements.at(-1) ?? '';
  if (/^v[0-9]+$/.test(last) && elements.length > 1) last = elements.at(-2) ?? '';
  return /^[\p{L}\p{Nd}_]*/u.exec(last.replace(/^go-/, ''))?.[0] ?? '';
}
