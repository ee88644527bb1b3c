import path from 'node:path';

/** The URI under which the front server has a stored file. */
export type HandOff = (file: string) => string;

/**
 * Hands files to an nginx in front (`X-Accel-Redirect`): it has an internal location that serves the same directory,
 * and sends the bytes that we found to be the right ones. Every client has to come through it, since whoever asks us
 * directly gets a head without a body.
 *
 * @param prefix the internal location, with slashes at both ends.
 * @param root the directory that it serves.
 */
export function handOffTo(prefix: string, root: string): HandOff {
  return (file) => prefix + path.relative(root, file).split(path.sep).map(encodeURIComponent).join('/');
}
