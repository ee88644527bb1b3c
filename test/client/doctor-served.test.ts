import { execFile, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../world/programs.ts';
import { DoctorWorld, HELD } from './doctor-world.ts';

const BIN = path.join(import.meta.dirname, '..', '..', 'bin');
/** The oldest Node that the script promises to run on, where this machine has one; else the one that runs this test. */
const OLD = ['/usr/bin/node', '/usr/local/bin/node'].find(
  (node) => existsSync(node) && /^v2[0-5]\./.test(spawnSync(node, ['--version']).stdout.toString()),
);

let at: DoctorWorld;
beforeAll(async () => {
  at = await DoctorWorld.start();
});
afterAll(() => at[Symbol.asyncDispose]());

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], env: Record<string, string>): Promise<Ran> {
  return new Promise((resolve) => {
    const cwd = env['HOME']!;
    execFile(program, [...args], { cwd, env, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Puts what the server hands out into a home, as curl would. */
async function fetched(name: string, env: Record<string, string>): Promise<string> {
  const answer = await at.open.get(`/${name}`);
  expect(answer.status).toBe(200);
  const file = path.join(env['HOME']!, name);
  writeFileSync(file, await answer.text());
  return file;
}

describe('/doctor.mjs', () => {
  it('is one file that holds nothing of the server, and imports nothing but Node', async () => {
    const answer = await at.open.get('/doctor.mjs');
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const text = await answer.text();
    expect(text.startsWith('#!/usr/bin/env node\n')).toBe(true);
    for (const [, from] of text.matchAll(/^import .* from ["']([^"']+)["'];$/gm))
      expect(from).toMatch(/^(?:node:|path$)/);
    expect(text).not.toMatch(/better-sqlite3|fastify|piscina|\bundici\b|require\(/);
    expect(text.length).toBeLessThan(400_000);
  });

  it('needs no credentials, where everything else does', async () => {
    for (const name of ['doctor.mjs', 'doctor.sh', 'doctor.ps1']) {
      const { status, text } = await at.guarded.ask(`/${name}`);
      expect(status).toBe(200);
      expect(text).toContain(at.guarded.url);
    }
  });

  it('says that all is well, on an old Node with nothing installed', async () => {
    const env = at.env(at.home());
    const { code, stdout, stderr } = await run(
      OLD ?? process.execPath,
      [await fetched('doctor.mjs', env)],
      env,
    );
    expect(stderr).toBe('');
    expect(stdout).toContain(`go downloaded ${HELD}`);
    expect(stdout).toMatch(/All is well\.\n$/);
    expect(code).toBe(0);
  });

  it('knows the server that it came from where GOPROXY does not name it', async () => {
    const env = { ...at.env(at.home()), GOPROXY: 'https://proxy.example.org,direct' };
    const ran = await run(OLD ?? process.execPath, [await fetched('doctor.mjs', env), '--json'], env);
    const { findings, server } = JSON.parse(ran.stdout) as { findings: { id: string }[]; server: string };
    expect(server).toBe(at.open.url);
    expect(findings[0]?.id).toBe('goproxy-elsewhere');
    expect(ran.code).toBe(1);
  });

  it('explains, traces, proves with TLS and refuses wrong options as the command does', async () => {
    const env = { ...at.guardedEnv(at.home({ '.netrc': at.netrc() })), GOFLAGS: '-modcacherw' };
    const node = OLD ?? process.execPath;
    const file = await fetched('doctor.mjs', env);
    const well = await run(node, [file, '--url', at.guarded.url], env);
    expect(well.stdout).toMatch(/All is well\.\n$/);
    const explained = await run(
      node,
      [file, '--explain', 'x509: certificate signed by unknown authority'],
      env,
    );
    expect(explained.stdout).toContain('[unknown-authority]');
    const traced = await run(node, [file, 'trace', '--', 'go', 'mod', 'download', HELD], env);
    expect(traced.stdout).toContain('the database has a record');
    expect((await run(node, [file, '--nonsense'], env)).code).toBe(2);
    expect((await run(node, [file, '--url', 'ftp://x'], env)).code).toBe(2);
  });
});

describe('/doctor.sh', () => {
  it('says under dash what is well, and what is not', async () => {
    const env = at.env(at.home());
    const file = await fetched('doctor.sh', env);
    const well = await run('dash', [file, HELD], env);
    expect(well.stdout).toBe(
      `ok: ${at.open.url} answers, and is a gokeep\nok: go downloaded ${HELD}, and verified it\nNothing wrong was found in what was looked at.\n`,
    );
    expect(well.stderr).toBe('');
    expect(well.code).toBe(0);
    const broken = await run('dash', [file], {
      ...env,
      GOSUMDB: 'off',
      GOPRIVATE: 'corp.test',
      GO111MODULE: 'off',
      GOFLAGS: '-mod=vendor',
      GOCACHE: path.join(file, 'x'),
      GONOSUMCHECK: '1',
      GOPROXY: `http://a:Hunter2Secret@127.0.0.1:1/?k=Hunter2Secret|direct`,
      GOINSECURE: '*',
    });
    expect(broken.code).toBe(1);
    expect([...broken.stdout.matchAll(/ {2}\[([a-z0-9-]+)\]$/gm)].map(([, id]) => id)).toEqual([
      'gosumdb-off',
      'goprivate',
      'go111module',
      'goproxy-elsewhere',
      'goflags-vendor',
      'gocache',
      'pipe-after',
      'goinsecure',
      'myth',
    ]);
    expect(broken.stdout).not.toContain('Hunter2Secret');
  });

  it.skipIf(!needs('shellcheck'))('pleases shellcheck', async () => {
    const { stdout, code } = await run('shellcheck', [path.join(BIN, 'doctor.sh')], at.env(at.home()));
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
  });
});
