import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type http from 'node:http';
import http2 from 'node:http2';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createListener } from '../../src/http/listener.ts';
import { makeTestCa } from '../upstream/test-ca.ts';
import { needs } from '../world/programs.ts';

/** go keeps idle connections for 90 s. */
const LIMITS = {
  keepAliveTimeout: 120_000,
  headersTimeout: 30_000,
  // A bundle may take as long as it does; only its own route reads a body.
  requestTimeout: 0,
  maxConnections: 7,
};

describe('plain HTTP', () => {
  it('has a limit for a slow head, outlives the idle connections of go, and bounds their number', async () => {
    const server = createListener({ tls: undefined, maxConnections: 7, drain: 1 }, () => undefined);
    expect(server).toMatchObject({ ...LIMITS, maxHeadersCount: 0 });
  });

  it('a head that trickles in is cut off once its time is over (slowloris)', async () => {
    const server = createListener({ tls: undefined, maxConnections: 7, drain: 1 }, (_request, response) => {
      response.end();
    }) as http.Server;
    // The limits are looked at every 5 s; only the time itself is shortened here.
    server.headersTimeout = 500;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.write('GET / HTTP/1.1\r\n');
      const trickle = setInterval(() => socket.write('a: b\r\n'), 200);
      socket.on('error', () => undefined);
      await new Promise((resolve) => {
        socket.on('close', resolve);
      });
      clearInterval(trickle);
      expect(answer).toContain('408 Request Timeout');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe.skipIf(!needs('openssl'))('TLS (needs openssl)', () => {
  it('has the same limits for HTTP/1.1, and ends an HTTP/2 session that idles without a stream', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-listener-'));
    const { ca, cert, key } = makeTestCa();
    const tls = { cert: path.join(directory, 'a.pem'), key: path.join(directory, 'a.key') };
    await writeFile(tls.cert, cert);
    await writeFile(tls.key, key);
    const held: http.ServerResponse[] = [];
    const server = createListener({ tls, maxConnections: 7, drain: 1 }, (_request, response) => {
      held.push(response);
    }) as http2.Http2SecureServer;
    await rm(directory, { recursive: true });
    expect(server).toMatchObject({ ...LIMITS, maxHeadersCount: 0 });

    let session: http2.ServerHttp2Session | undefined;
    server.on('session', (opened) => (session = opened));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = http2.connect(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, { ca });
    try {
      const stream = client.request({ ':path': '/' });
      stream.resume();
      await expect.poll(() => held.length).toBe(1);
      // What node emits after KEEP_ALIVE_MS without activity.
      session?.emit('timeout');
      expect(session?.closed).toBe(false);
      held[0]?.end('done');
      await new Promise((resolve) => {
        stream.once('close', resolve);
      });
      await expect.poll(() => (session?.emit('timeout'), session?.closed)).toBe(true);
      await expect.poll(() => client.closed || client.destroyed).toBe(true);
    } finally {
      client.destroy();
      server.close();
    }
  });
});
