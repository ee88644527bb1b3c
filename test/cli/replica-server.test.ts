import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../src/cli/server.ts';
import { loadConfig } from '../../src/config/load.ts';
import { addRecord, ORIGIN, writeScratch } from '../sumdb/scratch.ts';
import { FakeDatabase } from '../upstream/fake-database.ts';
import { makeModule } from '../world/modules.ts';

let directory: string;
let server: RunningServer;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-replica-'));
  writeFileSync(
    path.join(directory, 'gokeep.toml'),
    `version = 1\nlisten = "127.0.0.1:0"\nreplica = true\n[bundles]\ntrust = ["${FakeDatabase.vkey}"]\n[log]\nlevel = "silent"\nrequests = false\n`,
  );
  server = await startServer(loadConfig({ env: {}, cwd: directory }), {
    onFatal: (error) => {
      throw error;
    },
  });
});

afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

async function get(target: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`${server.settings.url}${target}`);
  return { status: response.status, body: await response.text() };
}

it('a running replica serves each import from the moment it was taken, answers kept in memory included', async () => {
  const origin = FakeDatabase.ofSize(300);
  const made = await makeModule({ path: 'example.test/m', version: 'v1.0.0' });
  const id = addRecord(origin, made);
  const lookup = `/sumdb/${ORIGIN}/lookup/${made.path}@${made.version}`;
  expect(await get(lookup)).toMatchObject({ status: 404 });
  expect(await get('/readyz')).toMatchObject({ status: 503 });

  let since = 0;
  for (const ids of [[id], [20], [21]]) {
    const scratch = await writeScratch(path.join(directory, `${since}.db`), origin, ids, since);
    expect((await server.replica?.take(scratch, 'a bundle'))?.records).toBe(1);
    for (let again = 0; again < 3; again++) {
      const { status, body } = await get(lookup);
      expect(status).toBe(200);
      expect(body).toBe(`${id}\n${origin.text(id).toString()}\n${origin.note().toString()}`);
    }
    expect(await get(`/sumdb/${ORIGIN}/latest`)).toEqual({ status: 200, body: origin.note().toString() });
    expect((await get('/metrics')).body).toMatch(new RegExp(`^gokeep_log_size ${origin.shown}$`, 'm'));
    since = origin.shown;
    origin.add(`example.test/later${since}`, 'v1.0.0');
  }
  expect(await get('/readyz')).toMatchObject({ status: 200 });
});

it('makes nothing in its data directory that only a log of its own needs', () => {
  const data = path.join(directory, 'data');
  expect(existsSync(path.join(data, 'gokeep.db'))).toBe(true);
  const others = readdirSync(data).filter((name) => !/^(gokeep|upstream)\.db|-journal$/.test(name));
  expect(others.sort()).toEqual(['download', 'tmp', 'writer.lock']);
});
