import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeModule } from '../world/modules.ts';
import { DataDirectory } from './data-directory.ts';
import { gokeep } from './program.ts';

let directory: DataDirectory;

beforeAll(async () => {
  directory = await DataDirectory.create();
  await directory.hold(await makeModule({ path: 'example.test/A', version: 'v1.10.0' }));
  await directory.hold(await makeModule({ path: 'example.test/A', version: 'v1.9.0' }), 'tofu');
  await directory.hold(await makeModule({ path: 'corp.test/lib', version: 'v1.0.0' }), 'computed');
  directory.sql(
    `INSERT INTO incidents VALUES (1, 1700000000000, 'zip', 'corp.test/lib', 'v1.0.0', 'h1:a', 'h1:b', 'git')`,
  );
});

afterAll(() => directory[Symbol.dispose]());

const why = (...args: string[]) =>
  gokeep(['why', ...args, '--data', directory.data], { GOKEEP_PRIVATE: 'corp.test' });

describe('gokeep why', () => {
  it('says of a version where its record came from and what is held', async () => {
    const { code, stdout } = await why('example.test/A@v1.10.0');
    expect(code).toBe(0);
    const made = await makeModule({ path: 'example.test/A', version: 'v1.10.0' });
    expect(stdout.split('\n')).toEqual([
      'example.test/A is public',
      'v1.10.0:',
      '  record: 0',
      `  zip: ${made.h1.zip}`,
      `  go.mod: ${made.h1.mod}`,
      '  source: proven by the upstream checksum database, 2023-11-14T22:13:20Z',
      '  evidence: sum.golang.org 100 root',
      `  held: info (${made.info.length} bytes), mod (${made.mod.length} bytes), zip (${made.zip.length} bytes)`,
      '',
    ]);
  });

  it('says of a module what is known of each version, in order', async () => {
    const { stdout } = await why('example.test/A', '--json');
    const { versions, ...rest } = JSON.parse(stdout) as { versions: { version: string }[] };
    expect(rest).toEqual({ path: 'example.test/A', private: false, incidents: [] });
    expect(versions).toMatchObject([
      { version: 'v1.9.0', record: { id: 1, source: 'tofu', published: true } },
      { version: 'v1.10.0', record: { id: 0, source: 'proven', published: true } },
    ]);
  });

  it('shows incidents, and exits 1', async () => {
    const { code, stdout } = await why('corp.test/lib');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^corp\.test\/lib is private/);
    expect(stdout).toMatch(
      /^SECURITY: 2023-11-14T22:13:20Z v1\.0\.0: git gave a zip with h1:b, the record says h1:a$/m,
    );
  });

  it('says what the monitor found, of a version and of its whole repository', async () => {
    using copy = directory.copy();
    const insert = `INSERT INTO incidents (at, kind, path, version, recorded, seen, source)
      VALUES (1700000000000, ?, 'corp.test/lib', ?, ?, ?, 'https://corp.test/lib')`;
    copy.sql(insert, 'tag', 'v1.0.0', 'aaa', 'bbb');
    copy.sql(insert, 'tag', 'v1.0.0', 'aaa', 'nothing');
    copy.sql(insert, 'repository', '', 'https://corp.test/lib', 'nothing');
    copy.sql(insert, 'tag', 'v1.1.0', 'aaa', 'ccc');
    const { stdout } = await gokeep(['why', 'corp.test/lib@v1.0.0', '--data', copy.data]);
    expect(stdout.split('\n').filter((line) => line.startsWith('SECURITY'))).toEqual([
      'SECURITY: 2023-11-14T22:13:20Z corp.test/lib: https://corp.test/lib shows no such repository any more; what is recorded is still served',
      'SECURITY: 2023-11-14T22:13:20Z v1.0.0: its tag in https://corp.test/lib is gone; it named aaa when it was recorded, and that is what is served',
      'SECURITY: 2023-11-14T22:13:20Z v1.0.0: its tag in https://corp.test/lib names bbb now; it named aaa when it was recorded, and that is what is served',
      'SECURITY: 2023-11-14T22:13:20Z v1.0.0: git gave a zip with h1:b, the record says h1:a',
    ]);
  });

  it('says that nothing is known', async () => {
    expect(await why('example.test/unknown')).toMatchObject({
      code: 0,
      stdout: 'example.test/unknown is public\nno version of it is recorded or held\n',
    });
  });

  it('refuses what is no module', async () => {
    const { code, stdout, stderr } = await why('../etc');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^gokeep: "\.\.\/etc" is not a module path/);
  });
});
