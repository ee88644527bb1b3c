/**
 * Which files of a `vendor` directory stay out of a module zip (isVendoredPackage of golang.org/x/mod/zip).
 *
 * Up to Go 1.23 the rule had two faults: `vendor/modules.txt` went in, and below the root the part behind
 * `/vendor/` was sought at the wrong place. Hashes of published versions depend on both, so the `go` line of
 * the module's go.mod decides which rule holds.
 */

import { compareGoVersion } from '../modfile/go-version.ts';

/**
 * True for a file that stays out.
 *
 * @param path relative to the module's root, with slashes
 * @param go the version in the `go` line of the module's go.mod, if there is one
 */
export function isVendored(path: string, go: string | undefined): boolean {
  const isFixed = go !== undefined && compareGoVersion(go, '1.24') >= 0;
  if (isFixed && path === 'vendor/modules.txt') return true;
  const prefix = 'vendor/';
  if (path.startsWith(prefix)) return path.includes('/', prefix.length);
  const inner = path.indexOf('/vendor/');
  if (inner < 0) return false;
  // Before, the length of `/vendor/` was skipped from the beginning of the path, wherever it stood in it.
  return path.includes('/', isFixed ? inner + '/vendor/'.length : '/vendor/'.length);
}
