import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../../src/config/load.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-config-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Loads a text below `version = 1`; the host's GOPROXY is off, so that no go is asked. */
function load(text: string, env: Record<string, string> = {}, data?: string): Config {
  writeFileSync(path.join(directory, 'gokeep.toml'), `version = 1\n${text}`);
  return loadConfig({ env: { GOPROXY: 'off', ...env }, cwd: directory, data });
}

const at = (name: string): string => path.join(directory, name);

describe('where settings come from', () => {
  it('without a file everything has its default', () => {
    const config = loadConfig({
      env: { GOPROXY: 'https://host.example' },
      cwd: path.join(directory, 'empty'),
    });
    expect(config).toMatchObject({
      file: undefined,
      listen: { host: '127.0.0.1', port: 8787 },
      data: path.join(directory, 'empty', 'data'),
      private: [],
      offline: false,
      upstreamSumdb: 'sum.golang.org',
      sumdb: { name: undefined, key: path.join(directory, 'empty', 'data', 'sumdb.key') },
      tls: undefined,
      logRequests: true,
      drainDelay: 0,
    });
    expect(config.upstreams).toMatchObject([{ match: [], private: false, proxy: 'https://host.example' }]);
  });

  it.each<[string, string, string, (config: Config) => unknown, unknown]>([
    ['GOKEEP_LISTEN', '[::1]:99', 'listen = "a.test:1"', (c) => c.listen, { host: '::1', port: 99 }],
    ['GOKEEP_DATA', '/elsewhere', 'data = "here"', (c) => c.data, '/elsewhere'],
    [
      'GOKEEP_UPSTREAM',
      'https://b.test',
      '[upstream]\nproxy = "https://a.test"',
      (c) => c.upstreams[0]?.proxy,
      'https://b.test',
    ],
    [
      'GOKEEP_UPSTREAM_SUMDB',
      'off',
      '[upstream]\nproxy = "off"\nsumdb = "sum.golang.org"',
      (c) => c.upstreamSumdb,
      'off',
    ],
    ['GOKEEP_SUMDB_NAME', 'b.test', '[sumdb]\nname = "a.test"', (c) => c.sumdb.name, 'b.test'],
    ['GOKEEP_PRIVATE', 'b.test/*,c.test', 'private = ["a.test"]', (c) => c.private, ['b.test/*', 'c.test']],
    ['GOKEEP_OFFLINE', 'true', 'offline = false', (c) => c.offline, true],
    ['GOKEEP_OFFLINE', '0', 'offline = true', (c) => c.offline, false],
  ])('%s=%s stands above the file', (name, value, text, read, expected) => {
    expect(read(load(text))).not.toEqual(expected);
    expect(read(load(text, { [name]: value }))).toEqual(expected);
  });

  it('a variable that is set to nothing is not set: an empty one must not make private modules public', () => {
    const text =
      'listen = "a.test:1"\ndata = "here"\noffline = true\nprivate = ["a.test"]\n[upstream]\nproxy = "https://a.test"';
    const none = [
      'LISTEN',
      'DATA',
      'UPSTREAM',
      'UPSTREAM_SUMDB',
      'SUMDB_NAME',
      'OFFLINE',
      'CONFIG',
      'PRIVATE',
    ];
    const empty = Object.fromEntries(none.map((name) => [`GOKEEP_${name}`, '']));
    expect(load(text, empty)).toEqual(load(text));
  });

  it('what a private upstream entry matches is private for every command', () => {
    const text = `private = ["a.test"]\n[[upstream]]\nmatch = ["corp.test"]\nprivate = true\nproxy = "direct"\n[[upstream]]\nproxy = "off"`;
    expect(load(text).private).toEqual(['a.test', 'corp.test']);
  });

  it('--data stands above GOKEEP_DATA, and both are relative to where the command runs', () => {
    expect(load('data = "here"', { GOKEEP_DATA: 'there' }).data).toBe(at('there'));
    expect(load('data = "here"', { GOKEEP_DATA: 'there' }, 'flag').data).toBe(at('flag'));
  });

  it('GOKEEP_CONFIG and --config name the file; one that is named has to be there', () => {
    writeFileSync(at('other.toml'), 'version = 1\nlisten = "other.test:7"\n');
    const env = { GOPROXY: 'off', GOKEEP_CONFIG: 'other.toml' };
    expect(loadConfig({ env, cwd: directory }).listen.host).toBe('other.test');
    expect(
      loadConfig({ env: { GOPROXY: 'off' }, cwd: directory, configFile: 'other.toml' }).listen.port,
    ).toBe(7);
    expect(() => loadConfig({ env, cwd: '/', configFile: at('absent.toml') })).toThrow(/cannot be read/);
  });

  it('relative paths in the file are relative to the file', () => {
    const text = [
      'data = "state"',
      '[upstream]\nproxy = "off"\nca = "ca.pem"\nclient_cert = "c.pem"\nclient_key = "../c.key"\nnetrc = "/etc/netrc"',
      '[direct]\nssh_key = "id"\nssh_known_hosts = "hosts"\ngitconfig = "gitconfig"\nnetrc = "n"\nca = "d.pem"',
      '[sumdb]\nmark = "mark/m"',
      '[tls]\ncert = "tls/a.pem"\nkey = "tls/a.key"',
    ].join('\n');
    load(text);
    const config = loadConfig({ env: { GOPROXY: 'off' }, cwd: '/', configFile: at('gokeep.toml') });
    expect(config.data).toBe(at('state'));
    expect(config.upstreams[0]).toMatchObject({
      ca: at('ca.pem'),
      clientCert: at('c.pem'),
      clientKey: path.join(directory, '..', 'c.key'),
      netrc: '/etc/netrc',
    });
    expect(config.direct).toMatchObject({
      sshKey: at('id'),
      sshKnownHosts: at('hosts'),
      gitconfig: at('gitconfig'),
      netrc: at('n'),
      ca: at('d.pem'),
    });
    expect(config.sumdb).toMatchObject({ key: at('state/sumdb.key'), mark: at('mark/m') });
    expect(config.tls).toEqual({ cert: at('tls/a.pem'), key: at('tls/a.key') });
  });
});

