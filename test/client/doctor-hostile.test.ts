import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostMachine } from '../../src/client/doctor/host-machine.ts';
import { runDoctor } from '../../src/client/doctor/run.ts';
import { reportLines } from '../../src/client/doctor/report.ts';
import { signNote } from '../../src/note/note.ts';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { formatTree } from '../../src/tlog/tree-note.ts';
import type { Fault, HostileUpstream, Reply } from '../upstream/hostile-upstream.ts';
import { WORLD_DATABASE } from '../world/upstream-world.ts';
import { DoctorWorld } from './doctor-world.ts';

let at: DoctorWorld;
beforeAll(async () => {
  at = await DoctorWorld.start();
});
afterAll(() => at[Symbol.asyncDispose]());

const IDENTITY = JSON.stringify({ program: 'gokeep', sumdb: WORLD_DATABASE });

/** Says that it is a gokeep, and answers everything else with one fault, or as it is told. */
async function liar(
  fault: Fault,
  otherwise?: (target: string) => Reply | undefined,
): Promise<HostileUpstream> {
  const server = await at.hostile();
  server.on('/api/v1/server', IDENTITY);
  server.otherwise = (target) => otherwise?.(target) ?? { fault, location: target };
  return server;
}

const examine = (server: HostileUpstream, change: Record<string, string> = {}) =>
  at.examine({ ...at.env(at.home()), GOPROXY: server.url, GOSUMDB: at.world.vkey, ...change });

const notWell = (lines: readonly string[]) => expect(lines.at(-1)).not.toBe('All is well.');

describe('a server that lies to doctor', () => {
  it.each<Fault>([
    'html',
    'endlessList',
    'hugeHeaders',
    'redirect',
    'slow',
    'hangInBody',
    'garbage',
    'earlyHints',
  ])('neither hangs it nor is believed: %s to everything', async (fault) => {
    const server = await at.hostile();
    server.otherwise = (target) => ({ fault, location: target });
    const report = await examine(server);
    notWell(reportLines(report));
    expect(report.findings[0]?.harm).toBe('broken');
    expect(report.ms).toBeLessThan(10_000);
  });

  it.each<readonly [Fault, string]>([
    ['endlessList', 'more than 65536 bytes'],
    ['redirect', 'it redirected more than 10 times'],
  ])('is left before its time is over: %s', async (fault, why) => {
    const server = await at.hostile();
    server.otherwise = (target) => ({ fault, location: target });
    expect((await examine(server)).findings[0]?.what).toContain(why);
  });

  it.each<Fault>(['html', 'endlessList', 'redirect', 'hangBeforeHead', 'zeros'])(
    'neither hangs it nor is believed: says that it is a gokeep, and then %s',
    async (fault) => {
      const report = await examine(await liar(fault));
      notWell(reportLines(report));
      expect(['unsafe', 'broken']).toContain(report.findings[0]?.harm);
      expect(report.ms).toBeLessThan(10_000);
    },
  );

  it('is told apart when its tree is another than the one that go has seen', async () => {
    const { skey, vkey } = generateKey('forked.test', Buffer.alloc(32, 3));
    const head = (size: number, byte: number) =>
      signNote(formatTree({ size, root: Buffer.alloc(32, byte) }), [parseSigner(skey)]).toString();
    const server = await liar('status', (target) => {
      if (target.endsWith('/supported')) return { fault: 'ok', body: '' };
      if (target.endsWith('/latest')) return { fault: 'ok', body: head(7, 1) };
      return undefined;
    });
    const home = at.home({ 'go/pkg/sumdb/forked.test/latest': head(7, 2) });
    const report = await at.examine({ ...at.env(home), GOPROXY: server.url, GOSUMDB: vkey });
    expect(report.findings[0]?.id).toBe('fork');
    expect(report.findings[0]?.what).toContain('SECURITY');
  });

  it('is told apart when its tiles are not of its tree', async () => {
    const { skey, vkey } = generateKey('false.test', Buffer.alloc(32, 4));
    const server = await liar('zeros', (target) => {
      if (target.endsWith('/supported')) return { fault: 'ok', body: '' };
      if (!target.endsWith('/latest')) return undefined;
      const root = Buffer.alloc(32, 9);
      return { fault: 'ok', body: signNote(formatTree({ size: 3, root }), [parseSigner(skey)]).toString() };
    });
    const report = await at.examine({ ...at.env(at.home()), GOPROXY: server.url, GOSUMDB: vkey }, undefined);
    notWell(reportLines(report));
  });

  it('whose clock is another is told of, before what follows from it', async () => {
    const server = await at.hostile();
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    server.on('/api/v1/server', {
      fault: 'redirect',
      status: 200,
      body: IDENTITY,
      location: `x\r\ndate: ${date}`,
    });
    const report = await examine(server);
    expect(report.findings.map(({ id }) => id)).toContain('clock');
  });
});

