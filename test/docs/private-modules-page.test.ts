import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { gokeep } from '../cli/program.ts';
import { moduleZipOf } from '../publish/publishing-site.ts';
import { MadeSigstore } from '../signing/made-sigstore.ts';
import { makeKey, signBlob } from '../signing/made-signatures.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';

const KEY = makeKey('P-256');
const FILE = path.join(import.meta.dirname, '../../docs/private-modules.md');
const whole = await readFile(FILE, 'utf8');
const page = [...whole.matchAll(/^## (?:Publish|Sign)\n[^]*?(?=^## |(?![^]))/gm)].join('\n');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map(([, block]) => block!);

/** What the page tells to type: in its sh blocks, and in its text. */
const commands = [
  ...blocks('sh').flatMap((block) => block.split('\n')),
  ...[...page.matchAll(/`(npx gokeep [^`\n]+)`/g)].map(([, command]) => command!),
].filter((line) => line.startsWith('npx gokeep '));

/** As a shell splits it, as far as the page needs that. */
const words = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!).slice(2);

describe('the page on private modules, on publishing and signing', () => {
  let directory: string;
  let server: GokeepProcess;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'gokeep-page-'));
    const toml = blocks('toml')
      .join('\n')
      .replace('version = 1\n', '')
      .replace(/"https:.*direct"/, '"off"')
      .replaceAll('/etc/gokeep/signing', directory);
    await writeFile(path.join(directory, 'cosign.pub'), KEY.publicKey);
    await writeFile(path.join(directory, 'trusted_root.json'), (await MadeSigstore.create()).trustedRoot);
    server = await GokeepProcess.start({
      toml: toml.replace('proxy = "off"\n\n[[signing]]', 'proxy = "off"\nsumdb = "off"\n\n[[signing]]'),
    });
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it('names commands and settings', () => {
    expect(commands.length).toBeGreaterThanOrEqual(6);
    expect(blocks('toml').length).toBeGreaterThanOrEqual(2);
  });

  it.each(commands)('types %s, which exists with these options', async (command) => {
    const [name, ...rest] = words(command);
    const { code, stdout } = await gokeep([name!, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: gokeep ${name!} `);
    for (const option of rest.filter((word) => word.startsWith('--'))) expect(stdout).toContain(option);
  });

  it('names no option that none of these commands has', async () => {
    const help = await Promise.all(
      ['publish', 'yank', 'unyank', 'why', 'sign', 'verify'].map(
        async (name) => (await gokeep([name, '--help'])).stdout,
      ),
    );
    const ofOthers = [
      '--upload-file',
      '--header',
      '--user',
      '--key',
      '--signing-config',
      '--bundle',
      '--out',
      '--netrc',
    ];
    const named = [...page.matchAll(/(?:^|[\s`])(--[a-z][a-z-]+)/gm)].map(([, option]) => option!);
    for (const option of named) if (!ofOthers.includes(option)) expect(help.join('\n')).toContain(option);
  });

  it('has settings that load', async () => {
    const file = path.join(directory, 'gokeep.toml');
    await writeFile(file, blocks('toml').join('\n'));
    expect(loadConfig({ env: { GOPROXY: 'off' }, cwd: directory, configFile: file }).private).toContain(
      'corp.example',
    );
  });

  it.skipIf(!needs('curl'))('publishes with the curl that it types, and yanks as it says', async () => {
    await writeFile(path.join(directory, 'module.zip'), moduleZipOf('corp.example/lib', 'v1.2.3'));
    const [curl, asGitea] = blocks('sh').filter((block) => block.startsWith('curl '));
    const [header] = blocks('sh').filter((block) => block.startsWith('--header '));
    const typed = `${curl!.trim()} ${header!.trim()}`.replace('https://go.corp.example', server.url);
    const { stdout } = await promisify(execFile)('sh', ['-c', typed], { cwd: directory });
    expect(JSON.parse(stdout)).toMatchObject({ path: 'corp.example/lib', version: 'v1.2.3', added: true });
    const again = asGitea!.trim().replace('https://go.corp.example', server.url);
    const second = await promisify(execFile)('sh', ['-c', again], { cwd: directory });
    expect(JSON.parse(second.stdout)).toEqual({ ...(JSON.parse(stdout) as object), added: false });
    const lib = '/corp.example/lib';
    expect(await (await server.get(`${lib}/@v/v1.2.3.info`)).json()).toMatchObject({
      Time: '2026-01-02T03:04:05Z',
    });
    for (const [command, list] of [
      ['yank', ''],
      ['unyank', 'v1.2.3\n'],
    ] as const) {
      const told = commands.find((each) => each.startsWith(`npx gokeep ${command} `))!;
      expect(await gokeep(words(told), { GOPROXY: server.url })).toMatchObject({ code: 0, stderr: '' });
      expect(await (await server.get(`${lib}/@v/list`)).text()).toBe(list);
    }
  });

  it.skipIf(!needs('curl'))(
    'signs and publishes with the curl that it types, and verifies as it says',
    async () => {
      const zip = moduleZipOf('corp.example/payments', 'v1.2.3');
      await writeFile(path.join(directory, 'module.zip'), zip);
      await writeFile(path.join(directory, 'module.zip.sigstore.json'), signBlob(zip, KEY));
      const typed = blocks('sh').find((block) =>
        block.includes('curl --upload-file module.zip.sigstore.json'),
      )!;
      const run = (line: string) =>
        promisify(execFile)('sh', ['-c', line.replaceAll('https://go.corp.example', server.url)], {
          cwd: directory,
        });
      const [signature, upload] = typed.trim().split('\n');
      expect((await run(upload!)).stdout).toContain('has to be signed');
      expect(JSON.parse((await run(signature!)).stdout)).toMatchObject({ state: 'waiting' });
      expect(JSON.parse((await run(upload!)).stdout)).toMatchObject({ added: true });
      const [attach, show] = ['npx gokeep sign attach ', 'npx gokeep sign show '].map(
        (name) => commands.find((each) => each.startsWith(name))!,
      );
      const inDirectory = (word: string) => (word.endsWith('.json') ? path.join(directory, word) : word);
      const env = { GOPROXY: server.url, GOSUMDB: server.vkey };
      expect(await gokeep(words(attach!).map(inDirectory), env)).toMatchObject({ code: 0, stderr: '' });
      expect((await gokeep(words(show!), env)).stdout).toContain('is signed; a signature is demanded');

      const lookup = `/sumdb/${server.vkey.split('+')[0]!}/lookup/corp.example/payments@v1.2.3`;
      const lines = (await (await server.get(lookup)).text()).split('\n').slice(1, 3);
      await writeFile(path.join(directory, 'go.sum'), lines.join('\n'));
      const rules = blocks('toml').join('\n').replaceAll('/etc/gokeep/signing', directory);
      await writeFile(path.join(directory, 'gokeep.toml'), rules);
      const verified = await gokeep(
        ['verify', path.join(directory, 'go.sum'), '--config', path.join(directory, 'gokeep.toml')],
        env,
      );
      expect(verified).toMatchObject({ code: 0, stderr: '' });
      expect(verified.stdout).toContain('1 of them signed as demanded');
    },
  );
});
