import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModuleStore } from '../../src/store/module-store.ts';
import { ReplicaWriter } from '../../src/store/replica-writer.ts';
import { gokeep } from '../cli/program.ts';
import { addRecord, ORIGIN, writeScratch } from '../sumdb/scratch.ts';
import { formatTree } from '../../src/tlog/tree-note.ts';
import { FakeDatabase, sign } from '../upstream/fake-database.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { type MadeModule, makeModule } from '../world/modules.ts';

const TOML = `replica = true\n[bundles]\ntrust = ["${FakeDatabase.vkey}"]\n`;

let directory: string;
let data: string;
let config: string;
const origin = new FakeDatabase();
let leaf: MadeModule;
let tree: MadeModule;
let later: MadeModule;

/** Records that are in the origin's log and in no bundle. */
function others(n: number): void {
  const from = origin.shown;
  for (let id = from; id < from + n; id++) origin.add(`other.test/m${id}`, 'v1.0.0');
}

/** What an importer does with a proven bundle: the files, then the records and the head. */
async function importModules(
  made: readonly MadeModule[],
  ids: readonly number[],
  since: number,
): Promise<void> {
  const store = new ModuleStore(data);
  for (const { path: name, version, info, mod, zip } of made) {
    await store.keep('info', name, version, Buffer.from(info));
    await store.keep('mod', name, version, Buffer.from(mod));
    await using temporary = await store.openTemporary();
    await temporary.handle.writeFile(zip);
    await store.place(temporary, 'zip', name, version);
  }
  const scratch = await writeScratch(path.join(directory, `scratch-${since}.db`), origin, ids, since);
  using writer = new ReplicaWriter(path.join(data, 'gokeep.db'));
  writer.take(scratch, ORIGIN, 'bundle of the test', Date.now());
}

const start = (): Promise<GokeepProcess> => GokeepProcess.start({ data, toml: TOML });

function client(server: GokeepProcess): Promise<GoClient> {
  return GoClient.create({ GOPROXY: server.url, GOSUMDB: FakeDatabase.vkey });
}

/** Every file below the data directory. */
function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(path.join(root, name)).isFile(),
  );
}

function noPrivateKey(): void {
  const files = filesIn(data);
  expect(files).toContain('gokeep.db');
  expect(files.filter((name) => /sumdb\.(key|mark)/.test(name))).toEqual([]);
  for (const name of files) expect(readFileSync(path.join(data, name)).includes('PRIVATE+KEY')).toBe(false);
}

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-replica-'));
  data = path.join(directory, 'data');
  config = path.join(directory, 'gokeep.toml');
  writeFileSync(config, `version = 1\n${TOML}`);
  leaf = await makeModule({ path: 'example.test/Leaf', version: 'v1.0.0' });
  tree = await makeModule({
    path: 'example.test/tree',
    version: 'v1.2.0',
    require: { 'example.test/Leaf': 'v1.0.0' },
  });
  later = await makeModule({ path: 'corp.test/later', version: 'v0.1.0' });
});

afterAll(() => rmSync(directory, { recursive: true }));

