import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep as program } from '../cli/program.ts';
import { GuardedGokeep } from '../world/guarded-gokeep.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

interface Entry {
  readonly n: number;
  readonly kind: string;
  readonly who: string;
  readonly from?: string;
  readonly path?: string;
  readonly version?: string;
  readonly facts?: Record<string, unknown>;
  readonly hash: string;
}

const TEAM = 'corp.test/team/lib';

let world: UpstreamWorld;
let guarded: GuardedGokeep;
let member: string;
let stranger: string;

const withToken = (token: string) => ({
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
});

async function audit(...args: string[]): Promise<Entry[]> {
  const { code, stdout, stderr } = await guarded.beside('audit', ...args, '--json');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
}

/** Runs a command that talks to the server, with a token. */
async function talk(token: string, ...command: string[]) {
  const file = await guarded.file(`token-${token.slice(-6)}`, `${token}\n`);
  const to = ['--url', guarded.url, '--token-file', file, '--ca', guarded.caFile];
  return program([...command, ...to], { PATH: process.env['PATH'] ?? '' });
}

const yank = (version: string, token: string, reason: string) =>
  talk(token, 'yank', `${TEAM}@${version}`, '--reason', reason);

async function publish(version: string, token: string) {
  const source = path.join(guarded.directory, 'source');
  await mkdir(source, { recursive: true });
  await writeFile(path.join(source, 'go.mod'), `module ${TEAM}\n\ngo 1.21\n`);
  await writeFile(path.join(source, 'lib.go'), 'package lib\n');
  return talk(token, 'publish', source, version, '--from', 'directory');
}

