import { lookup } from 'node:dns/promises';
import http from 'node:http';
import net, { isIP, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { decode } from '../facts/goproxy-list.ts';
import { describeChain, readPems } from './certificates.ts';
import { type Budget, Overdue, STEP, within } from './deadline.ts';
import { egressFor } from './egress.ts';
import { type Failure, Unreached } from './failure.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly budget: Budget;
  /** Authorities that go would ask; `files` is empty where the system verifies for it. */
  readonly trusted: { readonly files: readonly string[]; readonly context: () => tls.SecureContext };
  /** Files of authorities that other programs know. */
  readonly others: readonly string[];
}

export interface Dialed {
  readonly socket: Socket;
  /** The request names the whole URL: it goes to a proxy, in the clear. */
  readonly absolute: boolean;
  /** For that proxy: its own credentials. */
  readonly headers: Readonly<Record<string, string>>;
  readonly egress: string | undefined;
}

/**
 * Connects as go would, a step at a time, so that it can be said which of them failed.
 *
 * @throws Unreached
 */
export async function dial(url: URL, around: Surroundings): Promise<Dialed> {
  const egress = egressFor(url, around.env);
  const isHttps = url.protocol === 'https:';
  if (egress.kind === 'bad')
    throw new Unreached({
      stage: 'egress',
      code: 'BAD_PROXY',
      detail: 'it is no URL of a proxy',
      egress: egress.variable,
    });
  const variable = egress.kind === 'proxy' ? egress.variable : undefined;
  const first = egress.kind === 'proxy' ? egress.url : url;
  if (first.protocol.startsWith('socks'))
    throw new Unreached({
      stage: 'egress',
      code: 'NOT_TRIED',
      detail: 'SOCKS is left to go',
      egress: variable,
    });
  let socket = await connect(first, around.budget, variable);
  try {
    if (egress.kind !== 'proxy') {
      return {
        socket: isHttps ? await secure(socket, url, around, undefined) : socket,
        absolute: false,
        headers: {},
        egress: variable,
      };
    }
    if (first.protocol === 'https:') socket = await secure(socket, first, around, variable);
    if (!isHttps) return { socket, absolute: true, headers: proxyHeaders(egress.url), egress: variable };
    socket = await tunnel(socket, egress.url, url, around.budget, egress.variable);
    return {
      socket: await secure(socket, url, around, undefined),
      absolute: false,
      headers: {},
      egress: variable,
    };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function portOf(url: URL): number {
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80));
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

async function connect(url: URL, budget: Budget, egress: string | undefined): Promise<Socket> {
  const host = bareHost(url);
  let address = host;
  if (isIP(host) === 0) {
    try {
      ({ address } = await within(budget.left(STEP.dns), lookup(host)));
    } catch (error) {
      throw unreached('dns', error, egress, host);
    }
  }
  const socket = net.connect({ host: address, port: portOf(url) });
  // Whoever waits is told by his own listener; an error after that is nobody's.
  socket.on('error', () => {});
  try {
    await within(budget.left(STEP.connect), once(socket, 'connect'), () => socket.destroy());
    return socket;
  } catch (error) {
    socket.destroy();
    throw unreached('connect', error, egress, `${address}:${portOf(url)}`);
  }
}

function proxyHeaders({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const both = `${decode(username)}:${decode(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(both).toString('base64')}` };
}

/** CONNECT (RFC 9110, section 9.3.6), with the proxy's own credentials. */
async function tunnel(socket: Socket, proxy: URL, url: URL, budget: Budget, egress: string): Promise<Socket> {
  const target = `${url.hostname}:${portOf(url)}`;
  const headers = { host: target, ...proxyHeaders(proxy) };
  const request = http.request({
    method: 'CONNECT',
    path: target,
    headers,
    createConnection: () => socket,
  });
  const connected = new Promise<Socket>((resolve, reject) => {
    request.on('connect', (response, tunneled: Socket) => {
      if (response.statusCode === 200) resolve(tunneled);
      else
        reject(
          new Unreached({
            stage: 'egress',
            code: `HTTP ${response.statusCode}`,
            detail: `it refused to connect to ${target}`,
            egress,
          }),
        );
    });
    request.on('response', (response) =>
      reject(
        new Unreached({
          stage: 'egress',
          code: `HTTP ${response.statusCode}`,
          detail: 'it is no proxy',
          egress,
        }),
      ),
    );
    request.on('error', reject);
  });
  request.end();
  try {
    return await within(budget.left(STEP.connect), connected, () => request.destroy());
  } catch (error) {
    throw error instanceof Unreached ? error : unreached('egress', error, egress, target);
  }
}

/** TLS with the authorities that go would ask, on this socket. */
async function secure(
  socket: Socket,
  url: URL,
  around: Surroundings,
  egress: string | undefined,
): Promise<tls.TLSSocket> {
  const host = bareHost(url);
  const secured = tls.connect({
    socket,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    secureContext: around.trusted.context(),
    // Looked at below: what is wrong is to be described.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ALPNProtocols: ['http/1.1'],
  });
  secured.on('error', () => {});
  try {
    await within(around.budget.left(STEP.tls), once(secured, 'secureConnect'), () => secured.destroy());
  } catch (error) {
    secured.destroy();
    throw unreached('tls', error, egress, host);
  }
  const code = refusalOf(secured, host);
  if (code === undefined) return secured;
  const trouble = describeChain(secured, code, {
    trusted: around.trusted.files,
    others: around.others,
  });
  secured.destroy();
  throw new Unreached({ stage: 'tls', code, detail: host, egress, tls: trouble });
}

function refusalOf(secured: tls.TLSSocket, host: string): string | undefined {
  if (!secured.authorized) return String(secured.authorizationError);
  const error = tls.checkServerIdentity(host, secured.getPeerCertificate());
  return error === undefined ? undefined : 'ERR_TLS_CERT_ALTNAME_INVALID';
}

/**
 * What TLS is verified with, made once and when it is needed: reading some hundred authorities takes longer than a connection.
 *
 * @param files undefined: the system verifies for go. Its authorities are read by the Node releases that can; others have those
 * that Node brings along.
 */
export function trustContext(files: readonly string[] | undefined): () => tls.SecureContext {
  let made: tls.SecureContext | undefined;
  return () => {
    if (made !== undefined) return made;
    const { getCACertificates } = tls as { getCACertificates?: (kind: string) => string[] };
    const ca = files === undefined ? getCACertificates?.('system') : [...new Set(readPems(files))];
    made = tls.createSecureContext(ca === undefined ? {} : { ca });
    return made;
  };
}

function once(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  });
}

export function unreached(
  stage: Failure['stage'],
  error: unknown,
  egress: string | undefined,
  detail: string,
): Unreached {
  if (error instanceof Unreached) return error;
  if (error instanceof Overdue)
    return new Unreached({ stage, code: 'TIMEOUT', detail: `${detail}: ${error.message}`, egress });
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'FAILED';
  return new Unreached({ stage, code, detail, egress });
}
