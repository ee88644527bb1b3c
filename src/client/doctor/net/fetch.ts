import http, { type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { withoutSecrets } from '../facts/goproxy-list.ts';
import { STEP, within } from './deadline.ts';
import { dial, type Surroundings, unreached } from './dial.ts';
import { Unreached } from './failure.ts';

export interface Fetched {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** Where it came from in the end. */
  readonly url: string;
}

export interface FetchOptions {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of the answer that are read; one that is longer is none. */
  readonly most?: number;
}

/** What net/http follows. */
const MOST_REDIRECTS = 10;
const MOST = 1_100_000;

/**
 * One request as go would send it, on a connection of its own. Credentials go to the first address alone, and never over
 * plain http; answers are attacker-controlled, so that their length, their number and their time are bounded.
 *
 * @throws Unreached
 */
export async function fetchLikeGo(url: URL, around: Surroundings, o: FetchOptions = {}): Promise<Fetched> {
  let at = url;
  for (let followed = 0; followed <= MOST_REDIRECTS; followed++) {
    const mayHave = at.protocol === 'https:' && at.host === url.host;
    const { authorization: _, ...bare } = o.headers ?? {};
    const answer = await fetchOnce(at, around, { ...o, headers: mayHave ? (o.headers ?? {}) : bare });
    const { location } = answer.headers;
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
    if (!URL.canParse(location, at)) return answer;
    at = new URL(location, at);
    if (at.protocol !== 'https:' && at.protocol !== 'http:') return answer;
  }
  throw new Unreached({
    stage: 'answer',
    code: 'REDIRECTS',
    detail: `it redirected more than ${MOST_REDIRECTS} times`,
    egress: undefined,
  });
}

async function fetchOnce(url: URL, around: Surroundings, o: FetchOptions): Promise<Fetched> {
  const { socket, absolute, headers, egress } = await dial(url, around);
  try {
    const answer = send(socket, url, absolute, { ...o, headers: { ...headers, ...o.headers } });
    return await within(around.budget.left(STEP.answer), answer, () => socket.destroy());
  } catch (error) {
    throw unreached('answer', error, egress, withoutSecrets(url));
  } finally {
    socket.destroy();
  }
}

function send(socket: Socket, url: URL, absolute: boolean, o: FetchOptions): Promise<Fetched> {
  const target = `${url.pathname}${url.search}`;
  const request = http.request({
    method: o.method ?? 'GET',
    path: absolute ? `${url.protocol}//${url.host}${target}` : target,
    headers: { host: url.host, 'user-agent': 'gokeep-doctor', connection: 'close', ...o.headers },
    createConnection: () => socket,
  });
  return new Promise((resolve, reject) => {
    request.on('error', (error) =>
      reject(
        'code' in error && String(error.code).startsWith('HPE_')
          ? Object.assign(new Error('not HTTP'), { code: 'NOT_HTTP' })
          : error,
      ),
    );
    request.on('response', (response) => {
      readBody(response, o.most ?? MOST).then(
        (body) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            url: withoutSecrets(url),
          }),
        reject,
      );
    });
    request.end();
  });
}

async function readBody(response: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) {
      response.destroy();
      throw new Unreached({
        stage: 'answer',
        code: 'TOO_LARGE',
        detail: `more than ${most} bytes`,
        egress: undefined,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
