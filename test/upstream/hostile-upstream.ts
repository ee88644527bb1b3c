import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { gzipSync } from 'node:zlib';

/** What one request is answered with. `body` defaults to `ok\n`, `type` to text/plain in UTF-8. */
export interface Reply {
  readonly fault: Fault;
  readonly status?: number;
  readonly body?: string | Buffer;
  readonly type?: string;
  readonly location?: string;
}

export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Behaviour = (socket: Socket, reply: Reply) => void;

const LAST_CHUNK = '0\r\n\r\n';

/** Every way in which an upstream can misbehave, and a few in which it does not. */
const BEHAVIOURS = {
  ok: (socket, reply) => void socket.write(message(reply)),
  status: (socket, reply) => void socket.write(message(reply)),
  untilClose: (socket, reply) =>
    void socket.end(Buffer.concat([head(reply, ['connection: close']), body(reply)])),
  html: (socket) =>
    void socket.write(
      message({ fault: 'html', type: 'text/html', body: '<!DOCTYPE html><title>Sign in</title>\n' }),
    ),
  empty: (socket, reply) => void socket.write(message({ ...reply, body: '' })),
  zeros: (socket, reply) => void socket.write(message({ ...reply, body: Buffer.alloc(4096) })),
  corrupt: (socket, reply) => {
    const bytes = Buffer.from(body(reply));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0x40;
    socket.write(message({ ...reply, body: bytes }));
  },
  wrongVersion: (socket) =>
    void socket.write(message({ fault: 'ok', body: '{"Version":"v9.9.9","Time":"2020-01-01T00:00:00Z"}' })),
  garbage: (socket) => void socket.end(Buffer.from('\u0016\u0003\u0001 this is no HTTP\r\n\r\n')),
  truncated: (socket, reply) =>
    void socket.end(
      Buffer.concat([head(reply, [`content-length: ${body(reply).length + 10}`]), body(reply)]),
    ),
  cutChunk: (socket, reply) =>
    void socket.end(Buffer.concat([head(reply, CHUNKED), Buffer.from('ff\r\n'), body(reply)])),
  longerThanDeclared: (socket, reply) => {
    const bytes = body(reply);
    socket.write(Buffer.concat([head(reply, [`content-length: ${bytes.length - 1}`]), bytes]));
  },
  twoLengths: (socket, reply) =>
    void socket.write(Buffer.concat([head(reply, ['content-length: 1', 'content-length: 3']), body(reply)])),
  lengthAndChunks: (socket, reply) =>
    void socket.write(
      Buffer.concat([
        head(reply, ['content-length: 3', ...CHUNKED]),
        Buffer.from(`3\r\nok\n\r\n${LAST_CHUNK}`),
      ]),
    ),
  slow: (socket, reply) => {
    socket.write(head(reply, ['content-length: 1000000']));
    let sent = 0;
    repeat(socket, 50, () => {
      socket.write(body(reply).subarray(sent, sent + 1));
      sent += 1;
    });
  },
  hangBeforeHead: () => {},
  halfHead: (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-le'),
  hangInBody: (socket, reply) =>
    void socket.write(Buffer.concat([head(reply, ['content-length: 1000000']), body(reply)])),
  reset: (socket) => void socket.resetAndDestroy(),
  resetInBody: (socket, reply) => {
    socket.write(Buffer.concat([head(reply, ['content-length: 1000000']), body(reply)]), () => {
      setTimeout(() => socket.resetAndDestroy(), 20);
    });
  },
  closeUnanswered: (socket) => void socket.end(),
  hugeHeaders: (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    repeat(socket, 1, () => socket.write(`x-${'a'.repeat(4000)}: b\r\n`));
  },
  earlyHints: (socket) =>
    repeat(socket, 5, () => socket.write('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n')),
  gzip: (socket, reply) => void socket.write(encoded({ ...reply, body: gzipSync(body(reply)) }, 'gzip')),
  gzipBomb: (socket, reply) => void socket.write(encoded({ ...reply, body: bomb() }, 'gzip')),
  stackedEncodings: (socket, reply) =>
    void socket.write(encoded({ ...reply, body: gzipSync(gzipSync(body(reply))) }, 'gzip, gzip')),
  unknownEncoding: (socket, reply) => void socket.write(encoded(reply, 'br')),
  twoResponses: (socket, reply) =>
    void socket.write(Buffer.concat([message(reply), message({ fault: 'ok', body: 'poison\n' })])),
  unsolicited: (socket, reply) => {
    socket.write(message(reply));
    setTimeout(() => {
      if (!socket.destroyed) socket.write(message({ fault: 'ok', body: 'poison\n' }));
    }, 20);
  },
  redirect: (socket, reply) =>
    void socket.write(
      message({ ...reply, status: reply.status ?? 302, body: 'moved\n' }, [
        `location: ${reply.location ?? ''}`,
      ]),
    ),
  redirectAndHang: (socket, reply) =>
    void socket.write(head({ ...reply, status: 302 }, [`location: ${reply.location ?? ''}`, ...CHUNKED])),
  endlessList: (socket, reply) => {
    socket.write(head(reply, CHUNKED));
    const lines = Buffer.from(Array.from({ length: 8000 }, (_, i) => `v1.${i}.0\n`).join(''));
    const part = Buffer.concat([Buffer.from(`${lines.length.toString(16)}\r\n`), lines, Buffer.from('\r\n')]);
    const pump = (): void => {
      while (!socket.destroyed && socket.write(part));
      if (!socket.destroyed) socket.once('drain', pump);
    };
    pump();
  },
  hugeInfo: (socket) =>
    void socket.write(
      message({
        fault: 'ok',
        body: `{"Version":"v1.0.0","Origin":{"URL":"${'x'.repeat(2 * 1024 * 1024)}"}}`,
      }),
    ),
} satisfies Record<string, Behaviour>;

let madeBomb: Buffer | undefined;

/** 64 MiB of one version in some 64 KiB. Made once: compressing it blocks long enough for others to time out. */
function bomb(): Buffer {
  madeBomb ??= gzipSync(Buffer.alloc(64 * 1024 * 1024, 'v1.0.0\n'));
  return madeBomb;
}

export type Fault = keyof typeof BEHAVIOURS;

export const FAULTS = Object.keys(BEHAVIOURS) as Fault[];

const CHUNKED = ['transfer-encoding: chunked'];

/**
 * A raw server on loopback that answers each request target with the scripted reply, or one reply after another (the
 * last one for ever); 404 for everything else.
 */
export class HostileUpstream implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  connections = 0;
  /** Answers what is not scripted; undefined is 404. */
  otherwise: (target: string) => Reply | undefined = () => undefined;
  readonly #server: Server;
  readonly #scheme: string;
  readonly #script = new Map<string, Reply[]>();
  readonly #open = new Set<Socket>();

  constructor(tls: TlsOptions | undefined) {
    const serve = (socket: Socket): void => this.#serve(socket);
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
    this.#scheme = tls === undefined ? 'http' : 'https';
  }

  static async start(tls?: TlsOptions): Promise<HostileUpstream> {
    const upstream = new HostileUpstream(tls);
    await new Promise<void>((resolve) => {
      upstream.#server.listen(0, '127.0.0.1', resolve);
    });
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** The targets asked for, in order. */
  get targets(): string[] {
    return this.requests.map(({ target }) => target);
  }

  on(target: string, ...replies: (Reply | string)[]): this {
    this.#script.set(
      target,
      replies.map((reply) => (typeof reply === 'string' ? { fault: 'ok', body: reply } : reply)),
    );
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => {});
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        const request = parseRequest(received.slice(0, end));
        received = received.slice(end + 4);
        this.requests.push(request);
        this.#reply(socket, request.target);
      }
    });
  }

  #reply(socket: Socket, target: string): void {
    const replies = this.#script.get(target) ?? [];
    const reply = (replies.length > 1 ? replies.shift() : replies[0]) ??
      this.otherwise(target) ?? {
        fault: 'status',
        status: 404,
        body: `not found: ${target}\n`,
      };
    BEHAVIOURS[reply.fault](socket, reply);
  }
}

function parseRequest(text: string): SeenRequest {
  const [first = '', ...lines] = text.split('\r\n');
  const [method = '', target = ''] = first.split(' ');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { method, target, headers: Object.fromEntries(headers) };
}

function body(reply: Reply): Buffer {
  return Buffer.from(reply.body ?? 'ok\n');
}

function head(reply: Reply, headers: readonly string[]): Buffer {
  const type = reply.type ?? 'text/plain; charset=utf-8';
  return Buffer.from(
    [
      `HTTP/1.1 ${reply.status ?? 200} Said`,
      ...(type === '' ? [] : [`content-type: ${type}`]),
      ...headers,
      '',
      '',
    ].join('\r\n'),
  );
}

function message(reply: Reply, headers: readonly string[] = []): Buffer {
  const bytes = body(reply);
  return Buffer.concat([head(reply, [`content-length: ${bytes.length}`, ...headers]), bytes]);
}

function encoded(reply: Reply, encoding: string): Buffer {
  return message(reply, [`content-encoding: ${encoding}`]);
}

function repeat(socket: Socket, milliseconds: number, work: () => void): void {
  const timer = setInterval(() => {
    if (!socket.destroyed) work();
  }, milliseconds);
  socket.on('close', () => clearInterval(timer));
}
