import { readdir, readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The internet of this benchmark, in a process of its own: `node delayed-upstream.ts <download directory> <address of the
 * databases> <delay in ms>`. Serves module files from disk and `/sumdb/…` from a gokeep, each answer after the delay.
 * Prints its port; `/counts` says how many requests of each kind there were since it was last asked.
 */
const [root = '', databases = '', delay = '0'] = process.argv.slice(2);

let counts: Record<string, number> = {};

async function bodyOf(target: string): Promise<Buffer | undefined> {
  if (target.startsWith('/sumdb/')) {
    const answer = await fetch(databases + target);
    return answer.ok ? Buffer.from(await answer.arrayBuffer()) : undefined;
  }
  const file = path.join(root, decodeURIComponent(target));
  if (!file.startsWith(`${root}/`)) return undefined;
  return file.endsWith('/@latest') ? someInfo(path.join(path.dirname(file), '@v')) : read(file);
}

const read = (file: string) => readFile(file).catch(() => undefined);

/** `.info` of one version in a directory. */
async function someInfo(versions: string): Promise<Buffer | undefined> {
  const names = await readdir(versions).catch(() => []);
  const name = names.find((found) => found.endsWith('.info'));
  return name === undefined ? undefined : read(path.join(versions, name));
}

async function answer(target: string, response: http.ServerResponse): Promise<void> {
  if (target === '/counts') {
    response.end(JSON.stringify(counts));
    counts = {};
    return;
  }
  const kind = target.startsWith('/sumdb/') ? 'sumdb' : (/\.(info|mod|zip)$/.exec(target)?.[1] ?? 'list');
  counts[kind] = (counts[kind] ?? 0) + 1;
  const [body] = await Promise.all([bodyOf(target), sleep(Number(delay))]);
  if (body === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('not found');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length });
  response.end(body);
}

const server = http.createServer((request, response) => {
  answer(request.url ?? '/', response).catch(() => response.destroy());
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(address.port);
});
