import { describe, expect, it } from 'vitest';
import { findingsOf } from '../../src/client/doctor/checks/checks.ts';
import { collectFacts } from '../../src/client/doctor/facts/collect.ts';
import type { Facts } from '../../src/client/doctor/facts/facts.ts';
import { readGoproxy } from '../../src/client/doctor/facts/goproxy-list.ts';
import { fileSystemOf, isShare } from '../../src/client/doctor/facts/mounts.ts';
import { settingsIn } from '../../src/client/doctor/facts/profiles.ts';
import { rank } from '../../src/client/doctor/finding.ts';
import { egressFor } from '../../src/client/doctor/net/egress.ts';
import { headerIn } from '../../src/client/doctor/probes/credentials.ts';
import type { Probed } from '../../src/client/doctor/probes/probed.ts';
import { Redactor } from '../../src/client/doctor/redact.ts';
import { verdict } from '../../src/client/doctor/report.ts';
import { MadeMachine } from './made-machine.ts';

/** Nobody was asked. */
const UNASKED: Probed = {
  entries: [],
  target: undefined,
  gosumdbLine: undefined,
  access: undefined,
  database: { kind: 'not asked', why: '' },
  download: { kind: 'not tried', why: '' },
  secrets: [],
  ms: 0,
};
const ids = (facts: Facts) => findingsOf(facts, UNASKED).map(({ id }) => id);

