import { GokeepError } from '../errors.ts';

/** Says that a zip, or what it is made from, could not be written to disk. */
export function storageError(subject: string, cause: unknown): GokeepError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new GokeepError('storage_full', `The disk is full, so the zip of ${subject} could not be written.`, {
        cause,
      })
    : new GokeepError('storage_failed', `The zip of ${subject} could not be written.`, { cause });
}
