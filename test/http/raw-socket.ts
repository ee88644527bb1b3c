import { connect } from 'node:net';

export interface RawAnswer {
  /** Status of the first answer; 0 when the connection ended without one. */
  readonly status: number;
  /** Everything that came, Latin-1. */
  readonly text: string;
  /** The other side ended the connection within the time given. */
  readonly closed: boolean;
}

/** Sends bytes as they are and reads until the other side closes or falls silent. */
export function sendRaw(port: number, request: string | Buffer, silence = 400): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = (closed: boolean): void => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(text)?.[1] ?? 0), text, closed });
    };
    socket.setTimeout(silence, () => finish(false));
    socket.on('connect', () =>
      socket.write(typeof request === 'string' ? Buffer.from(request, 'latin1') : request),
    );
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('end', () => finish(true));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') finish(true);
      else reject(error);
    });
  });
}

/** A well-formed GET with these extra header lines. */
export function rawGet(target: string, headers: readonly string[] = []): string {
  return [`GET ${target} HTTP/1.1`, 'Host: gokeep.test', ...headers, 'Connection: close', '', ''].join(
    '\r\n',
  );
}
