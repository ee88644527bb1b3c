import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(!needs('nginx'))('behind an nginx that sends the zips (needs nginx)', () => {
  let world: UpstreamWorld;
  let gokeep: GokeepProcess;
  let nginx: ChildProcess;
  let directory: string;
  let front: string;

  beforeAll(async () => {
    world = await UpstreamWorld.start();
    await world.publish({
      path: 'example.test/Front',
      version: 'v1.0.0',
      files: { 'notes.txt': 'x'.repeat(5000) },
    });
    gokeep = await GokeepProcess.start({
      toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n[http]\naccel_redirect = "/files/"\n[access]\nrequired = false\n`,
    });
    directory = await mkdtemp(path.join(tmpdir(), 'gokeep-nginx-'));
    const port = await freePort();
    front = `http://127.0.0.1:${port}`;
    const configuration = `
daemon off; worker_processes 1; user root; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass ${gokeep.url}; }
    location /files/ { internal; alias ${gokeep.data}/download/; }
  }
}`;
    await writeFile(path.join(directory, 'nginx.conf'), configuration);
    nginx = spawn('nginx', ['-c', path.join(directory, 'nginx.conf'), '-p', directory], { stdio: 'ignore' });
    for (let tries = 0; tries < 100; tries++) {
      const up = await fetch(`${front}/livez`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (up) return;
      await sleep(50);
    }
    throw new Error('nginx did not start');
  });

  afterAll(async () => {
    nginx.kill('SIGTERM');
    await gokeep[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it('go downloads and verifies through it, admitted first and handed off again', async () => {
    for (let round = 0; round < 2; round++) {
      await using client = await GoClient.create({ GOPROXY: front, GOSUMDB: gokeep.vkey });
      const download = await client.run('mod', 'download', '-json', 'example.test/Front@v1.0.0');
      expect(download).toMatchObject({ code: 0, stderr: '' });
    }
    // The go command spells the target with %21; as it stands here it is another, prepared by its first answer.
    await gokeep.get('/example.test/!front/@v/v1.0.0.zip');
    const own = await gokeep.get('/example.test/!front/@v/v1.0.0.zip');
    expect(own.headers.get('x-accel-redirect')).toBe('/files/example.test/!front/%40v/v1.0.0.zip');
    expect(own.headers.get('x-gokeep-from')).toBe('memory');
    expect((await own.arrayBuffer()).byteLength).toBe(0);
  });

  it('nginx answers ranges, and nobody reaches the files past us', async () => {
    const part = await fetch(`${front}/example.test/!front/@v/v1.0.0.zip`, {
      headers: { range: 'bytes=0-1' },
    });
    expect([part.status, await part.text()]).toEqual([206, 'PK']);
    expect((await fetch(`${front}/files/example.test/!front/@v/v1.0.0.zip`)).status).toBe(404);
  });
});
