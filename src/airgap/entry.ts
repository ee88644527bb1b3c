import { GokeepError } from '../errors.ts';
import { compareBundlePaths } from './bundle-path.ts';

/**
 * One file of a bundle, as the list of files says: a line `<sha256> <size> <provenance> <path>`.
 *
 * Provenance says what vouches for the bytes. For a module's `.mod` and `.zip`: how the connected side came by the
 * record (proven, computed, tofu, seeded, imported, replicated, published); for a lookup or tile: `log`; `upstream` for what carries
 * no proof in Go's design; `signature` for one, which vouches for itself; `made` for what the bundle itself composes.
 */
export interface Entry {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
  readonly provenance: string;
}

const LINE = /^([0-9a-f]{64}) (0|[1-9][0-9]{0,14}) ([a-z]{1,20}) ([\x21-\x7e]{1,8192})$/;

/** Characters of the longest line, without its newline. */
export const MAX_LINE = 64 + 1 + 15 + 1 + 20 + 1 + 8192;

export function formatEntry({ path, size, sha256, provenance }: Entry): string {
  return `${sha256} ${size} ${provenance} ${path}\n`;
}

/** Reads one line, without its newline. Throws bad_bundle. */
export function parseEntry(line: string): Entry {
  const [, sha256, size, provenance, path] = LINE.exec(line) ?? [];
  if (sha256 === undefined || size === undefined || provenance === undefined || path === undefined)
    throw malformedLine();
  return { path, size: Number(size), sha256, provenance };
}

export function malformedLine(): GokeepError {
  return new GokeepError('bad_bundle', 'a line in the bundle’s list of files is malformed');
}

/** Throws bad_bundle unless `next` comes behind `before`: that no file is named twice follows. */
export function checkOrder(before: string, next: string): void {
  if (before !== '' && compareBundlePaths(before, next) >= 0)
    throw new GokeepError('bad_bundle', `the bundle’s list of files is not in order at ${next}`);
}
