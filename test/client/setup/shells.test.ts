import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { gokeep } from '../../cli/program.ts';
import { GuardedGokeep } from '../../world/guarded-gokeep.ts';
import { needs } from '../../world/programs.ts';
import { UpstreamWorld } from '../../world/upstream-world.ts';

let world: UpstreamWorld;
let guarded: GuardedGokeep;
let token: string;
let home: string;

/** A login shell may set a PATH of its own. */
const GO = execFileSync('sh', ['-c', 'command -v go'], { encoding: 'utf8' }).trim();

beforeAll(async () => {
  world = await UpstreamWorld.start();
  await world.publish({ path: 'public.test/lib', version: 'v1.0.0' });
  await world.publish({ path: 'corp.test/lib', version: 'v1.0.0' }, { inDatabase: false });
  guarded = await GuardedGokeep.start(world);
  token = await guarded.create('--name', 'alice', '--read', 'corp.test/*');
});
afterAll(async () => {
  await guarded[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'gokeep-home-'));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
}

/** Runs a program as somebody whose home this is, who has no settings of go in his environment. */
function run(
  program: string,
  args: readonly string[],
  input = '',
  env: Record<string, string> = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: home,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: home,
        GOTOOLCHAIN: 'local',
        GOFLAGS: '-modcacherw',
        NO_PROXY: '127.0.0.1',
        ...env,
      },
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

const at = (name: string): string => path.join(home, name);
const read = (name: string): Promise<string> => readFile(at(name), 'utf8');

/** The text that the server hands out, to somebody it does not know. */
async function served(target: string): Promise<string> {
  const { status, text } = await guarded.ask(`/setup/${target}`);
  expect(status).toBe(200);
  return text;
}

const texts = new Map<string, string>();