describe('what cannot be meant', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['listen = "8787"', {}, /^listen: "8787" is not host:port/],
    ['listen = "a:65536"', {}, /is not host:port/],
    ['listen = "::1:80"', {}, /is not host:port/],
    ['[http]\nmetrics_listen = "x"', {}, /^http\.metrics_listen: /],
    ['', { GOKEEP_OFFLINE: 'maybe' }, /^GOKEEP_OFFLINE: "maybe" is neither true nor false/],
    ['[[upstream]]\nmatch = ["a.test"]', {}, /^upstream\[0\]\.proxy: an entry with match needs a proxy/],
    [
      '[[upstream]]\nproxy = "a"\nsumdb = "x"\n[[upstream]]\nproxy = "b"\nsumdb = "y"',
      {},
      /^upstream\.sumdb: only one/,
    ],
    ['[[upstream]]\nproxy = "a"\n[[upstream]]\nproxy = "b"', { GOKEEP_UPSTREAM: 'c' }, /^GOKEEP_UPSTREAM: /],
  ])('%j with %j', (text, env, sentence) => {
    expect(() => load(text, env)).toThrow(sentence);
    expect(() => load(text, env)).toThrow(expect.objectContaining({ code: 'bad_config' }));
  });

  it('without upstream.proxy and without a go command, a sentence says which setting to write', () => {
    const env = { PATH: '/nonexistent' };
    const go = '/nonexistent/go';
    writeFileSync(at('gokeep.toml'), `version = 1\n[direct]\ngo = "${go}"\n`);
    expect(() => loadConfig({ env, cwd: directory })).toThrow(
      /upstream\.proxy is not set, .*GOKEEP_UPSTREAM/,
    );
    writeFileSync(at('gokeep.toml'), `version = 1\noffline = true\n[direct]\ngo = "${go}"\n`);
    expect(loadConfig({ env, cwd: directory }).upstreams[0]?.proxy).toBe('off');
  });

  it('what go env GOPROXY says on this host is the default', () => {
    writeFileSync(at('gokeep.toml'), 'version = 1\n');
    const env = { PATH: process.env['PATH'], HOME: directory };
    const { proxy } = loadConfig({ env, cwd: directory }).upstreams[0] ?? { proxy: '' };
    expect(proxy).toMatch(/direct|off|http/);
  });

  it('a host whose GOPROXY is this very server gets what go says without that setting', () => {
    writeFileSync(at('gokeep.toml'), 'version = 1\nurl = "https://go.corp.example"\n');
    const env = { PATH: process.env['PATH'], HOME: directory };
    const byItself = loadConfig({ env, cwd: directory }).upstreams[0]?.proxy;
    for (const own of [
      'http://127.0.0.1:8787',
      'http://localhost:8787/,direct',
      'https://go.corp.example|off',
    ]) {
      expect(loadConfig({ env: { ...env, GOPROXY: own }, cwd: directory }).upstreams[0]?.proxy).toBe(
        byItself,
      );
    }
    const other = 'http://127.0.0.1:8788,direct';
    expect(loadConfig({ env: { ...env, GOPROXY: other }, cwd: directory }).upstreams[0]?.proxy).toBe(other);
  });

  it.each([
    'http://127.0.0.1:8787/x',
    'direct,http://[::1]:8787',
    'https://go.corp.example',
    'go.corp.example',
  ])('an upstream that is this very server is refused: %s', (proxy) => {
    writeFileSync(
      at('gokeep.toml'),
      `version = 1\nurl = "https://go.corp.example"\n[upstream]\nproxy = "${proxy}"\n`,
    );
    expect(() => loadConfig({ env: {}, cwd: directory })).toThrow(
      /upstream\.proxy: .* is this server itself/,
    );
  });
});
