import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingredients, LEAF, MAIN, pack } from '../airgap/made-bundle.ts';
import { gokeep } from '../cli/program.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';

let directory: string;
let toml: string;
let server: GokeepProcess;
const at = (...names: string[]) => path.join(directory, ...names);

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-handed-over-'));
  const made = await ingredients();
  toml = `offline = true\n[bundles]\ntrust = ["${made.own.vkey}"]\n[[upstream]]\nsumdb = "${made.second.vkey}"\n`;
  await writeFile(at('cut.tar'), pack(made).bytes.subarray(0, -1500));
  for (const name of [`${LEAF}/@v/v1.0.0.mod`, `${MAIN}/@v/v1.1.0.mod`])
    made.files.set(name, Buffer.from('module other\n'));
  await writeFile(at('spoilt.tar'), pack(made).bytes);
  await mkdir(at('alone'));
  server = await GokeepProcess.start({ data: at('served'), toml });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function bundleImport(data: string, ...args: string[]) {
  const config = at(`${data}.toml`);
  const listen = data === 'served' ? `listen = "${new URL(server.url).host}"\n` : '';
  await writeFile(config, `version = 1\n${listen}${toml}`);
  return gokeep(['bundle', 'import', ...args, '--config', config, '--data', at(data)]);
}

describe('bundle import beside a running server says what it says without one', () => {
  it.each([[[]], [['--json']]])('of each problem that a bundle has (%s)', async (options) => {
    const alone = await bundleImport('alone', at('spoilt.tar'), ...options);
    expect(alone).toMatchObject({ code: 1, stderr: '' });
    expect(alone.stdout.match(/SECURITY: it has/g)).toHaveLength(2);
    expect(await bundleImport('served', at('spoilt.tar'), ...options)).toEqual(alone);
  });

  it('of an archive that breaks off', async () => {
    const alone = await bundleImport('alone', at('cut.tar'));
    expect(alone).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^gokeep: [^\n]*cut off[^\n]*\n$/),
    });
    expect(await bundleImport('served', at('cut.tar'))).toEqual(alone);
  });
});
