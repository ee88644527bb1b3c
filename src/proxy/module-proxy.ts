import { checkModuleVersion } from '../module/version.ts';
import { isCanonicalRequest, type ModuleRequest } from '../module/request-path.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { Answer } from './answer.ts';
import type { FindOptions, ModuleFiles } from './module-files.ts';
import type { Prefetch } from './prefetch.ts';
import type { HostedAnswers } from './hosted-answers.ts';

/**
 * The module proxy: finds the answer to one request, in the store or by admission. What happens on a miss is in
 * {@link ModuleFiles}; what may change is in {@link HostedAnswers} and, below that, in Refreshable.
 */
export class ModuleProxy {
  readonly #files: ModuleFiles;
  readonly #refreshable: Pick<HostedAnswers, 'find'>;
  readonly #prefetch: Prefetch;

  constructor(files: ModuleFiles, refreshable: Pick<HostedAnswers, 'find'>, prefetch: Prefetch) {
    this.#files = files;
    this.#refreshable = refreshable;
    this.#prefetch = prefetch;
  }

  /** Throws GokeepError with the code that says why there is no answer. */
  async find(request: ModuleRequest, o: FindOptions): Promise<Answer> {
    switch (request.kind) {
      case 'list':
      case 'latest':
        return this.#refreshable.find(request, o);
      case 'info':
        return isCanonicalRequest(request)
          ? this.#files.info(request.path, request.version, o)
          : this.#refreshable.find(request, o);
      case 'mod':
        return this.#mod(request.path, request.version, o);
      case 'zip':
        return this.#files.zip(request.path, request.version, o);
    }
  }

  /** The record of a module version for a lookup in our own database. */
  record(path: string, version: string, o: FindOptions): Promise<LoggedRecord> {
    checkModuleVersion(path, version);
    return this.#files.record(path, version, o);
  }

  async #mod(path: string, version: string, o: FindOptions): Promise<Answer> {
    const answer = await this.#files.mod(path, version, o);
    if (answer.kind === 'bytes' && answer.origin === 'upstream') this.#prefetch.follow(path, answer.body);
    return answer;
  }
}
