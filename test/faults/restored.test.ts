import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

let world: UpstreamWorld;
let directory: string;
/** A data directory whose log has one record, and the same one an hour and a record later. */
let older: string;
let newer: string;
let data: string;

const start = (toml = '') =>
  GokeepProcess.start({
    data,
    toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n${toml}`,
  });

const lookup = (gokeep: GokeepProcess, module: string) =>
  gokeep.get(`/sumdb/${gokeep.vkey.split('+')[0]!}/lookup/${module}`);

beforeAll(async () => {
  world = await UpstreamWorld.start();
  await world.publish({ path: 'example.test/first', version: 'v1.0.0' });
  await world.publish({ path: 'example.test/second', version: 'v1.0.0' });
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-restored-'));
  older = path.join(directory, 'older');
  newer = path.join(directory, 'newer');
  data = newer;
  for (const module of ['first', 'second']) {
    await using gokeep = await start();
    expect((await lookup(gokeep, `example.test/${module}@v1.0.0`)).status).toBe(200);
    expect(await gokeep.stop()).toBe(0);
    if (module === 'first') await cp(newer, older, { recursive: true });
  }
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await world[Symbol.asyncDispose]();
});

beforeEach(async () => {
  data = await mkdtemp(path.join(directory, 'data-'));
  await cp(newer, data, { recursive: true });
});

afterEach(() => rm(data, { recursive: true, force: true }));

/** It does not start, ends with exit code 2, and says why: a sentence, not a stack. */
async function expectRefusal(why: RegExp, toml = ''): Promise<void> {
  const ended = await start(toml).then(
    async (gokeep) => {
      await gokeep[Symbol.asyncDispose]();
      return 'it started';
    },
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  expect(ended).toMatch(/^gokeep ended \(2\):/);
  expect(ended).toMatch(why);
  expect(ended).not.toMatch(/\n {4}at /);
}

const inData = (name: string) => path.join(data, name);
const copyFromOlder = (name: string) => cp(path.join(older, name), inData(name));

describe('a server on data that was put back from a backup', () => {
  it('starts again on its own, whole data', async () => {
    await using gokeep = await start();
    expect((await lookup(gokeep, 'example.test/second@v1.0.0')).status).toBe(200);
  });

  it('refuses a database that is older than what was signed, and says what to do', async () => {
    await copyFromOlder('gokeep.db');
    await expectRefusal(/gokeep: the checksum database is older than what was already signed/);
    await expectRefusal(/put back a database that reaches the mark, or start a new log under a new name/);
  });

  it('refuses when the database is gone', async () => {
    await rm(inData('gokeep.db'));
    await expectRefusal(/gokeep: the checksum database is older .*lost or put back/);
  });

  it('refuses to begin anew under a key that was used, when database and mark are both gone', async () => {
    for (const name of ['gokeep.db', 'sumdb.mark']) await rm(inData(name));
    const lost = /gokeep: the signing key was used before, but its checksum database and .* mark are gone/;
    await expectRefusal(lost);
    // Nor on the second try, with what the first one left.
    await expectRefusal(lost);
    await rm(inData('sumdb.key'));
    await using gokeep = await start();
    expect((await lookup(gokeep, 'example.test/second@v1.0.0')).status).toBe(200);
  });

  it('refuses when the mark is missing', async () => {
    await rm(inData('sumdb.mark'));
    await expectRefusal(
      /the high-water mark of the checksum database is missing[^]*gokeep log mark --accept/,
    );
  });

  it('refuses an older mark', async () => {
    await copyFromOlder('sumdb.mark');
    await expectRefusal(/the high-water mark is older than the checksum database/);
  });

  it('refuses the mark of another log', async () => {
    const mark = await readFile(inData('sumdb.mark'), 'utf8');
    await writeFile(inData('sumdb.mark'), mark.replace(/gokeep-[0-9a-f]+\.internal/, 'other.internal'));
    await expectRefusal(/the high-water mark belongs to another checksum database/);
  });

  it('refuses a damaged mark', async () => {
    await writeFile(inData('sumdb.mark'), 'gokeep high-water mark\n');
    await expectRefusal(/the high-water mark of the checksum database is damaged/);
  });

  it('refuses a key that others can read', async () => {
    await chmod(inData('sumdb.key'), 0o644);
    await expectRefusal(/signing key can be read by others; chmod 600/);
  });

  it('refuses another name than the one its clients trust', async () => {
    await expectRefusal(
      /the key was made for the name gokeep-.*sumdb\.name says other\.test/,
      '[sumdb]\nname = "other.test"\n',
    );
  });

  it('refuses a database of a newer gokeep', async () => {
    for (const name of ['gokeep.db', 'upstream.db']) {
      const db = new Database(inData(name));
      const version = db.pragma('user_version', { simple: true });
      db.pragma('user_version = 1000');
      db.close();
      await expectRefusal(/was written by a newer gokeep \(schema 1000/);
      const again = new Database(inData(name));
      again.pragma(`user_version = ${String(version)}`);
      again.close();
    }
  });

  it('refuses a damaged tree, and signs nothing on top of it', async () => {
    const db = new Database(inData('gokeep.db'));
    db.exec('UPDATE tiles SET data = zeroblob(length(data))');
    db.close();
    await expectRefusal(/the stored tree of the checksum database is damaged; run `gokeep fsck`/);
  });

  it('refuses a database that is none any more', async () => {
    await writeFile(inData('gokeep.db'), Buffer.alloc(8192, 'x'));
    await expectRefusal(/^gokeep: a database of the gokeep server is damaged/m);
  });
});

describe('a second server on the same data', () => {
  it('is refused while the first one runs or is stopped (SIGSTOP), and not once it is dead; the first keeps serving', async () => {
    await using first = await start();
    const taken = /another gokeep process is using this data directory; stop it first/;
    await expectRefusal(taken);
    first.child.kill('SIGSTOP');
    await expectRefusal(taken);
    first.child.kill('SIGCONT');
    expect((await lookup(first, 'example.test/second@v1.0.0')).status).toBe(200);
    await first.stop('SIGKILL');
    await using second = await start();
    expect((await lookup(second, 'example.test/second@v1.0.0')).status).toBe(200);
  });
});
