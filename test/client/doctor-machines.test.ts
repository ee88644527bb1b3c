import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../src/client/doctor/doctor.ts';
import { reportLines } from '../../src/client/doctor/report.ts';
import { startHttpProxy } from '../upstream/egress-servers.ts';
import { DoctorWorld } from './doctor-world.ts';

let at: DoctorWorld;

beforeAll(async () => {
  at = await DoctorWorld.start();
});
afterAll(() => at[Symbol.asyncDispose]());

type Env = Record<string, string | undefined>;
/** Makes one machine: files below a home, and what its environment is beyond that of one that is well. */
type Break = () => Env | Promise<Env>;

const plain = (change: Env, files: Record<string, string> = {}): Env => ({
  ...at.env(at.home(files)),
  ...change,
});
const guarded = (change: Env, files: Record<string, string> = {}): Env => ({
  ...at.guardedEnv(at.home(files)),
  ...change,
});
const GO_MOD = 'module main.test/main\n\ngo 1.21\n';
const proxyTo = async (tls: { cert: string; key: string }, root?: string): Promise<Env> => {
  const home = at.home({ 'root.pem': root ?? at.certificates.root });
  const server = await at.hostile(tls);
  return { ...at.env(home), GOPROXY: server.url, SSL_CERT_FILE: path.join(home, 'root.pem') };
};

