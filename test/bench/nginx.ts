import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Measured } from './load.ts';

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = net.connect(port, '127.0.0.1');
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('nginx does not listen');
}

/** nginx serving a directory of module files as they lie there, with sendfile and an access log. */
export class Nginx implements AsyncDisposable, Measured {
  readonly port: number;
  readonly #directory: string;
  readonly #child: ChildProcess;

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.#directory = directory;
    this.#child = child;
  }

  static async start(root: string): Promise<Nginx> {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-nginx-'));
    const port = await freePort();
    const config = `
      daemon off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
      ${process.getuid?.() === 0 ? 'user root;' : ''}
      events { worker_connections 1024; }
      http {
        access_log ${directory}/access.log combined buffer=64k flush=1s;
        sendfile on; tcp_nopush on; keepalive_timeout 120s; keepalive_requests 1000000;
        default_type application/octet-stream;
        client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
        uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
        server { listen 127.0.0.1:${port}; root ${root}; etag on; }
      }`;
    const file = path.join(directory, 'nginx.conf');
    await writeFile(file, config);
    const child = spawn('nginx', ['-c', file, '-p', directory], { stdio: 'ignore' });
    await answers(port);
    return new Nginx(port, directory, child);
  }

  get pids(): readonly number[] {
    const { pid } = this.#child;
    if (pid === undefined) return [];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return [pid, ...children.split(' ').filter(Boolean).map(Number)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await once(this.#child, 'close');
    await rm(this.#directory, { recursive: true, force: true });
  }
}
