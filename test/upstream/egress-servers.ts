import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** What an egress proxy was asked for: `CONNECT host:port`, `GET http://…` or `socks5 host:port`. */
export interface EgressServer extends AsyncDisposable {
  readonly port: number;
  readonly asked: string[];
  /** `Proxy-Authorization`, or `user:password` of SOCKS5, of each request that had one. */
  readonly credentials: string[];
}

/** Every name leads to loopback: what a client cannot resolve, its proxy can. */
function dial(port: number, client: Socket, ready: (server: Socket) => void, failed: () => void): void {
  const server = connect(port, '127.0.0.1', () => ready(server));
  server.on('error', () => (client.destroyed ? undefined : failed()));
  client.on('close', () => server.destroy());
}

/** An HTTP proxy: CONNECT, and absolute-form GET. Refuses CONNECT to port 1 with 403. */
export async function startHttpProxy(): Promise<EgressServer> {
  const asked: string[] = [];
  const credentials: string[] = [];
  const server = createServer((client) => {
    client.on('error', () => {});
    let received = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      client.off('data', onData);
      const head = received.subarray(0, end).toString('latin1');
      const [method = '', target = ''] = head.split(' ');
      asked.push(`${method} ${target}`);
      const authorization = /^proxy-authorization: *(.*)$/im.exec(head)?.[1];
      if (authorization !== undefined) credentials.push(authorization.trim());
      if (method === 'CONNECT') tunnel(client, Number(target.split(':').at(-1)));
      else forward(client, new URL(target), head);
    };
    client.on('data', onData);
  });
  return await started(server, asked, credentials);
}

function tunnel(client: Socket, port: number): void {
  if (port === 1) {
    client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
    return;
  }
  dial(
    port,
    client,
    (server) => {
      client.write('HTTP/1.1 200 Connected\r\n\r\n');
      client.pipe(server).pipe(client);
    },
    () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'),
  );
}

function forward(client: Socket, url: URL, head: string): void {
  dial(
    Number(url.port),
    client,
    (server) => {
      server.write(`${head.replace(/^(\S+) \S+/, `$1 ${url.pathname}`)}\r\n\r\n`);
      server.pipe(client);
    },
    () => client.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'),
  );
}

/** A SOCKS5 proxy (RFC 1928, 1929). Wants user name and password when `auth` is given. Refuses port 1. */
export async function startSocks5Proxy(auth?: string): Promise<EgressServer> {
  const asked: string[] = [];
  const credentials: string[] = [];
  const server = createServer((client) => {
    client.on('error', () => {});
    let stage: 'greeting' | 'auth' | 'request' = 'greeting';
    const onData = (chunk: Buffer): void => {
      if (stage === 'greeting') {
        stage = auth === undefined ? 'request' : 'auth';
        client.write(Buffer.from([5, auth === undefined ? 0 : 2]));
      } else if (stage === 'auth') {
        const userLength = chunk[1] ?? 0;
        const user = chunk.subarray(2, 2 + userLength).toString();
        const password = chunk.subarray(3 + userLength).toString();
        credentials.push(`${user}:${password}`);
        stage = 'request';
        client.write(Buffer.from([1, `${user}:${password}` === auth ? 0 : 1]));
      } else {
        client.off('data', onData);
        const { host, port } = socksTarget(chunk);
        asked.push(`socks5 ${host}:${port}`);
        const reply = (code: number): Buffer => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
        if (port === 1) client.end(reply(2));
        else {
          dial(
            port,
            client,
            (target) => {
              client.write(reply(0));
              client.pipe(target).pipe(client);
            },
            () => client.end(reply(5)),
          );
        }
      }
    };
    client.on('data', onData);
  });
  return await started(server, asked, credentials);
}

function socksTarget(request: Buffer): { host: string; port: number } {
  const isName = request[3] === 3;
  const length = isName ? (request[4] ?? 0) : 4;
  const start = isName ? 5 : 4;
  const bytes = request.subarray(start, start + length);
  return {
    host: isName ? bytes.toString() : [...bytes].join('.'),
    port: request.readUInt16BE(start + length),
  };
}

async function started(server: Server, asked: string[], credentials: string[]): Promise<EgressServer> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    credentials,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