describe.skipIf(!needs('openssl'))('the audit trail of a server', () => {
  beforeAll(async () => {
    world = await UpstreamWorld.start();
    guarded = await GuardedGokeep.start(world);
    member = await guarded.create('--name', 'member', '--read', 'corp.test', '--publish', 'corp.test/team');
    stranger = await guarded.create('--name', 'stranger', '--read', 'corp.test/elsewhere');
  }, 60_000);

  afterAll(async () => {
    await guarded?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  it('begins with what the configuration lets whom do, and tells of every token, but not of what is secret', async () => {
    const [rights, ...tokens] = await audit();
    expect(rights).toMatchObject({ n: 1, kind: 'rights', who: 'gokeep', facts: { required: true } });
    expect(tokens).toMatchObject([
      { kind: 'token', facts: { token: 'created', name: 'member', publish: ['corp.test/team'] } },
      { kind: 'token', facts: { token: 'created', name: 'stranger', read: ['corp.test/elsewhere'] } },
    ]);
    expect(tokens[0]?.who).toMatch(/^local:./);
    expect(JSON.stringify(tokens)).not.toContain(member.slice(10));
  });

  it('tells who published, yanked and was refused, from where and when', async () => {
    expect(await publish('v1.0.0', member)).toMatchObject({ code: 0, stderr: '' });
    expect((await publish('v1.1.0', stranger)).code).toBe(2);
    expect(await yank('v1.0.0', member, 'it loses data')).toMatchObject({ code: 0 });
    expect((await guarded.ask(`/${TEAM}/@v/list`, withToken(stranger))).status).toBe(403);
    expect((await guarded.ask(`/${TEAM}/@v/list`, withToken('gokeep_wrong'))).status).toBe(401);
    expect((await guarded.ask(`/${TEAM}/@v/list`)).status).toBe(401);
    const entries = await audit('--kind', 'publish,yank,refusal');
    expect(entries).toMatchObject([
      { kind: 'publish', who: 'token:member', from: '127.0.0.1', path: TEAM, version: 'v1.0.0' },
      { kind: 'refusal', who: 'token:stranger', facts: { code: 'forbidden' } },
      { kind: 'yank', who: 'token:member', path: TEAM, facts: { reason: 'it loses data' } },
      { kind: 'refusal', who: 'token:stranger', facts: { asked: `GET /${TEAM}/@v/list` } },
      { kind: 'refusal', who: 'anonymous', facts: { code: 'unauthenticated' } },
    ]);
    expect(entries).toHaveLength(5);
    expect(JSON.stringify(await audit())).not.toContain('gokeep_wrong');
  });

  it('is listed by module, by person and by day, and in lines for a person', async () => {
    expect((await audit('--module', 'corp.test/*')).map(({ kind }) => kind)).toEqual(['publish', 'yank']);
    expect((await audit('--who', 'token:stranger')).map(({ kind }) => kind)).toEqual(['refusal', 'refusal']);
    expect(await audit('--until', '2020-01-01')).toEqual([]);
    expect((await guarded.beside('audit', '--kind', 'nothing')).code).toBe(2);
    const { stdout } = await guarded.beside('audit', '--kind', 'yank');
    expect(stdout).toMatch(
      /^\d+ \S+Z yank corp\.test\/team\/lib@v1\.0\.0 by token:member from 127\.0\.0\.1 reason="it loses data"\n$/,
    );
  });

  it('tells of a version that is published again with other bytes', async () => {
    await writeFile(path.join(guarded.directory, 'source', 'more.go'), 'package lib\n');
    const zip = await otherZip();
    const answer = await guarded.ask(`/${TEAM}/@v/v1.0.0.zip`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${member}`, 'content-type': 'application/zip' },
      body: zip,
    });
    expect(answer.status).toBe(409);
    expect(await audit('--kind', 'incident')).toMatchObject([
      { who: 'gokeep', path: TEAM, version: 'v1.0.0', facts: { incident: 'zip', source: 'an upload' } },
    ]);
  });

  it('is whole, and after a stop recorded in the log to its last entry', async () => {
    await guarded.token('revoke', 'stranger');
    await guarded.gokeep.stop();
    const verified = await guarded.beside('audit', 'verify');
    expect(verified.stdout).toMatch(/^\d+ entries; the log covers all of them: all in order\n$/);
    expect(verified.code).toBe(0);
    expect((await guarded.beside('fsck')).code).toBe(0);
    const { stdout } = await guarded.beside('log', 'verify');
    expect(stdout).toContain('all in order');
    await guarded.restart();
    const name = guarded.gokeep.vkey.split('+')[0]!;
    const head = async (n: number) =>
      guarded.ask(`/sumdb/${name}/lookup/${name}/audit@v0.0.${n}`, withToken(member));
    const { entries } = JSON.parse((await guarded.beside('audit', 'verify', '--json')).stdout) as {
      entries: number;
    };
    expect(await head(entries)).toMatchObject({ status: 200 });
    expect(await head(999_999)).toMatchObject({ status: 404 });
    expect(world.upstream.targets.filter((target) => target.includes('/audit'))).toEqual([]);
    expect(await audit('--kind', 'token')).toMatchObject([
      {},
      {},
      { facts: { token: 'revoked', name: 'stranger' } },
    ]);
  });

  it('shows a changed entry, and entries that were cut off', async () => {
    await guarded.gokeep.stop();
    const file = path.join(guarded.gokeep.data, 'audit.db');
    const kept = `${file}.kept`;
    await copyFile(file, kept);
    const spoil = async (sql: string, look = async () => {}) => {
      const db = new Database(file);
      db.exec(`DROP TRIGGER entries_are_not_changed; DROP TRIGGER entries_are_not_deleted; ${sql}`);
      db.close();
      await look();
      const { code, stdout } = await guarded.beside('audit', 'verify');
      for (const end of ['', '-wal', '-shm']) await rm(file + end, { force: true });
      await copyFile(kept, file);
      expect(code).toBe(1);
      return stdout;
    };
    expect(
      await spoil(`UPDATE entries SET entry = replace(entry, 'member', 'nobody') WHERE n = 2`),
    ).toContain('entry 2 is not what it was');
    expect(
      await spoil(`UPDATE entries SET entry = 'no JSON' WHERE n = 2`, async () => {
        const { stdout, stderr } = await guarded.beside('audit', '--kind', 'publish');
        expect(stdout).toMatch(/^\d+ \S+ publish /);
        expect(stderr).toContain('entry 2 is damaged');
      }),
    ).toContain('entry 2 is not an entry of that number');
    expect(await spoil('DELETE FROM entries WHERE n > 3')).toMatch(/entries 4 to \d+ are missing/);
    expect((await guarded.beside('audit', 'verify')).code).toBe(0);
  });

  it('is not in order where what the log has recorded of it was taken out of the log too', async () => {
    await guarded.gokeep.stop();
    const files = ['audit.db', 'gokeep.db'].map((name) => path.join(guarded.gokeep.data, name));
    for (const file of files) await copyFile(file, `${file}.both`);
    for (const [at, sql] of [
      'DROP TRIGGER entries_are_not_deleted; DELETE FROM entries WHERE n > 1',
      `UPDATE records SET path = 'corp.test/nothing' WHERE path LIKE '%/audit'`,
    ].entries()) {
      const db = new Database(files[at]);
      db.exec(sql);
      db.close();
    }
    const { code, stdout } = await guarded.beside('audit', 'verify');
    for (const file of files) {
      for (const end of ['', '-wal', '-shm']) await rm(file + end, { force: true });
      await copyFile(`${file}.both`, file);
    }
    expect(stdout).toMatch(/^record \d+ \(corp\.test\/nothing@v0\.0\.\d+\) /);
    expect(code).toBe(1);
  });

  it('that was written anew is noticed at the start, though it has as many entries as the log has recorded', async () => {
    const file = path.join(guarded.gokeep.data, 'audit.db');
    const kept = `${file}.kept`;
    // Stopped, it has covered what it has.
    await guarded.gokeep.stop();
    await copyFile(file, kept);
    const db = new Database(file);
    db.exec(`DROP TRIGGER entries_are_not_changed; UPDATE entries SET hash = zeroblob(32)`);
    db.close();
    await guarded.restart();
    expect(guarded.gokeep.output).toContain('not what the log has recorded of it');
    await guarded.gokeep.stop();
    for (const end of ['', '-wal', '-shm']) await rm(file + end, { force: true });
    await copyFile(kept, file);
  });

  it('goes on after a backup of it was put back, and keeps saying what is lost', async () => {
    const file = path.join(guarded.gokeep.data, 'audit.db');
    for (const end of ['', '-wal', '-shm']) await rm(file + end, { force: true });
    await guarded.restart();
    const [gap, rights] = await audit();
    expect(gap).toMatchObject({ kind: 'gap', facts: { after: 0 } });
    expect(rights).toMatchObject({ kind: 'rights' });
    await guarded.gokeep.stop();
    const { code, stdout } = await guarded.beside('audit', 'verify');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^entries 1 to \d+ are missing: the trail was put back from a backup or begun anew\n/,
    );
    expect(stdout).toContain('the log covers all of them: 1 problems');
  });
});

/** A zip of the same version with other files. */
async function otherZip(): Promise<Buffer> {
  const source = path.join(guarded.directory, 'source');
  const output = path.join(guarded.directory, 'other.zip');
  const dry = ['publish', source, 'v1.0.0', '--from', 'directory', '--dry-run', '--output', output];
  await program(dry, { PATH: process.env['PATH'] ?? '' });
  return readFile(output);
}