/** The text that the command makes, with the authority that the server does not know of. */
async function made(target: string, ...more: string[]): Promise<string> {
  const name = [target, ...more].join(' ');
  const known = texts.get(name);
  if (known !== undefined) return known;
  const { url, vkey } = guarded.gokeep;
  const args = ['--for', target, '--url', url, '--sumdb', vkey, '--ca', guarded.caFile, ...more];
  const { code, stdout, stderr } = await gokeep(['setup', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  texts.set(name, stdout);
  return stdout;
}

/** What each shell is started as, the files that it reads, and how it is told a command. */
const SHELLS = [
  { shell: 'bash', files: ['.bashrc', '.profile'], start: ['bash', '--norc', '-c'], source: '. ~/.bashrc' },
  { shell: 'bash', files: ['.bashrc', '.bash_profile'], start: ['bash', '-l', '-c'], source: ':' },
  { shell: 'zsh', files: ['.zshenv', '.zshrc'], start: ['zsh', '-c'], source: ':' },
  { shell: 'zsh', files: ['.zshenv', '.zshrc'], start: ['zsh', '-i', '-c'], source: ':' },
  { shell: 'fish', files: ['.config/fish/config.fish'], start: ['fish', '-c'], source: 'true' },
] as const;

for (const { shell, files, start, source } of SHELLS) {
  const [program, ...flags] = start;
  const inShell = (command: string, env: Record<string, string> = {}) =>
    run(program, [...flags, `${source}; ${command.replace(/^GO /, `${GO} `)}`], '', env);

  describe.skipIf(!needs(shell))(`${start.join(' ')}, set up`, () => {
    beforeEach(async () => {
      for (const name of files) {
        await mkdir(path.dirname(at(name)), { recursive: true });
        await writeFile(at(name), '# mine\n');
      }
    });

    it('has go download and verify a private module through a gokeep with a private authority', async () => {
      await writeFile(at('.netrc'), `machine ${guarded.host} login token password ${token}\n`, {
        mode: 0o600,
      });
      // What a colleague's wiki said once, where a profile cannot reach it.
      await run('go', ['env', '-w', 'GOPRIVATE=corp.test', 'GOPROXY=https://proxy.test,direct']);
      const set = await run('sh', [], await made(shell));
      expect(set.code, set.out).toBe(0);
      expect(set.out).toContain('login token password <token>');
      const asked = await inShell('GO env GOPROXY GOSUMDB GONOPROXY GONOSUMDB');
      expect(asked).toEqual({ code: 0, out: `${guarded.url}\n${guarded.gokeep.vkey}\nnone\nnone\n` });
      await writeFile(at('go.mod'), 'module main.test/main\n\ngo 1.21\n');
      const got = await inShell('GO mod download -json corp.test/lib@v1.0.0 public.test/lib@v1.0.0');
      expect(got.out.match(/"Sum": "h1:/g)).toHaveLength(2);
      expect(got.code).toBe(0);
    });

    it('wins over what the profile said before, and over what the environment holds', async () => {
      const before = shell === 'fish' ? 'set -gx GOPRIVATE corp.test\n' : 'export GOPRIVATE=corp.test\n';
      for (const name of files) await writeFile(at(name), before);
      const { out } = await run('sh', [], await served(shell));
      expect(out).toContain('not ours');
      const env = { GOPRIVATE: '*', GOPROXY: 'direct', GOSUMDB: 'off', GONOSUMDB: '*', GOINSECURE: '*' };
      const asked = await inShell('GO env GOPROXY GOSUMDB GONOPROXY GONOSUMDB GOPRIVATE GOINSECURE', env);
      expect(asked.out).toBe(`${guarded.url}\n${guarded.gokeep.vkey}\nnone\nnone\n\n\n`);
    });

    it('is the same when it is set up twice, and as before when it is undone', async () => {
      const text = await served(shell);
      await run('sh', [], text);
      const once = await Promise.all(files.map(read));
      expect(once.every((content) => content.startsWith('# mine\n') && content.length > 50)).toBe(true);
      const again = await run('sh', [], text);
      expect(await Promise.all(files.map(read))).toEqual(once);
      expect(again.out).not.toContain('wrote');
      expect((await run('sh', ['-s', '--', '--undo'], text)).code).toBe(0);
      expect(await Promise.all(files.map(read))).toEqual(files.map(() => '# mine\n'));
      expect(await run('sh', ['-s', '--', '--undo'], text)).toMatchObject({ code: 0 });
      expect(await Promise.all(files.map(read))).toEqual(files.map(() => '# mine\n'));
    });
  });
}

describe('the scripts for sh', () => {
  it.skipIf(!needs('curl'))(
    'are run straight from the server, with set -eu, checksum compared first',
    async () => {
      const check = `set -eu
curl -fsS --cacert ${guarded.caFile} ${guarded.url}/setup/bash >setup.sh
head -n 1 setup.sh | grep -q "$(tail -n +2 setup.sh | sha256sum | cut -d' ' -f1)"
curl -fsS --cacert ${guarded.caFile} ${guarded.url}/setup | grep -q "$(tail -n +2 setup.sh | sha256sum | cut -d' ' -f1)"
curl -fsS --cacert ${guarded.caFile} ${guarded.url}/setup/bash | sh
. ./.bashrc
. ./.profile
go env GOPROXY`;
      const ran = await run('bash', ['-c', check]);
      expect(ran.out.trimEnd().split('\n').at(-1), ran.out).toBe(guarded.url);
      expect(ran.code).toBe(0);
    },
  );

  it('do nothing when they broke off on their way', async () => {
    const text = await served('bash');
    for (const length of [0.3, 0.6, 0.9, 0.99].map((part) => Math.floor(text.length * part)))
      await run('sh', [], text.slice(0, length));
    await expect(read('.bashrc')).rejects.toThrow(/ENOENT/);
  });

  it('write through a link, keep the mode, and leave a block without its end alone', async () => {
    await writeFile(at('dotfiles'), '# mine\n# >>> gokeep >>>\nexport KEPT=1\n', { mode: 0o600 });
    await symlink('dotfiles', at('.bashrc'));
    const text = await made('bash');
    await run('sh', [], text);
    expect(await read('dotfiles')).toContain('export KEPT=1\n');
    expect((await run('sh', ['-c', 'ls -l .bashrc dotfiles'])).out).toMatch(/^l[^\n]*\n-rw------- /);
    expect((await run('bash', ['--norc', '-c', '. ~/.bashrc; echo $KEPT$GOPROXY'])).out).toContain(
      guarded.url,
    );
  });

  it('remove what they made, files and certificate, when undone', async () => {
    await run('sh', [], await made('zsh'));
    expect(await read('.config/gokeep/ca/gokeep.pem')).toBe(await readFile(guarded.caFile, 'utf8'));
    const undone = await run('sh', [], await made('zsh', '--undo'));
    expect(undone.code, undone.out).toBe(0);
    expect((await run('find', ['.', '-type', 'f'])).out).toBe('');
  });
});

describe('go env -w', () => {
  it('sets what go reads without any shell, says what wins over it, and takes back what is its own', async () => {
    await run('go', ['env', '-w', 'GOPRIVATE=corp.test', 'GOINSECURE=corp.test']);
    const text = await served('go-env');
    const set = await run('sh', [], text, { GONOSUMDB: 'corp.test' });
    expect(set.code, set.out).toBe(0);
    expect(set.out).toContain('GONOSUMDB is set in the environment, which wins');
    const asked = () =>
      run('go', ['env', 'GOPROXY', 'GOSUMDB', 'GONOPROXY', 'GONOSUMDB', 'GOPRIVATE', 'GOINSECURE']);
    const wanted = `${guarded.url}\n${guarded.gokeep.vkey}\nnone\nnone\n\n\n`;
    expect((await asked()).out).toBe(wanted);
    expect((await run('sh', [], text)).out).not.toContain('note:');
    expect((await asked()).out).toBe(wanted);
    await run('go', ['env', '-w', 'GOSUMDB=sum.golang.org', 'GOFLAGS=-trimpath']);
    expect((await run('sh', ['-s', '--', '--undo'], text)).code).toBe(0);
    expect((await run('sh', ['-c', 'cat "$(go env GOENV)"'])).out).toBe(
      'GOFLAGS=-trimpath\nGOSUMDB=sum.golang.org\n',
    );
  });

  it('says so where go reads no such file', async () => {
    const { code, out } = await run('sh', [], await served('go-env'), { GOENV: 'off' });
    expect(code).toBe(1);
    expect(out).toContain('GOENV is off');
  });
});

describe('/etc/environment', () => {
  it('gets a block that pam_env reads, and loses it again', async () => {
    await writeFile(at('environment'), 'LANG=C\n');
    const text = await made('etc-environment');
    const directory = at('ca');
    await run('sh', ['-s', '--', at('environment')], text, { GOKEEP_CA_DIRECTORY: directory });
    const lines = (await read('environment')).split('\n');
    expect(lines).toContain(`GOSUMDB="${guarded.gokeep.vkey}"`);
    for (const line of lines) expect(line).toMatch(/^(?:#.*|[A-Z_]+=(?:"[^"$\\]*"|\w+)|)$/);
    await run('sh', ['-s', '--', '--undo', at('environment')], text, { GOKEEP_CA_DIRECTORY: directory });
    expect(await read('environment')).toBe('LANG=C\n');
  });
});

describe('what CI systems hand to a shell', () => {
  beforeEach(async () => {
    await writeFile(at('go.mod'), 'module main.test/main\n\ngo 1.21\n\nrequire corp.test/lib v1.0.0\n');
    await writeFile(at('app.go'), 'package app\n\nimport _ "corp.test/lib"\n');
    const env = { GOPROXY: guarded.url, GOSUMDB: guarded.gokeep.vkey, ...trusting() };
    await writeFile(at('.netrc'), `machine ${guarded.host} login token password ${token}\n`);
    expect((await run('go', ['mod', 'tidy'], '', env)).out).toContain('downloading corp.test/lib');
    expect((await run('go', ['clean', '-modcache'])).code).toBe(0);
    await rm(at('.netrc'));
  });
  /** Testing would compile half of the standard library into a new cache. */
  const quick = (script: string) => script.replace('go test ./...', 'go build -v ./...');
  const trusting = () => ({ SSL_CERT_DIR: guarded.directory });
  /** As the systems do, once, from the left. */
  const expand = (value: string, env: Record<string, string>) =>
    value.replaceAll(/\$(\w+)/g, (_, name: string) => env[name] ?? '');

  it('has GitLab log in, download and build, with a build cache in the directory that is kept', async () => {
    const { go } = parse(await served('gitlab-ci')) as Record<'go', Record<string, never>>;
    const job = go as unknown as Record<'before_script' | 'script', string[]> & {
      variables: Record<string, string>;
    };
    const env: Record<string, string> = { CI_PROJECT_DIR: home, GOKEEP_TOKEN: token, ...trusting() };
    for (const [name, value] of Object.entries(job.variables)) env[name] = expand(value, env);
    const script = quick([...job.before_script, ...job.script].join('\n'));
    const ran = await run('bash', ['-eo', 'pipefail', '-c', script], '', env);
    expect(ran.out).toMatch(/^corp\.test\/lib\nmain\.test\/main$/m);
    expect(ran.code).toBe(0);
    expect((await run('ls', [at('.cache/go-build')])).out).toContain('README');
    await rm(`${home}.netrc`);
  });

  it('has Jenkins download and build, with a build cache of this job and go.sum', async () => {
    const text = await served('jenkins');
    const script = /'''([^]*?)'''/.exec(text)![1]!.replaceAll('\\\\', '\\');
    const set = [...text.matchAll(/^ {4}([A-Z_]+) = '([^']*)'$/gm)].map(([, name, value]) => [name!, value!]);
    await writeFile(at('credentials'), `machine ${guarded.host} login token password ${token}\n`);
    const env = {
      ...Object.fromEntries(set),
      NETRC: at('credentials'),
      JOB_NAME: 'team/app/main',
      ...trusting(),
    };
    const ran = await run('sh', ['-c', quick(script)], '', env);
    expect(ran.out).toMatch(/^corp\.test\/lib\nmain\.test\/main$/m);
    expect(ran.code).toBe(0);
    const caches = await run('sh', ['-c', 'cd .cache/gokeep && echo */*']);
    expect(caches.out).toMatch(/^[0-9a-f]{16}\/go1\.[0-9.]+-\w+-\w+-0-[0-9a-f]{16}\n$/);
  });
});

describe('/setup', () => {
  it('lists every target with its checksum, to everybody', async () => {
    const { status, text } = await guarded.ask('/setup');
    expect(status).toBe(200);
    for (const name of ['bash', 'powershell', 'gpo', 'intune'])
      expect(text).toContain(`${guarded.url}/setup/${name}\n`);
  });

  it('is, byte for byte, what the command prints beside the server', async () => {
    const { stdout } = await guarded.beside('setup', '--for', 'powershell');
    expect(stdout).toBe(await served('powershell'));
  });

  it('hands out a target of several files as their list, and each of them', async () => {
    const list = await served('gpo');
    for (const name of ['gokeep.admx', 'en-US/gokeep.adml', 'EnvironmentVariables.xml']) {
      expect(list).toContain(`${guarded.url}/setup/gpo/${name}\n`);
      expect(await served(`gpo/${name}`)).toMatch(
        /^<!-- SHA-256 of everything below this line: [0-9a-f]{64} -->\n/,
      );
    }
  });

  it.each(['nothing', 'gpo/nothing', 'bash/bash.sh/x', '..%2f..%2fetc', 'constructor', '__proto__'])(
    'has no %s, and says what there is',
    async (name) => {
      const { status, text } = await guarded.ask(`/setup/${name}`);
      expect(status).toBe(404);
      expect(text).toMatch(/choose one of bash, |it has /);
    },
  );
});
