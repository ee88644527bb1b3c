import { Agent, type Dispatcher } from 'undici';
import { GokeepError, type ErrorCode } from '../errors.ts';

const CODES: Readonly<Record<number, ErrorCode>> = {
  403: 'refused',
  404: 'not_found',
  410: 'gone',
  503: 'busy',
  504: 'upstream_timeout',
};
const MAX_BODY = 32 * 2 ** 20;

/**
 * The gokeep server that a bundle is made from, asked as any client asks: so what it does not hold yet is fetched,
 * verified, stored and logged the one way there is.
 */
export class OwnServer implements AsyncDisposable {
  readonly #base: () => Promise<string>;
  readonly #credentials: () => Readonly<Record<string, string>>;
  readonly #agent: Agent;

  /**
   * @param url of the server, on this machine; asked for when there is something to ask it
   * @param credentials headers that it wants to see; asked for after its url
   */
  constructor(url: () => Promise<string>, credentials: () => Readonly<Record<string, string>> = () => ({})) {
    this.#base = url;
    this.#credentials = credentials;
    // A server here may have a certificate for another name; all that comes from it is proven by the log's key, or read
    // from the store.
    this.#agent = new Agent({
      connections: 16,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_BODY,
      connect: { rejectUnauthorized: false },
    });
  }

  /** The body of a 200. Throws not_found, gone, refused, busy or upstream_failed with the server's own sentence. */
  async get(target: string, o: { cachedOnly?: boolean } = {}): Promise<Buffer> {
    const { body } = await this.#request('GET', target, o.cachedOnly === true);
    return Buffer.from(await body.arrayBuffer());
  }

  /** Has the server take something in, without sending it here. Throws as {@link get}. */
  async admit(target: string): Promise<void> {
    try {
      const { body } = await this.#request('HEAD', target, false);
      await body.dump();
    } catch (error) {
      // A HEAD has no body to say why: the same question again has.
      if (error instanceof GokeepError) await (await this.#request('GET', target, false)).body.dump();
      else throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #request(
    method: 'GET' | 'HEAD',
    target: string,
    cachedOnly: boolean,
  ): Promise<Dispatcher.ResponseData> {
    const origin = await this.#base();
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#agent.request({
        origin,
        path: target,
        method,
        headers: { ...this.#credentials(), ...(cachedOnly ? { 'disable-module-fetch': 'true' } : {}) },
      });
    } catch (error) {
      throw new GokeepError(
        'upstream_unreachable',
        `the gokeep server at ${origin} does not answer; see whether it runs`,
        { cause: error },
      );
    }
    if (answer.statusCode === 200) return answer;
    const text = method === 'HEAD' ? '' : (await answer.body.text()).replaceAll(/\s+/g, ' ').trim();
    if (method === 'HEAD') await answer.body.dump();
    throw new GokeepError(
      CODES[answer.statusCode] ?? 'upstream_failed',
      text === '' ? `the gokeep server answered ${answer.statusCode} to ${target}` : text,
    );
  }
}
