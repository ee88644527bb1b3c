import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { RequestListener } from 'node:http';
import http2 from 'node:http2';
import type { SecureServerOptions } from 'node:http2';
import { Socket } from 'node:net';

/** Paths of PEM files, read anew on reload. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Authorities of client certificates; without them no client is asked for one. */
  readonly clientCa?: string | undefined;
}

export interface ListenOptions {
  /** Undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined;
  readonly maxConnections: number;
  /** Milliseconds that requests under way may take to end once the server is being closed. */
  readonly drain: number;
  /** Milliseconds after which a client that takes nothing of what waits for it has gone; two minutes when not given. */
  readonly stalledAfter?: number | undefined;
}

/** True while a request of this HTTP/1 connection waits for its answer from us. */
export type AwaitsUs = (socket: Socket) => boolean;

/**
 * Idle connections outlive the 90 s that `go` keeps them: were we to close first, a request could cross the close.
 * A head has to be there within 30 s, and is small.
 */
const KEEP_ALIVE_MS = 120_000;
const HEAD_MS = 30_000;
const STALLED_MS = 120_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MIN_TLS = 'TLSv1.2';
/** Node drops headers beyond its count without a word, so only their bytes are limited. */
const NO_SILENT_LOSS = 0;
/** A body may take as long as a bundle does: who takes one watches it, and everybody else refuses it unread. */
const NO_LIMIT = 0;
/** How often connections that fell idle are closed while the server drains. */
const DRAIN_POLL_MS = 100;

/** The socket server: HTTP/1.1, or with TLS HTTP/2 and HTTP/1.1 side by side. */
export function createListener(
  o: ListenOptions,
  handler: RequestListener,
  awaitsUs: AwaitsUs = () => false,
): http.Server | http2.Http2SecureServer {
  const stalledAfter = o.stalledAfter ?? STALLED_MS;
  if (o.tls === undefined) {
    const server = http.createServer(
      {
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: HEAD_MS,
        requestTimeout: NO_LIMIT,
        connectionsCheckingInterval: 5_000,
        maxHeaderSize: MAX_HEADER_BYTES,
        requireHostHeader: true,
      },
      handler,
    );
    server.maxHeadersCount = NO_SILENT_LOSS;
    server.maxConnections = o.maxConnections;
    endWhenStalled(server, stalledAfter, awaitsUs);
    return server;
  }
  const options: SecureServerOptions = {
    ...readFiles(o.tls),
    allowHTTP1: true,
    // Whose certificate is not good, or who has none, may have a token.
    requestCert: o.tls.clientCa !== undefined,
    rejectUnauthorized: false,
    minVersion: MIN_TLS,
    settings: { maxConcurrentStreams: 250, maxHeaderListSize: MAX_HEADER_BYTES },
  };
  const server = http2.createSecureServer(options, handler as never);
  // HTTP/1.1 on this server knows these as properties only; without them node's own, shorter ones hold.
  Object.assign(server, {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEAD_MS,
    requestTimeout: NO_LIMIT,
    maxHeadersCount: NO_SILENT_LOSS,
  });
  server.maxConnections = o.maxConnections;
  server.on('sessionError', () => undefined);
  endWhenStalled(server, stalledAfter, awaitsUs);
  // A session does not give its socket away; node makes it while it handles this very event.
  let accepted: Socket | undefined;
  server.prependListener('secureConnection', (socket) => (accepted = socket));
  server.on('session', (session) => {
    if (accepted !== undefined) endWhenIdle(session, accepted, stalledAfter);
  });
  return server;
}

/**
 * Ends HTTP/1 connections that nothing moves on. Node's timer counts reads, writes and what the kernel takes of a write
 * under way as movement, so a slow client is no stalled one; it runs on idle connections too, with their own time.
 */
function endWhenStalled(
  server: http.Server | http2.Http2SecureServer,
  stalledAfter: number,
  awaitsUs: AwaitsUs,
): void {
  Object.assign(server, { timeout: stalledAfter });
  server.on('timeout', (of: unknown) => {
    if (of instanceof Socket && (of.writableLength > 0 || !awaitsUs(of))) of.destroy();
  });
}

/**
 * HTTP/2 has no limits of its own: a session without a stream ends as an HTTP/1.1 connection does, and so does a stream
 * whose window stays shut.
 */
function endWhenIdle(session: http2.ServerHttp2Session, socket: Socket, stalledAfter: number): void {
  let streams = 0;
  session.on('stream', (stream) => {
    streams++;
    stream.setTimeout(stalledAfter, () => {
      if (stream.bufferSize === 0) return;
      stream.close(http2.constants.NGHTTP2_CANCEL);
      stream.destroy();
    });
    stream.once('close', () => {
      streams--;
    });
  });
  session.setTimeout(KEEP_ALIVE_MS);
  session.on('timeout', () => {
    if (streams > 0) return;
    session.close();
    // Node's close and destroy both wait for the other side to take what was written, for ever if need be.
    setTimeout(() => socket.destroy(), stalledAfter).unref();
  });
}

/**
 * From now on connections are closed as they fall idle, until the server is, and after `drain` whatever is left.
 * `open` are the sockets of all connections.
 */
export function closeWhenIdle(server: http.Server, open: ReadonlySet<Socket>, drain: number): void {
  const poll = setInterval(() => server.closeIdleConnections(), DRAIN_POLL_MS);
  const deadline = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, drain);
  server.once('close', () => {
    clearInterval(poll);
    clearTimeout(deadline);
  });
}

function readFiles({ cert, key, clientCa }: TlsFiles): { cert: Buffer; key: Buffer; ca?: Buffer } {
  const pair = { cert: readFileSync(cert), key: readFileSync(key) };
  return clientCa === undefined ? pair : { ...pair, ca: readFileSync(clientCa) };
}

/**
 * Has a TLS server use the files as they are now, for new connections. A pair that does not load leaves the old one in
 * use: throws what node:tls throws.
 */
export function reloadCertificate(server: unknown, tls: TlsFiles): void {
  (server as http2.Http2SecureServer).setSecureContext({ ...readFiles(tls), minVersion: MIN_TLS });
}
