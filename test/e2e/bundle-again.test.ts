import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectedSite } from '../airgap/connected-site.ts';
import { gokeep } from '../cli/program.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';

const HELD = 'example.test/held@v1.0.0';

describe('vulnerability databases in bundles', () => {
  let site: ConnectedSite;
  let toml: string;

  beforeAll(async () => {
    site = await ConnectedSite.start();
    await site.world.publish({ path: 'example.test/held', version: 'v1.0.0' });
    await site.bundle('begin.tar', HELD);
    toml = await site.closedToml('offline');
    await site.file('closed.toml', `version = 1\n${toml}`);
  });
  afterAll(() => site?.[Symbol.asyncDispose]());

  /** A database without any vulnerability, as it was at that time. */
  async function database(modified: string): Promise<string> {
    const directory = site.at(`db-${modified.slice(0, 10)}`);
    await mkdir(path.join(directory, 'index'), { recursive: true });
    await writeFile(path.join(directory, 'index/db.json'), JSON.stringify({ modified }));
    for (const name of ['modules', 'vulns'])
      await writeFile(path.join(directory, `index/${name}.json`), '[]');
    return directory;
  }

  const run = (data: string, ...args: string[]) =>
    gokeep([...args, '--config', site.at('closed.toml'), '--data', data], { PATH: process.env['PATH']! });

  it('are brought alone, by themselves or on top of a bundle, and an older one replaces none that is newer', async () => {
    const first = await site.bundle('first.tar', HELD, '--vulndb', await database('2026-02-01T00:00:00Z'));
    const newer = await site.bundle(
      'newer.tar',
      '--since',
      first,
      '--vulndb',
      await database('2026-03-01T00:00:00Z'),
    );
    const older = await site.bundle(
      'older.tar',
      '--since',
      newer,
      '--vulndb',
      await database('2026-01-01T00:00:00Z'),
    );
    const data = site.at('closed');
    expect(await run(data, 'bundle', 'import', first, newer, older)).toMatchObject({ code: 0, stderr: '' });
    await using server = await GokeepProcess.start({ data, toml });
    expect(await (await server.get('/vulndb/index/db.json')).json()).toEqual({
      modified: '2026-03-01T00:00:00Z',
    });
  });

  it('that were lost are brought back by importing again', async () => {
    const bundle = await site.bundle('again.tar', HELD, '--vulndb', await database('2026-04-01T00:00:00Z'));
    const data = site.at('lost');
    expect(await run(data, 'bundle', 'import', bundle)).toMatchObject({ code: 0 });
    await rm(path.join(data, 'vulndb'), { recursive: true });
    expect((await run(data, 'bundle', 'import', bundle)).stdout).toContain('imported: ');
    expect(existsSync(path.join(data, 'vulndb', 'current'))).toBe(true);
    expect((await run(data, 'bundle', 'import', bundle)).stdout).toContain('nothing was done');
  });

  it('are named in the manifest without what their address holds of a secret', async () => {
    const directory = await database('2026-05-01T00:00:00Z');
    const server = createServer((request, response) => {
      const file = path.join(directory, new URL(request.url ?? '', 'http://any').pathname);
      if (existsSync(file)) response.end(readFileSync(file));
      else response.writeHead(404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const bundle = await site.bundle('login.tar', HELD, '--vulndb', `http://${host}/?token=secret`);
      const text = (await readFile(bundle)).toString('latin1');
      expect(text).toContain(`vulndb 2026-05-01T00:00:00Z http://${host}/`);
      expect(text).not.toContain('secret');
    } finally {
      server.close();
    }
  });
});
