import { unescapeVersion } from '../module/escape.ts';
import { compare, prerelease } from '../module/semver.ts';
import { isPseudoVersion } from '../module/version.ts';
import type { ModuleStore } from '../store/module-store.ts';
import { formatBundlePath } from './bundle-path.ts';
import type { Composition } from './composition.ts';

/** Toolchains are zips that the go command asks for alone. */
export const TOOLCHAIN = 'golang.org/toolchain';

/**
 * `list` and `@latest` of every module of which a bundle has a zip: what it and those before it hold, for who unpacks one
 * over the other.
 */
export async function* listFiles(
  taken: readonly { readonly path: string; readonly version: string; readonly zip: boolean }[],
  composition: Composition,
  store: ModuleStore,
): AsyncGenerator<{ name: string; body: Buffer }> {
  const versions = new Map<string, Set<string>>();
  for (const { path, version, zip } of taken) {
    if (!zip || path === TOOLCHAIN) continue;
    const known = versions.get(path) ?? new Set(earlierVersions(path, composition));
    versions.set(path, known.add(version));
  }
  for (const [path, set] of versions) {
    const all = [...set].sort(compare);
    const listed = all.filter((version) => !isPseudoVersion(version));
    const list = Buffer.from(listed.map((version) => `${version}\n`).join(''));
    yield { name: formatBundlePath({ kind: 'list', path }), body: list };
    const newest =
      listed.findLast((version) => prerelease(version) === '') ?? listed.at(-1) ?? all.at(-1) ?? '';
    const info = (await store.read('info', path, newest)) ?? Buffer.from(JSON.stringify({ Version: newest }));
    yield { name: formatBundlePath({ kind: 'latest', path }), body: info };
  }
}

function earlierVersions(path: string, composition: Composition): string[] {
  const prefix = formatBundlePath({ kind: 'list', path }).slice(0, -'list'.length);
  return composition.basePaths(prefix).flatMap((name) => {
    const escaped = /^(.+)\.zip$/.exec(name.slice(prefix.length))?.[1];
    return escaped === undefined ? [] : [unescapeVersion(escaped)];
  });
}