describe('a replica', () => {
  let remembering: GoClient;
  let firstSize: number;

  afterAll(() => remembering[Symbol.asyncDispose]());

  it('serves before the first import, says that nothing was imported, and is not ready', async () => {
    await using server = await start();
    expect(server.vkey).toBe(FakeDatabase.vkey);
    expect(server.output).toContain('nothing was imported yet');
    for (const target of ['latest', 'lookup/example.test/!leaf@v1.0.0', 'tile/8/0/000.p/1']) {
      const response = await server.get(`/sumdb/${ORIGIN}/${target}`);
      expect([target, response.status]).toEqual([target, 404]);
      // A lookup names a version, which is wished for.
      const said = target.startsWith('lookup/')
        ? 'is not held here'
        : `nothing was imported into this replica of ${ORIGIN} yet`;
      expect((await response.text()).replaceAll('\n', ' ')).toContain(said);
    }
    expect((await server.get(`/sumdb/${ORIGIN}/supported`)).status).toBe(200);
    expect((await server.get('/example.test/tree/@v/v1.2.0.mod')).status).toBe(404);
    expect((await server.get('/readyz')).status).toBe(503);
    expect((await server.get('/metrics')).status).toBe(200);
    expect(await server.stop()).toBe(0);
    noPrivateKey();
  });

  it('proves what was imported to an unmodified go that trusts the origin, with empty caches', async () => {
    others(300);
    const ids = [addRecord(origin, leaf), (others(299), addRecord(origin, tree))];
    others(40);
    firstSize = origin.shown;
    await importModules([leaf, tree], ids, 0);
    await using server = await start();
    expect((await server.get('/readyz')).status).toBe(200);
    const latest = await server.get(`/sumdb/${ORIGIN}/latest`);
    expect(Buffer.from(await latest.arrayBuffer())).toEqual(origin.note());
    remembering = await client(server);
    await remembering.write('main.go', 'package main\n\nimport _ "example.test/tree"\n\nfunc main() {}\n');
    expect(await remembering.run('get', 'example.test/tree@v1.2.0')).toMatchObject({ code: 0 });
    expect(await remembering.run('mod', 'verify')).toMatchObject({ code: 0 });
    const sum = readFileSync(path.join(remembering.directory, 'main', 'go.sum'), 'utf8');
    for (const { path: name, version, h1 } of [leaf, tree]) {
      expect(sum).toContain(`${name} ${version} ${h1.zip}\n${name} ${version}/go.mod ${h1.mod}\n`);
    }
    noPrivateKey();
  });

  it('what is not held is 404, in whatever way it is asked for', async () => {
    await using server = await start();
    for (const target of [
      `/sumdb/${ORIGIN}/lookup/other.test/m3@v1.0.0`,
      `/sumdb/${ORIGIN}/lookup/nobody.test/m@v1.0.0`,
      `/sumdb/${ORIGIN}/tile/8/0/000`,
      `/sumdb/${ORIGIN}/tile/8/data/001`,
      '/other.test/m3/@v/v1.0.0.zip',
      '/other.test/m3/@v/v1.0.0.mod',
      '/other.test/m3/@v/v1.0.0.info',
      '/other.test/m3/@latest',
    ]) {
      expect([target, (await server.get(target)).status]).toEqual([target, 404]);
    }
  });

  it('after an import that grew the tree, a client with an older head and a new one both verify', async () => {
    others(500);
    const id = addRecord(origin, later);
    others(3);
    await importModules([later], [id], firstSize);
    await using server = await start();
    expect(server.vkey).toBe(FakeDatabase.vkey);
    await using fresh = await client(server);
    const remembered = path.join(remembering.directory, 'gopath', 'pkg', 'sumdb', ORIGIN, 'latest');
    expect(readFileSync(remembered)).toEqual(origin.note(firstSize));
    // The server has another address now.
    const known = new GoClient(remembering.directory, {
      GOPROXY: server.url,
      GOSUMDB: FakeDatabase.vkey,
    });
    for (const go of [known, fresh]) {
      const got = await go.run(
        'mod',
        'download',
        '-json',
        'corp.test/later@v0.1.0',
        'example.test/tree@v1.2.0',
      );
      expect(got).toMatchObject({ code: 0 });
      expect(got.stdout).toContain(later.h1.zip);
      expect(got.stdout).toContain(tree.h1.zip);
    }
    expect(readFileSync(remembered)).toEqual(origin.note());
    noPrivateKey();
  });

  it('is served to a client that asks for the latest version', async () => {
    await using server = await start();
    await using fresh = await client(server);
    expect(await fresh.run('list', '-m', 'example.test/tree@latest')).toMatchObject({
      code: 0,
      stdout: 'example.test/tree v1.2.0\n',
    });
  });
});