/** What is broken, the first finding that it gets, and a word of its fix. */
const MACHINES: readonly (readonly [what: string, id: string, fix: RegExp, machine: Break])[] = [
  [
    'GOSUMDB=off, by go env -w',
    'gosumdb-off',
    /^go env -w GOSUMDB=\S+\+\w{8}\+/m,
    () => plain({ GOSUMDB: undefined }, { '.config/go/env': 'GOSUMDB=off\n' }),
  ],
  [
    'GOPRIVATE, from a profile',
    'goprivate',
    /\.bashrc:2.*\nunset GOPRIVATE/,
    () => plain({ GOPRIVATE: 'corp.test' }, { '.bashrc': '# mine\nexport GOPRIVATE="corp.test"\n' }),
  ],
  ['GONOSUMDB', 'gonosumdb', /unset GONOSUMDB/, () => plain({ GONOSUMDB: 'corp.test' })],
  ['GONOPROXY', 'gonoproxy', /unset GONOPROXY/, () => plain({ GONOPROXY: 'corp.test' })],
  ['GOINSECURE', 'goinsecure', /unset GOINSECURE/, () => plain({ GOINSECURE: 'corp.test' })],
  [
    'GOFLAGS=-mod=vendor without a vendor directory',
    'goflags-vendor',
    /export GOFLAGS=-trimpath/,
    () => plain({ GOFLAGS: '-mod=vendor -trimpath' }, { 'go.mod': GO_MOD }),
  ],
  [
    'direct before us',
    'direct-first',
    /export GOPROXY=http/,
    () => plain({ GOPROXY: `direct,${at.open.url}` }),
  ],
  [
    'a pipe after us',
    'pipe-after',
    /export GOPROXY=http\S+$/m,
    () => plain({ GOPROXY: `${at.open.url}|direct` }),
  ],
  [
    'direct after us',
    'fallback-after',
    /GOPROXY=http[^,]+$/m,
    () => plain({ GOPROXY: `${at.open.url},direct` }),
  ],
  [
    'another proxy before us',
    'other-first',
    /export GOPROXY/,
    () => plain({ GOPROXY: `${at.world.url},${at.open.url}` }),
  ],
  ['GO111MODULE=off', 'go111module', /unset GO111MODULE/, () => plain({ GO111MODULE: 'off' })],
  [
    'a head of another key of the same name',
    'stale-head',
    /^rm -rf '.*latest'$/m,
    () => plain({}, { [at.headFile]: at.otherKey().head }),
  ],
  [
    'a lookup in the module cache that another key has signed',
    'stale-head',
    /^rm -rf '.*cache\/download\/sumdb\/gokeep-[^/]*'$/m,
    () => plain({}, { [at.lookupFile]: `0\nexample.test/held v1.0.0 h1:x=\n\n${at.otherKey().head}` }),
  ],
  [
    'a git that does not verify TLS',
    'git-insecure',
    /unset http\.sslVerify/,
    () => plain({}, { '.gitconfig': '[http]\n\tsslVerify = false\n' }),
  ],
  ['a head that is garbage', 'stale-head', /^rm -rf /m, () => plain({}, { [at.headFile]: 'what?\n' })],
  [
    'GOTOOLCHAIN with the database off',
    'toolchain-without-database',
    /unset GOSUMDB/,
    () => plain({ GOTOOLCHAIN: 'go1.99.0', GOSUMDB: 'off' }),
  ],
  [
    'a go.mod that is newer than go',
    'toolchain-too-old',
    /GOTOOLCHAIN=auto/,
    () => plain({ GOTOOLCHAIN: 'local' }, { 'go.mod': GO_MOD.replace('1.21', '1.99') }),
  ],
  ['GOTOOLCHAIN=latest', 'gotoolchain-bad', /GOTOOLCHAIN=auto/, () => plain({ GOTOOLCHAIN: 'latest' })],
  [
    'cgo without a compiler',
    'cgo-without-compiler',
    /CGO_ENABLED=0/,
    () => plain({ CGO_ENABLED: '1', CC: 'no-such-cc' }),
  ],
  [
    'a leak beside what makes builds fail',
    'cgo-without-compiler',
    /CGO_ENABLED=0/,
    () => plain({ GOPROXY: `${at.open.url},direct`, CGO_ENABLED: '1', CC: 'no-such-cc' }),
  ],
  [
    'GOCACHE below a file',
    'gocache',
    /export GOCACHE/,
    () => {
      const env = plain({}, { cache: '' });
      return { ...env, GOCACHE: path.join(env['HOME']!, 'cache') };
    },
  ],
  [
    'a CI job without a home',
    'gocache',
    /export GOCACHE/,
    () => {
      const env = plain({ CI: 'true' });
      return { ...env, GOPATH: path.join(env['HOME']!, 'go'), HOME: undefined };
    },
  ],
  [
    'GOMODCACHE below a file',
    'gomodcache',
    /export GOMODCACHE/,
    () => {
      const env = plain({}, { cache: '' });
      return { ...env, GOMODCACHE: path.join(env['HOME']!, 'cache', 'mod') };
    },
  ],
  ['a variable of an article', 'myth', /unset GONOSUMCHECK/, () => plain({ GONOSUMCHECK: '1' })],
  ['GOPROXY=off', 'goproxy-off', /two lines to set/, () => plain({ GOPROXY: 'off' })],
  [
    'a profile that was not read',
    'profile-not-loaded',
    /^go env -w GOPROXY=http:/m,
    () => plain({ GOPROXY: undefined }, { '.zshrc': `export GOPROXY=${at.open.url}\n` }),
  ],
  [
    'an environment that hides go env -w',
    'goproxy-shadowed',
    /take it out of the environment/,
    () => plain({ GOPROXY: 'direct' }, { '.config/go/env': `GOPROXY=${at.open.url}\n` }),
  ],
  [
    'quotes inside of GOPROXY',
    'goproxy-bad',
    /GOPROXY|two lines/,
    () => plain({ GOPROXY: `"${at.open.url}"` }),
  ],
  ['a port where nothing listens', 'refused', /livez/, () => plain({ GOPROXY: 'http://127.0.0.1:1' })],
  ['a name that nobody knows', 'dns', /getent hosts/, () => plain({ GOPROXY: 'http://gokeep.invalid' })],
  [
    'a server that is silent',
    'no-answer',
    /curl/,
    async () => {
      const server = await at.hostile();
      server.otherwise = () => ({ fault: 'hangBeforeHead' });
      return plain({ GOPROXY: server.url });
    },
  ],
  [
    'https for a server that speaks http',
    'no-tls',
    /curl -v http:/,
    () => plain({ GOPROXY: at.open.url.replace('http:', 'https:') }),
  ],
  [
    'http for a server that speaks https',
    'no-http',
    /curl -v https:/,
    () => plain({ GOPROXY: at.guarded.url.replace('https:', 'http:') }),
  ],
  [
    'an authority that only git knows',
    'tls-git-knows',
    /update-ca-certificates/,
    () =>
      guarded({ SSL_CERT_FILE: undefined }, { '.gitconfig': `[http]\n\tsslCAInfo = ${at.guarded.caFile}\n` }),
  ],
  [
    'SSL_CERT_FILE that is not there',
    'ssl-cert-file',
    /unset SSL_CERT_FILE/,
    () => guarded({ SSL_CERT_FILE: '/nonexistent/ca.pem' }),
  ],
  [
    'a server that leaves its intermediate certificate out',
    'tls-missing-certificate',
    /"middle test"/,
    () => proxyTo(at.certificates.withoutIntermediate),
  ],
  [
    'a certificate signed by itself',
    'tls-unknown-authority',
    /update-ca-certificates/,
    () => proxyTo(at.certificates.selfSigned),
  ],
  ['a certificate that is out of date', 'tls-expired', /date -u/, () => proxyTo(at.certificates.expired)],
  [
    'a name that the certificate does not have',
    'tls-wrong-name',
    /use one of its names/,
    () => guarded({ GOPROXY: at.guarded.url.replace('127.0.0.1', 'localhost') }),
  ],
  ['no netrc', 'auth-missing', /printf .*>> .*netrc && chmod 600/, () => guarded({})],
  [
    'a token that was revoked',
    'auth-wrong',
    /ask the operator/,
    () => guarded({}, { '.netrc': at.netrc('gokeep_0123456789abcdefghijklmnop') }),
  ],
  [
    'a netrc without the port',
    'netrc-port',
    /machine %s/,
    () => guarded({}, { '.netrc': at.netrc().replace(/:\d+/, '') }),
  ],
  [
    'a netrc without a login',
    'netrc-incomplete',
    /machine %s/,
    () => guarded({}, { '.netrc': at.netrc().replace('login token ', '') }),
  ],
  [
    'a GOAUTH that stands instead of netrc',
    'goauth-without-netrc',
    /unset GOAUTH/,
    () => guarded({ GOAUTH: 'off' }, { '.netrc': at.netrc() }),
  ],
  [
    'a netrc that others may read',
    'netrc-mode',
    /chmod 600/,
    () => {
      const env = guarded({}, { '.netrc': at.netrc() });
      chmodSync(path.join(env['HOME']!, '.netrc'), 0o644);
      return env;
    },
  ],
  [
    'a password in GOPROXY',
    'credentials-in-goproxy',
    /netrc/,
    () => guarded({ GOPROXY: at.guarded.url.replace('https://', `https://token:${at.token}@`) }),
  ],
  [
    'a password in GOPROXY, over http',
    'credentials-over-http',
    /GOPROXY=https:/,
    () => plain({ GOPROXY: at.open.url.replace('http://', 'http://token:hunter2secret@') }),
  ],
  [
    'GOSUMDB of another server',
    'gosumdb-elsewhere',
    /export GOSUMDB=gokeep-/,
    () => plain({ GOSUMDB: at.guarded.gokeep.vkey }),
  ],
  [
    'GOSUMDB cut off',
    'gosumdb-bad',
    /export GOSUMDB=gokeep-/,
    () => plain({ GOSUMDB: at.open.vkey.slice(0, -9) }),
  ],
  [
    'GOSUMDB of the same name with another key',
    'gosumdb-other-key',
    /export GOSUMDB=gokeep-/,
    () => plain({ GOSUMDB: at.otherKey().vkey }),
  ],
  [
    'a head that contradicts the log',
    'fork',
    /evidence/,
    () => plain({}, { [at.headFile]: at.forgedHead(1) }),
  ],
  [
    'a head that is newer than the log',
    'head-behind',
    /restored/,
    () => plain({}, { [at.headFile]: at.forgedHead(5000) }),
  ],
  [
    'an egress proxy that is dead',
    'egress-proxy',
    /NO_PROXY/,
    () => plain({ GOPROXY: 'https://go.corp.test', HTTPS_PROXY: 'http://127.0.0.1:1' }),
  ],
  [
    'no go on PATH',
    'go-missing',
    /install Go/,
    () => {
      const env = plain({});
      mkdirSync(path.join(env['HOME']!, 'bin'));
      symlinkSync('/usr/bin/git', path.join(env['HOME']!, 'bin', 'git'));
      return { ...env, PATH: path.join(env['HOME']!, 'bin') };
    },
  ],
  ['GOFLAGS that is no flag', 'goflags-bad', /unset GOFLAGS/, () => plain({ GOFLAGS: 'mod=mod' })],
  ['a relative GOMODCACHE', 'relative-path', /unset GOMODCACHE/, () => plain({ GOMODCACHE: 'mod' })],
  [
    'a portal in the way',
    'html-answer',
    /curl/,
    async () => {
      const server = await at.hostile();
      server.otherwise = () => ({ fault: 'html' });
      return plain({ GOPROXY: server.url });
    },
  ],
  [
    'two servers, and the first is none',
    'other-first',
    /export GOPROXY=http/,
    async () => {
      const server = await at.hostile();
      return plain({ GOPROXY: `${server.url}|${at.open.url}` });
    },
  ],
];

