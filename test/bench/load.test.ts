import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { load } from './load.ts';
import { cpuSeconds, residentBytes } from './process-cost.ts';

const BODY = Buffer.alloc(300_000, 'x');
const asked: string[] = [];
const server = http.createServer((request, response) => {
  asked.push(request.url ?? '');
  if (request.url === '/absent') response.writeHead(404, { 'content-length': 0 }).end();
  else response.writeHead(200, { 'content-length': BODY.length }).end(BODY);
});
let port = 0;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

// Only Linux has the files in which a process's cost is read.
describe.skipIf(process.platform !== 'linux')('what the benchmark measures with', () => {
  it('asks for each target in turn, reads whole answers and counts them', async () => {
    asked.length = 0;
    const pass = { targets: ['/a', '/b', '/c'], requests: 9, connections: 2 };
    const cost = await load({ port, pids: [process.pid] }, pass);
    expect(cost).toMatchObject({ requests: 9, bytes: 9 * BODY.length });
    expect(asked.toSorted()).toEqual(['/a', '/a', '/a', '/b', '/b', '/b', '/c', '/c', '/c']);
    expect(cost.p50Ms).toBeGreaterThan(0);
    expect(cost.p99Ms).toBeGreaterThanOrEqual(cost.p50Ms);
  });

  it('fails on an answer that is not 200, since a fast refusal is no speed', async () => {
    const pass = { targets: ['/absent'], requests: 1, connections: 1 };
    await expect(load({ port, pids: [process.pid] }, pass)).rejects.toThrow(/404/);
  });

  it('reads the CPU time and memory of a process', () => {
    const before = cpuSeconds([process.pid]);
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user < 40_000);
    expect(cpuSeconds([process.pid])).toBeGreaterThan(before);
    const { now, peak } = residentBytes(process.pid);
    expect(now).toBeGreaterThan(10 * 2 ** 20);
    expect(peak).toBeGreaterThanOrEqual(now);
  });
});