describe('a server that says credentials back', () => {
  it('does not have them printed', async () => {
    const server = await at.hostile(at.certificates.whole);
    const password = 'S3cretOfGoauth';
    const basic = Buffer.from(`token:${password}`).toString('base64');
    server.on('/api/v1/server', IDENTITY);
    server.otherwise = () => ({ fault: 'status', status: 401, body: `no: ${password} and ${basic}\n` });
    const home = at.home({
      'root.pem': at.certificates.root,
      'auth.sh': `#!/bin/sh\nprintf '${server.url}\\n\\nAuthorization: Basic ${basic}\\n\\n'\n`,
    });
    chmodSync(path.join(home, 'auth.sh'), 0o700);
    const report = await at.examine({
      ...at.env(home),
      GOPROXY: server.url,
      GOAUTH: path.join(home, 'auth.sh'),
      SSL_CERT_FILE: path.join(home, 'root.pem'),
    });
    const text = JSON.stringify(report);
    expect(report.findings.map(({ id }) => id)).toContain('auth-wrong');
    expect(text).toContain('no: [redacted]');
    expect(text).not.toContain(password);
    expect(text).not.toContain(basic);
  });
});

describe('secrets', () => {
  const SECRETS = {
    userinfo: 'Us3rInfoPassw0rd',
    netrc: 'N3trcPassw0rd',
    other: 'OtherMachinesPassw0rd',
    token: 'gokeep_T0kenInTheEnvironment',
    query: 'QuerySecret99',
    proxy: 'Pr0xyPassw0rd',
    goauth: 'G0authCommandsToken',
    profile: 'Pr0filePassw0rd',
  };

  it('are in nothing that is printed, as text, as JSON, and in the report for a ticket', async () => {
    const files = {
      '.netrc': `machine ${at.guarded.host} login someone password ${SECRETS.netrc}\nmachine other.test login a password ${SECRETS.other}\n`,
      '.bashrc': `export GOPROXY=https://u:${SECRETS.profile}@go.corp.test/?key=${SECRETS.query}\nexport GOPRIVATE=corp.test\n`,
      '.config/go/env': `GOPROXY=https://x:${SECRETS.userinfo}@go.corp.test?token=${SECRETS.query}\n`,
      'auth.sh': `#!/bin/sh\nprintf 'https://${at.guarded.host}\\n\\nAuthorization: Bearer ${SECRETS.goauth}\\n\\n'\n`,
    };
    for (const proxy of [
      `${at.guarded.url.replace('//', `//token:${SECRETS.userinfo}@`)}?token=${SECRETS.query}`,
      at.guarded.url,
      `http://me:${SECRETS.userinfo}@127.0.0.1:1,https://go.corp.test/?a=${SECRETS.query},"quoted?k=${SECRETS.query}"`,
      undefined,
    ]) {
      const home = at.home(files);
      chmodSync(path.join(home, 'auth.sh'), 0o700);
      chmodSync(path.join(home, '.netrc'), 0o644);
      for (const goauth of ['netrc', path.join(home, 'auth.sh')]) {
        const env = {
          ...at.guardedEnv(home),
          GOPROXY: proxy,
          GOAUTH: goauth,
          GOKEEP_TOKEN: SECRETS.token,
          HTTPS_PROXY: `http://p:${SECRETS.proxy}@127.0.0.1:1`,
        };
        const machine = new HostMachine({ env, cwd: home });
        const printed: string[] = [];
        const print = (lines: readonly string[]) => void printed.push(...lines);
        const report = path.join(home, 'report.txt');
        await runDoctor(machine, { report }, print);
        await runDoctor(machine, { json: true }, print);
        const all = `${printed.join('\n')}\n${readFileSync(report, 'utf8')}`;
        expect(all.length).toBeGreaterThan(500);
        for (const secret of Object.values(SECRETS)) expect(all).not.toContain(secret);
        for (const secret of Object.values(SECRETS))
          expect(all).not.toContain(Buffer.from(`token:${secret}`).toString('base64'));
      }
    }
  });
});