describe('a machine that is broken on purpose gets its right first finding', () => {
  it.each(MACHINES)('%s → %s', async (_, id, fix, machine) => {
    const report = await at.examine(await machine());
    const [first] = report.findings;
    expect(first?.id, reportLines(report).join('\n')).toBe(id);
    expect(first?.fix.join('\n')).toMatch(fix);
    expect(exitCodeOf(report)).toBe(first?.harm === 'note' ? 0 : 1);
    expect(report.ms).toBeLessThan(10_000);
  });
});

describe('a machine that is well', () => {
  it('has nothing to change, and go itself has downloaded and verified', async () => {
    const report = await at.examine(plain({}));
    expect(report.findings).toEqual([]);
    expect(reportLines(report).at(-1)).toBe('All is well.');
    expect(report.tried.join('\n')).toContain('go downloaded example.test/held@v1.0.0');
  });

  it('is so with TLS, an intermediate authority and a token from netrc', async () => {
    const report = await at.examine(guarded({}, { '.netrc': at.netrc() }));
    expect(reportLines(report).at(-1), reportLines(report).join('\n')).toBe('All is well.');
  });

  it('is so with the public database in GOSUMDB, of which it is told', async () => {
    const report = await at.examine(plain({ GOSUMDB: at.world.vkey }));
    expect(report.findings.map(({ id }) => id)).toEqual(['gosumdb-public']);
    expect(exitCodeOf(report)).toBe(0);
  });

  it('is so behind an egress proxy, which alone knows the name of the server', async () => {
    await using proxy = await startHttpProxy();
    const address = `http://someone:EgressPassw0rd@127.0.0.1:${proxy.port}`;
    const host = at.guarded.host.replace('127.0.0.1', 'upstream.test');
    const secure = guarded(
      { GOPROXY: `https://${host}`, HTTPS_PROXY: address },
      { '.netrc': at.netrc().replace('127.0.0.1', 'upstream.test') },
    );
    const open = plain({ GOPROXY: at.open.url.replace('127.0.0.1', 'upstream.test'), HTTP_PROXY: address });
    const report = await at.examine(secure);
    expect(reportLines(report).at(-1), reportLines(report).join('\n')).toBe('All is well.');
    // That proxy does not forward a second request on one connection, which go would send.
    const forwarded = await at.examine({ ...open, PATH: '/nonexistent' }, open['GOPROXY']);
    expect(forwarded.tried[0]).toMatch(/upstream\.test:\d+ answers, and is a gokeep/);
    expect(proxy.asked).toContain(`CONNECT ${host}`);
    expect(proxy.credentials.length).toBe(proxy.asked.length);
    const refused = await at.examine({ ...secure, GOPROXY: 'https://upstream.test:1' });
    expect(refused.findings[0]?.id).toBe('egress-proxy');
    expect(refused.findings[0]?.what).toContain('HTTP 403');
  });

  it('proves that the server continues the head that go itself has kept', async () => {
    const env = plain({});
    const home = env['HOME']!;
    writeFileSync(path.join(home, 'go.mod'), GO_MOD);
    const first = await at.examine(env);
    expect(first.tried.join('\n')).toContain('go remembers none here');
    const head = await (await at.open.get(`/sumdb/${at.open.vkey.split('+')[0]}/latest`)).text();
    mkdirSync(path.dirname(path.join(home, at.headFile)), { recursive: true });
    writeFileSync(path.join(home, at.headFile), head);
    expect((await at.examine(env)).tried.join('\n')).toMatch(/continues the one of \d+ that go remembers/);
  });
});
