import net from 'node:net';

/**
 * Keep-alive HTTP/1.1 load over bare sockets, in a process of its own so that its CPU time is not the server's. Takes a
 * {@link LoadPass} on the command line as JSON and prints a {@link LoadResult}.
 */
export interface LoadPass {
  readonly port: number;
  readonly connections: number;
  /** Asked in turn, from the start again when all were asked, until `requests` are answered. */
  readonly targets: readonly string[];
  readonly requests: number;
  /** An Authorization header to send. */
  readonly authorization?: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly bytes: number;
  readonly wallMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** One connection: asks, reads a whole answer, asks again. Fails on anything but a 200 with a length. */
function drive(pass: LoadPass, next: () => string | undefined, took: (ms: number, bytes: number) => void) {
  return new Promise<void>((resolve, reject) => {
    const socket = net.connect(pass.port, '127.0.0.1');
    let head: Buffer = Buffer.alloc(0);
    let bodyLeft = 0;
    let bytes = 0;
    let askedAt = 0;
    let target = '';
    const credentials = pass.authorization === undefined ? '' : `Authorization: ${pass.authorization}\r\n`;
    const ask = () => {
      const chosen = next();
      if (chosen === undefined) {
        socket.end();
        resolve();
        return;
      }
      target = chosen;
      askedAt = performance.now();
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n${credentials}\r\n`,
      );
    };
    const done = () => {
      took(performance.now() - askedAt, bytes);
      ask();
    };
    socket.setNoDelay(true);
    socket.on('connect', ask);
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      if (bodyLeft > 0) {
        bodyLeft -= chunk.length;
        if (bodyLeft === 0) done();
        return;
      }
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const end = head.indexOf(HEAD_END);
      if (end < 0) return;
      const text = head.toString('latin1', 0, end);
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (!text.startsWith('HTTP/1.1 200') || length === undefined) {
        reject(new Error(`${target}: ${text}`));
        socket.destroy();
        return;
      }
      bytes = Number(length);
      bodyLeft = bytes - (head.length - end - HEAD_END.length);
      head = Buffer.alloc(0);
      if (bodyLeft === 0) done();
    });
  });
}

const pass = JSON.parse(process.argv[2] ?? '') as LoadPass;
const times = new Float64Array(pass.requests);
let asked = 0;
let answered = 0;
let total = 0;
const startedAt = performance.now();
const next = () => (asked < pass.requests ? pass.targets[asked++ % pass.targets.length] : undefined);
await Promise.all(
  Array.from({ length: pass.connections }, () =>
    drive(pass, next, (ms, bytes) => {
      times[answered++] = ms;
      total += bytes;
    }),
  ),
);
const wallMs = performance.now() - startedAt;
times.sort();
const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0;
const result: LoadResult = {
  requests: answered,
  bytes: total,
  wallMs,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
};
console.log(JSON.stringify(result));
