import { formatModuleRequest } from '../../src/module/request-path.ts';
import { compare } from '../../src/module/semver.ts';
import { isPseudoVersion } from '../../src/module/version.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { GokeepError } from '../../src/errors.ts';
import { FakeDatabase } from '../upstream/fake-database.ts';
import { HostileUpstream, type Reply } from '../upstream/hostile-upstream.ts';
import { type MadeModule, makeModule, type ModuleSource } from './modules.ts';

/** Name of the checksum database that speaks for the world's public modules. */
export const WORLD_DATABASE = FakeDatabase.verifier.name;

/**
 * The outside world on loopback: one GOPROXY whose modules a test makes, and the checksum database that proves them,
 * at `<url>/sumdb/<name>`. Any target can be scripted to misbehave (`upstream.on`), or the whole of it to be away.
 */
export class UpstreamWorld implements AsyncDisposable {
  readonly upstream: HostileUpstream;
  readonly database = new FakeDatabase();
  readonly #modules = new Map<string, Map<string, MadeModule>>();

  constructor(upstream: HostileUpstream) {
    this.upstream = upstream;
    upstream.otherwise = (target) => this.#answer(target);
  }

  static async start(): Promise<UpstreamWorld> {
    return new UpstreamWorld(await HostileUpstream.start());
  }

  get url(): string {
    return this.upstream.url;
  }

  /** GOSUMDB syntax: the world's database and where it is. */
  get gosumdb(): string {
    return `${FakeDatabase.vkey} ${this.url}/sumdb/${WORLD_DATABASE}`;
  }

  /** GOSUMDB syntax: the world's database, reached through GOPROXY. */
  get vkey(): string {
    return FakeDatabase.vkey;
  }

  /** Targets asked of the GOPROXY, the database left out, `%21` and `!` alike. */
  get moduleTargets(): string[] {
    return this.upstream.targets.filter((target) => !target.startsWith('/sumdb/'));
  }

  /** Publishes a version; it is in the database too unless it is to be unknown there. */
  async publish(source: ModuleSource, o: { inDatabase?: boolean } = {}): Promise<MadeModule> {
    const made = await makeModule(source);
    this.serve(made);
    if (o.inDatabase !== false) {
      const { path, version, h1 } = made;
      this.database.add(path, version, formatGoSumRecord(path, version, h1.zip, h1.mod));
    }
    return made;
  }

  /** Serves these files from now on, whatever the database says. */
  serve(made: MadeModule): void {
    const versions = this.#modules.get(made.path) ?? new Map<string, MadeModule>();
    versions.set(made.version, made);
    this.#modules.set(made.path, versions);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.upstream[Symbol.asyncDispose]();
  }

  #answer(target: string): Reply | undefined {
    const database = `/sumdb/${WORLD_DATABASE}`;
    if (target.startsWith(`${database}/`)) return this.#answerDatabase(target.slice(database.length));
    const plain = target.replaceAll('%21', '!');
    for (const [path, versions] of this.#modules) {
      const list = [...versions.keys()].filter((version) => !isPseudoVersion(version)).sort(compare);
      if (plain === formatModuleRequest({ kind: 'list', path })) {
        return { fault: 'ok', body: list.map((version) => `${version}\n`).join('') };
      }
      const newest = versions.get(list.at(-1) ?? [...versions.keys()].at(-1) ?? '');
      if (plain === formatModuleRequest({ kind: 'latest', path }) && newest !== undefined) {
        return { fault: 'ok', body: newest.info, type: 'application/json' };
      }
      for (const [version, made] of versions) {
        for (const kind of ['info', 'mod', 'zip'] as const) {
          if (plain !== formatModuleRequest({ kind, path, version })) continue;
          return { fault: 'ok', body: made[kind], type: 'application/octet-stream' };
        }
      }
    }
    return undefined;
  }

  #answerDatabase(path: string): Reply | undefined {
    if (path === '/supported') return { fault: 'ok', body: '' };
    try {
      return { fault: 'ok', body: this.database.answer(path.replaceAll('%21', '!')) };
    } catch (error) {
      if (error instanceof GokeepError) return { fault: 'status', status: 404, body: `not found: ${path}\n` };
      throw error;
    }
  }
}