describe('a made machine', () => {
  it('with GOPATH on a share is told so, once', async () => {
    const machine = new MadeMachine({ go: { GOPATH: '/net/home/go', GOMODCACHE: '/net/home/go/pkg/mod' } });
    machine.kinds.set('/net/home/go', 'nfs4').set('/net/home/go/pkg/mod', 'nfs4');
    const found = findingsOf(await collectFacts(machine), UNASKED).filter(({ id }) => id === 'on-share');
    expect(found.map(({ what }) => what)).toEqual(['GOPATH /net/home/go is on another machine (nfs4).']);
  });

  it('with Windows has its registry read, for what sets a variable and for what no go reads', async () => {
    const machine = new MadeMachine({
      platform: 'win32',
      env: { GOPRIVATE: 'corp.test', ProgramData: 'C:\\ProgramData' },
      go: { GOPRIVATE: 'corp.test', GONOSUMDB: 'corp.test', GONOPROXY: 'corp.test' },
    });
    machine.answer(
      'reg query HKCU\\Environment',
      '\r\nHKEY_CURRENT_USER\\Environment\r\n    GOPRIVATE    REG_SZ    corp.test\r\n    TEMP    REG_EXPAND_SZ    %USERPROFILE%\\x\r\n',
    );
    machine.answer('reg query HKLM\\SOFTWARE\\Go', 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Go\r\n');
    const found = findingsOf(await collectFacts(machine), UNASKED);
    const [first] = found;
    expect(first?.id).toBe('goprivate');
    expect(first?.what).toContain('HKCU\\Environment');
    expect(first?.fix).toContain('Remove-Item Env:GOPRIVATE');
    expect(found.filter(({ id }) => id === 'myth').map(({ what }) => what)).toEqual([
      'HKLM\\SOFTWARE\\Go is set, by this Windows machine, and no go command reads it.',
    ]);
  });

  it('whose go does not answer is not called well', async () => {
    const machine = new MadeMachine({});
    machine.answer('go env', '', 1);
    expect(ids(await collectFacts(machine))).toContain('go-refuses');
  });

  it('with nothing wrong has no finding but that GOPROXY names no server', async () => {
    expect(ids(await collectFacts(new MadeMachine({})))).toEqual(['goproxy-elsewhere']);
  });

  it('keeps "none" in GONOSUMDB, which people write for nothing', async () => {
    const machine = new MadeMachine({ go: { GONOSUMDB: 'none' } });
    expect(ids(await collectFacts(machine))).not.toContain('gonosumdb');
  });
});

describe('findings', () => {
  it('come by harm, and within one as they were found', () => {
    const finding = (id: string, harm: 'note' | 'risk' | 'broken' | 'unsafe') => ({
      id,
      harm,
      what: '',
      why: '',
      fix: [],
    });
    const ranked = rank([
      finding('a', 'note'),
      finding('b', 'broken'),
      finding('c', 'unsafe'),
      finding('d', 'broken'),
    ]);
    expect(ranked.map(({ id }) => id)).toEqual(['c', 'b', 'd', 'a']);
  });

  it('are "all is well" only when nothing is left untried', () => {
    expect(verdict({ findings: [], notTried: [] })).toBe('All is well.');
    expect(verdict({ findings: [], notTried: ['a download: …'] })).not.toContain('well');
  });
});

describe('what is read', () => {
  it('profiles, by shell', () => {
    const text =
      '#export GOPROXY=a\nexport GOPROXY="b c" # x\nGOSUMDB=off; true\n  export GOFLAGS=$X\nOTHER=1\n';
    const named = (name: string) => name.startsWith('GO');
    expect(settingsIn('/h/.bashrc', text, named)).toEqual([
      { file: '/h/.bashrc', line: 2, name: 'GOPROXY', value: 'b c', literal: true },
      { file: '/h/.bashrc', line: 3, name: 'GOSUMDB', value: 'off', literal: true },
      { file: '/h/.bashrc', line: 4, name: 'GOFLAGS', value: '$X', literal: false },
    ]);
    expect(settingsIn('/h/config.fish', 'set -gx GOPROXY http://a\n', named)[0]?.value).toBe('http://a');
  });

  it('GOPROXY, with what follows each entry and what is never reached', () => {
    const shown = readGoproxy(' https://u:p@a.test/x/?q , b.test|direct,c.test').map((each) => [
      each.kind,
      each.url,
      each.separator,
      each.isReached,
    ]);
    expect(shown).toEqual([
      ['http', 'https://a.test/x', ',', true],
      ['http', 'https://b.test', '|', true],
      ['direct', undefined, ',', true],
      ['http', 'https://c.test', '', false],
    ]);
  });

  it('mounts: the longest mount point that holds a path', () => {
    const mounts = 'r / ext4 rw 0 0\nn /home nfs4 rw 0 0\nx /home/my\\040dir fuse.sshfs rw 0 0\n';
    expect(fileSystemOf(mounts, '/home/a')).toBe('nfs4');
    expect(fileSystemOf(mounts, '/homes/a')).toBe('ext4');
    expect(fileSystemOf(mounts, '/home/my dir/a')).toBe('fuse.sshfs');
    expect(isShare('nfs4', '/home/a')).toBe(true);
    expect(isShare(undefined, '\\\\server\\share')).toBe(true);
    expect(isShare('ext4', '/home/a')).toBe(false);
  });

  it('egress proxies, as go chooses them', () => {
    const env = { HTTPS_PROXY: 'proxy.test:3128', NO_PROXY: '.corp.test,exact.test:444,10.0.0.0/8' };
    const kind = (url: string) => egressFor(new URL(url), env).kind;
    expect(kind('https://go.dev')).toBe('proxy');
    expect(kind('http://go.dev')).toBe('straight');
    expect(kind('https://go.corp.test')).toBe('straight');
    expect(kind('https://corp.test')).toBe('proxy');
    expect(kind('https://exact.test:444')).toBe('straight');
    expect(kind('https://exact.test')).toBe('proxy');
    expect(kind('https://10.1.2.3')).toBe('straight');
    expect(kind('https://127.0.0.1')).toBe('straight');
    expect(egressFor(new URL('https://go.dev'), { HTTPS_PROXY: 'ftp://x' }).kind).toBe('bad');
  });

  it('what a GOAUTH command answers, for the address that it names and those below it', () => {
    const output =
      'https://a.test\nhttps://b.test/x\n\nAuthorization: Bearer one\n\nhttps://c.test\n\nAuthorization: Bearer two\n\n';
    const header = (url: string) => headerIn(output, new URL(url));
    expect(header('https://a.test/')).toBe('Bearer one');
    expect(header('https://b.test/x/y')).toBe('Bearer one');
    expect(header('https://b.test/xy')).toBeUndefined();
    expect(header('https://c.test')).toBe('Bearer two');
    expect(header('https://d.test')).toBeUndefined();
  });
});

describe('a text that is shown', () => {
  it.each([
    ['https://u:pw12345@a.test/x', 'https://a.test/x'],
    ['https://a.test/x?token=abc', 'https://a.test/x?[redacted]'],
    ['Authorization: Bearer abcdefgh', 'Authorization: [redacted]'],
    ['Basic dXNlcjpwYXNz', 'Basic [redacted]'],
    ['login a password hunter2', 'login a password [redacted]'],
    ['it is hunter2-known', 'it is [redacted]'],
    ['glpat-abcdef123456', '[redacted]'],
    ['GOPROXY holds a password for https://a.test', 'GOPROXY holds a password for https://a.test'],
  ])('%s → %s', (text, shown) => {
    expect(new Redactor(['hunter2-known']).text(text)).toBe(shown);
  });
});
