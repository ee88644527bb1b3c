import { GokeepError } from '../errors.ts';
import { parseModFile } from '../modfile/mod-file.ts';
import { formatModuleRequest } from '../module/request-path.ts';
import { compare, prerelease } from '../module/semver.ts';
import type { KeptModules } from './kept.ts';
import type { OwnServer } from './own-server.ts';
import { isResolvedFromList } from './want/module-query.ts';
import type { ModuleAnswers } from './want/wanted.ts';

/** Answers from what is held, or from our own server, resolving `latest`, `v1` and the like from lists as the go command does (modload.Query). */
export function serverAnswers(server: OwnServer, kept: KeptModules): ModuleAnswers {
  const mod = async (path: string, version: string) =>
    (await kept.read('mod', path, version)) ??
    server.get(formatModuleRequest({ kind: 'mod', path, version }));
  const versionIn = (path: string, info: Buffer): string => {
    const { Version: version } = JSON.parse(info.toString()) as { Version?: unknown };
    if (typeof version === 'string') return version;
    throw new GokeepError('upstream_failed', `${path}: upstream names no version`);
  };
  return {
    mod,
    resolve: async (path, query) => {
      if (!isResolvedFromList(query))
        return versionIn(path, await server.get(formatModuleRequest({ kind: 'info', path, version: query })));
      const list = (await server.get(formatModuleRequest({ kind: 'list', path }))).toString().split('\n');
      const versions = list.filter((version) => version !== '').sort(compare);
      const newest = versions.at(-1);
      const retracted =
        newest === undefined ? [] : parseModFile(await mod(path, newest), { lax: true }).retract;
      const fitting = versions.filter(
        (version) =>
          (query === 'latest' || version === query || version.startsWith(`${query}.`)) &&
          !retracted.some(({ low, high }) => compare(low, version) <= 0 && compare(version, high) <= 0),
      );
      const chosen = fitting.findLast((version) => prerelease(version) === '') ?? fitting.at(-1);
      if (chosen !== undefined) return chosen;
      if (query === 'latest')
        return versionIn(path, await server.get(formatModuleRequest({ kind: 'latest', path })));
      throw new GokeepError('not_found', `${path} has no version that matches ${query}`);
    },
  };
}