describe('beside it', () => {
  const NAMED = () => ['--config', config, '--data', data];

  it('key show prints the key of the origin', async () => {
    expect(await gokeep(['key', 'show', ...NAMED()])).toMatchObject({
      code: 0,
      stdout: `${FakeDatabase.vkey}\n`,
    });
  });

  it('log head prints the head of the origin', async () => {
    const { code, stdout } = await gokeep(['log', 'head', ...NAMED()]);
    expect(code).toBe(0);
    expect(stdout).toContain(origin.note().toString());
    expect(stdout).toMatch(/^imported 20/m);
  });

  it('log verify and fsck prove all that is held', async () => {
    const verified = await gokeep(['log', 'verify', ...NAMED()]);
    expect(verified).toMatchObject({ code: 0, stdout: '3 records under 2 heads: all in order\n' });
    const checked = await gokeep(['fsck', ...NAMED()]);
    expect(checked).toMatchObject({ code: 0 });
    expect(checked.stdout).toContain('3 records under 2 heads, 9 files of 3 modules: all in order');
  });

  it('log prove proves a record with the key of the origin', async () => {
    const { code, stdout } = await gokeep(['log', 'prove', 'example.test/tree@v1.2.0', ...NAMED()]);
    expect(code).toBe(0);
    expect(stdout).toContain('c2sp.org/tlog-proof@v1');
  });

  it('why says that a record was replicated, and on what', async () => {
    const { stdout } = await gokeep(['why', 'example.test/Leaf@v1.0.0', ...NAMED()]);
    expect(stdout).toContain('source: replicated from the log');
    expect(stdout).toContain('evidence: bundle of the test');
  });

  it.each([[['log', 'mark']], [['log', 'mark', '--accept']]])(
    '%j says that there is none',
    async (command) => {
      const { code, stderr } = await gokeep([...command, ...NAMED()]);
      expect(code).toBe(2);
      expect(stderr).toContain('this is a replica: its log is signed elsewhere');
      noPrivateKey();
    },
  );

  it('without replica = true the directory is refused, and no key is made in it', async () => {
    await expect(GokeepProcess.start({ data, toml: '[upstream]\nproxy = "off"\n' })).rejects.toThrow(
      `the data directory holds a replica of ${ORIGIN}, which cannot be signed here`,
    );
    noPrivateKey();
  });
});

describe('log verify finds', () => {
  /** Verifies a copy of the replica's database in which one thing was changed. */
  async function verifyWith(sql: string, ...values: readonly unknown[]): Promise<string> {
    const copy = mkdtempSync(path.join(directory, 'copy-'));
    cpSync(data, copy, { recursive: true });
    const db = new Database(path.join(copy, 'gokeep.db'));
    expect(db.prepare(sql).run(...values).changes).toBeGreaterThan(0);
    db.close();
    const { code, stdout } = await gokeep(['log', 'verify', '--config', config, '--data', copy]);
    expect(code).toBe(1);
    return stdout;
  }

  it('a record that is not what was logged', async () => {
    const found = await verifyWith('UPDATE records SET zip_h1 = zeroblob(32) WHERE id = 300');
    expect(found).toContain('record 300 (example.test/Leaf@v1.0.0) is not what was logged');
    expect(found).toContain('1 problem');
  });

  it('a record at another id than its own', async () => {
    expect(await verifyWith('UPDATE records SET id = 301 WHERE id = 300')).toContain(
      'record 301 (example.test/Leaf@v1.0.0) is not what was logged',
    );
  });

  it('a record that no head covers', async () => {
    expect(await verifyWith('UPDATE records SET id = 99999 WHERE id = 300')).toContain(
      'record 99999 (example.test/Leaf@v1.0.0) is covered by no head',
    );
  });

  it('a tile that is gone, by the records that it proved', async () => {
    const found = await verifyWith('DELETE FROM tiles WHERE level = 0 AND n = 1');
    expect(found).toContain('record 300 (example.test/Leaf@v1.0.0) cannot be proven');
    expect(found).not.toContain('corp.test/later');
  });

  it('a tile at the end of the tree that is damaged', async () => {
    expect(await verifyWith('UPDATE tiles SET data = zeroblob(length(data)) WHERE level = 1')).toContain(
      'do not give its root',
    );
  });

  it('a head that the origin did not sign', async () => {
    const found = await verifyWith(
      'UPDATE heads SET note = ? WHERE size = ?',
      Buffer.from(origin.note().toString().replace(`\n${origin.shown}\n`, '\n99999\n')),
      origin.shown,
    );
    expect(found).toContain(`head ${origin.shown} has no good signature by the origin's key`);
  });

  it('an older head that is not how the tree began', async () => {
    const root = Buffer.alloc(32, 5);
    const note = sign(formatTree({ size: 700, root }));
    expect(
      await verifyWith('INSERT INTO heads (size, root, note, signed_at) VALUES (700, ?, ?, 0)', root, note),
    ).toContain('head 700 cannot be proven to be how the tree of size');
  });
});
