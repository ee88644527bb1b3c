import { lstatSync } from 'node:fs';
import path from 'node:path';
import { GokeepError } from '../errors.ts';

/**
 * A file below a directory that somebody else filled: a plain one, and reached through plain directories alone, so that no
 * link leads out of it and no device or pipe keeps us. Throws bad_bundle.
 *
 * @param shown what to call the file in a sentence
 */
export function plainFileIn(directory: string, name: string, shown = name): { file: string; size: number } {
  const parts = name.split('/');
  let file = directory;
  for (const [at, part] of parts.entries()) {
    file = path.join(file, part);
    const stat = readable(shown, () => lstatSync(file, { throwIfNoEntry: false }));
    if (stat === undefined) throw new GokeepError('bad_bundle', `${shown}: is missing`);
    if (at === parts.length - 1 && stat.isFile()) return { file, size: stat.size };
    if (at === parts.length - 1) throw new GokeepError('bad_bundle', `${shown}: is no plain file`);
    if (!stat.isDirectory())
      throw new GokeepError(
        'bad_bundle',
        `${shown}: lies behind ${parts.slice(0, at + 1).join('/')}, which is no plain directory`,
      );
  }
  throw new GokeepError('bad_bundle', `${shown}: is no plain file`);
}

/** What a disk says, or bad_bundle where it does not let us read. */
export function readable<T>(shown: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw cannotBeRead(shown, error);
  }
}

export function cannotBeRead(shown: string, cause: unknown): GokeepError {
  return new GokeepError('bad_bundle', `${shown}: cannot be read; see to its permissions`, { cause });
}
