import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep } from '../cli/program.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { answeringGoproxy } from '../world/host-goproxy.ts';

const VERSION = 'v3.1.3';
/** Kept between runs: building it takes minutes. */
const BUILT = path.join(tmpdir(), `gokeep-cosign-${VERSION}`);
const MODULE = 'corp.example/payments';

/** A cosign that is here, or with GOKEEP_TEST_SLOW=1 one that is built; what it writes is held against golden files otherwise. */
const here = [process.env['GOKEEP_COSIGN'], path.join(BUILT, 'cosign')].find(
  (file) => file !== undefined && existsSync(file),
);
const goproxy =
  here === undefined && process.env['GOKEEP_TEST_SLOW'] === '1'
    ? answeringGoproxy('cosign-live.test.ts')
    : undefined;

const page = await readFile(path.join(import.meta.dirname, '../../docs/private-modules.md'), 'utf8');
/** What the page types of cosign, once each. */
const typed = new Set(page.split('\n').filter((line) => line.startsWith('cosign ')));

describe.skipIf(here === undefined && goproxy === undefined)('an unmodified cosign', () => {
  let directory: string;
  let cosign: string;
  let server: GokeepProcess;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'gokeep-cosign-'));
    cosign = here ?? path.join(BUILT, 'cosign');
    if (here === undefined) {
      await mkdir(BUILT, { recursive: true });
      await using installer = await GoClient.create({ GOPROXY: goproxy!, GOBIN: BUILT });
      const { code, stderr } = await installer.run(
        'install',
        `github.com/sigstore/cosign/v3/cmd/cosign@${VERSION}`,
      );
      expect(code, stderr).toBe(0);
    }
    await type('cosign generate-key-pair');
    const toml = [
      'private = ["corp.example"]',
      '[[upstream]]\nproxy = "off"\nsumdb = "off"',
      `[[signing]]\nmatch = ["${MODULE}"]\nkeys = ["${path.join(directory, 'cosign.pub')}"]\n`,
    ].join('\n');
    await writeFile(path.join(directory, 'gokeep.toml'), `version = 1\n${toml}`);
    server = await GokeepProcess.start({ toml });
    await mkdir(path.join(directory, 'module'));
    await writeFile(path.join(directory, 'module', 'go.mod'), `module ${MODULE}\n\ngo 1.21\n`);
    await writeFile(path.join(directory, 'module', 'a.go'), 'package payments\n');
  }, 1_800_000);

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  /** Runs a line of the page as it stands there, without a terminal and without network. */
  async function type(line: string): Promise<void> {
    if (!line.includes('attest-blob')) expect([...typed]).toContain(line);
    const env = { HOME: directory, PATH: '/nonexistent', COSIGN_PASSWORD: '', COSIGN_YES: 'true' };
    await promisify(execFile)(cosign, line.split(' ').slice(1), { cwd: directory, env });
  }

  const cli = (...args: string[]) =>
    gokeep(args, { PATH: process.env['PATH'], GOPROXY: server.url, GOSUMDB: server.vkey });
  const file = (name: string) => path.join(directory, name);

  it('signs and attests the zip of a dry run, by the lines of the page, and verify finds it signed', async () => {
    const module = [file('module'), 'v1.2.3', '--from', 'directory'];
    expect(await cli('publish', ...module, '--dry-run', '--output', file('module.zip'))).toMatchObject({
      code: 0,
    });
    for (const line of typed) if (!line.includes('generate-key-pair')) await type(line);
    const bundle = file('module.zip.sigstore.json');
    expect(await cli('publish', ...module, '--signature', bundle)).toMatchObject({ code: 0, stderr: '' });

    await writeFile(file('predicate.json'), '{}');
    await type(
      'cosign attest-blob --key cosign.key --signing-config signing-config.json --predicate predicate.json --type slsaprovenance1 --bundle att.json module.zip',
    );
    const attached = await cli('sign', 'attach', `${MODULE}@v1.2.3`, file('att.json'));
    expect(attached.stdout).toContain('an attestation (https://slsa.dev/provenance/v1) by key cosign.pub');

    const lookup = `/sumdb/${server.vkey.split('+')[0]!}/lookup/${MODULE}@v1.2.3`;
    const lines = (await (await server.get(lookup)).text()).split('\n').slice(1, 3);
    await writeFile(file('go.sum'), lines.join('\n'));
    const verified = await cli('verify', file('go.sum'), '--config', file('gokeep.toml'));
    expect(verified).toMatchObject({ code: 0, stderr: '' });
    expect(verified.stdout).toContain('1 of them signed as demanded');
  }, 60_000);
});
