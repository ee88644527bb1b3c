import { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';
import { formatModuleRequest, parseModuleRequest } from '../module/request-path.ts';
import { checkModuleVersion, isCanonicalVersion } from '../module/version.ts';
import { findDirectory, readDirectory } from './directory.ts';
import { badZip, type ZipSource } from './zip-source.ts';

/**
 * The module version that a zip says it is of, by the `<module>@<version>/` with which the first name in it begins. It is held to
 * the rules of an address: it becomes file names, too. That all names begin so is for {@link verifyModuleZip} to see.
 *
 * @throws bad_zip, bad_path, bad_version; whatever reading the source throws
 */
export async function namedVersion(source: ZipSource): Promise<{ path: string; version: string }> {
  const name = await firstName(source);
  const [, path, version] = /^([^@]+)@([^/@]+)\//.exec(name ?? '') ?? [];
  if (path === undefined || version === undefined)
    throw badZip(
      name === undefined
        ? 'it is empty'
        : `its first file is ${quote(name)}, which does not begin with <module>@<version>/`,
    );
  checkModuleVersion(path, version);
  if (!isCanonicalVersion(path, version))
    throw new GokeepError('bad_version', `Version ${quote(version)} of ${path} is not in canonical form.`);
  // How long its parts may be, too.
  parseModuleRequest(formatModuleRequest({ kind: 'zip', path, version }));
  return { path, version };
}

async function firstName(source: ZipSource): Promise<string | undefined> {
  for await (const { name } of readDirectory(source, await findDirectory(source))) return name;
  return undefined;
}
