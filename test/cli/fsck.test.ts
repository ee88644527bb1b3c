import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockDataDirectory } from '../../src/store/process-lock.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { makeModule } from '../world/modules.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';
import { candidate, DataDirectory } from './data-directory.ts';
import { gokeep } from './program.ts';

let sound: DataDirectory;

const stored = (name: string) => path.join('download', ...name.split('/'));
const A = stored('example.test/a/@v/v1.0.0');
const B = stored('example.test/!b/v2/@v/v2.1.0');

beforeAll(async () => {
  sound = await DataDirectory.create();
  await sound.hold(await makeModule({ path: 'example.test/a', version: 'v1.0.0' }));
  await sound.hold(await makeModule({ path: 'example.test/B/v2', version: 'v2.1.0' }));
  await sound.append([candidate(1)]);
});

afterAll(() => sound[Symbol.dispose]());

async function fsck(directory: DataDirectory, ...more: string[]) {
  const result = await gokeep(['fsck', '--data', directory.data, '--json', ...more]);
  expect(result.stderr).toBe('');
  const document = JSON.parse(result.stdout) as {
    problems: number;
    findings: { kind: string; subject: string; problem: string; movedTo?: string }[];
    notes: string[];
  };
  return { code: result.code, ...document };
}

describe('gokeep fsck', () => {
  it('finds nothing in a sound directory, and counts what it checked', async () => {
    const result = await gokeep(['fsck', '--data', sound.data]);
    expect(result).toEqual({
      code: 0,
      stdout: '3 records under 4 heads, 6 files of 2 modules: all in order\n',
      stderr: '',
    });
  });

  it('prints each problem as a line, and the count last', async () => {
    using damaged = sound.copy();
    damaged.flipInFile(`${B}.mod`, 3);
    damaged.flip('heads', 'note', 'size = 2', 100);
    const { code, stdout } = await gokeep(['fsck', '--data', damaged.data]);
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^head 2 has no good signature by this log's key: /),
      expect.stringMatching(/^the mod of example\.test\/B\/v2@v2\.1\.0 has h1:/),
      '3 records under 4 heads, 6 files of 2 modules: 2 problems',
      '',
    ]);
  });

  it('moves nothing by the word of a log that is itself damaged', async () => {
    using damaged = sound.copy();
    damaged.flip('records', 'mod_h1', 'id = 0', 0);
    const { code, findings, notes } = await fsck(damaged, '--repair');
    expect(code).toBe(1);
    expect(findings.map(({ kind, movedTo }) => [kind, movedTo])).toEqual([
      ['record', undefined],
      ['mod', undefined],
    ]);
    expect(notes).toContain('the log itself is damaged, so no file was judged by it: nothing was moved');
    expect(existsSync(damaged.file(`${A}.mod`))).toBe(true);
  });

  it('notes what an interrupted process left and what is no file of the store, and does not mind', async () => {
    using left = sound.copy();
    writeFileSync(left.file('tmp/half-a-zip'), 'PK');
    writeFileSync(left.file('sumdb.mark.tmp'), '');
    writeFileSync(left.file(stored('example.test/a/@v/README')), '');
    await mkdir(left.file(stored('cache/UPPER/@v')), { recursive: true });
    writeFileSync(left.file(stored('cache/UPPER/@v/v1.0.0.zip')), '');
    const { code, notes } = await fsck(left);
    expect(code).toBe(0);
    expect(notes.sort()).toEqual([
      `2 temporary files were left by an interrupted process, the first being ${path.join('tmp', 'half-a-zip')}`,
      `${stored('cache/UPPER/@v/v1.0.0.zip')} is no file of the store`,
      `${stored('example.test/a/@v/README')} is no file of the store`,
    ]);
    {
      using _server = lockDataDirectory(left.data);
      expect((await fsck(left)).notes).toHaveLength(2);
    }
    await fsck(left, '--repair');
    expect(existsSync(left.file('tmp/half-a-zip'))).toBe(false);
  });

  it('repairs nothing while a server holds the directory', async () => {
    using damaged = sound.copy();
    damaged.flipInFile(`${A}.zip`, 300);
    using _server = lockDataDirectory(damaged.data);
    const { code, stdout, stderr } = await gokeep(['fsck', '--data', damaged.data, '--repair']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/another gokeep process is using this data directory; stop it first/);
    expect(existsSync(damaged.file(`${A}.zip`))).toBe(true);
  });

  const unusable: readonly (readonly [string, (d: DataDirectory) => void, RegExp])[] = [
    ['without a log', (d) => rmSync(d.file('gokeep.db')), /^gokeep: \S+: there is no log here; /],
    [
      'with an empty log',
      (d) => writeFileSync(d.file('gokeep.db'), ''),
      /^gokeep: \S+: there is no log here; /,
    ],
    ['without a key', (d) => rmSync(d.file('sumdb.key')), /^gokeep: \S+: there is no signing key here; /],
    [
      'whose log is no database',
      (d) => writeFileSync(d.file('gokeep.db'), 'x'.repeat(9000)),
      /^gokeep: \S+: is damaged; put it back from a backup\n$/,
    ],
  ];
  it.each(unusable)(
    'says in one sentence that it cannot run on a directory %s',
    async (_name, spoil, says) => {
      using spoilt = sound.copy();
      spoil(spoilt);
      const { code, stdout, stderr } = await gokeep(['fsck', '--data', spoilt.data]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(says);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    },
  );

  it('passes beside a running server and after it, and what it moved aside is fetched again', async () => {
    await using world = await UpstreamWorld.start();
    const leaf = await world.publish({ path: 'example.test/leaf', version: 'v1.0.0' });
    using directory = await DataDirectory.create();
    const toml = `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
    const target = '/example.test/leaf/@v/v1.0.0.zip';
    {
      await using server = await GokeepProcess.start({ data: directory.data, toml });
      await using client = await GoClient.create({ GOPROXY: server.url, GOSUMDB: server.vkey });
      const downloaded = await client.run('mod', 'download', 'example.test/leaf@v1.0.0');
      expect(downloaded).toMatchObject({ code: 0, stderr: '' });
      expect(await fsck(directory)).toMatchObject({ code: 0, problems: 0, notes: [] });
      expect(await server.stop()).toBe(0);
    }
    expect(await fsck(directory)).toMatchObject({ code: 0, problems: 0, notes: [] });
    directory.flipInFile(stored('example.test/leaf/@v/v1.0.0.zip'), 100);
    expect(await fsck(directory, '--repair')).toMatchObject({ code: 1, problems: 2 });
    {
      await using server = await GokeepProcess.start({ data: directory.data, toml });
      const response = await server.get(target);
      expect(Buffer.from(await response.arrayBuffer()).equals(leaf.zip)).toBe(true);
    }
    expect(await fsck(directory)).toMatchObject({ code: 0, problems: 0 });
  });
});
