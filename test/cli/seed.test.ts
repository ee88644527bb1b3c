import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockDataDirectory } from '../../src/store/process-lock.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { makeModule } from '../world/modules.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';
import { candidate, DataDirectory } from './data-directory.ts';
import { gokeep } from './program.ts';

let empty: DataDirectory;

beforeAll(async () => {
  empty = await DataDirectory.create();
});

afterAll(() => empty[Symbol.dispose]());

const PRIVATE = { GOKEEP_PRIVATE: 'corp.test,*.corp.test/secret' };
const h1 = (n: number) => candidate(n).zip;

/** Writes go.sum files and seeds from them. */
function seed(d: DataDirectory, files: Record<string, string>, env = PRIVATE, ...more: string[]) {
  for (const [name, text] of Object.entries(files)) writeFileSync(d.file(name), text);
  const names = Object.keys(files).map((name) => d.file(name));
  return gokeep(['seed', ...names, '--data', d.data, ...more], env);
}

function both(module: string, version: string, zip: number, mod = zip + 1): string {
  return `${module} ${version} ${h1(zip)}\n${module} ${version}/go.mod ${h1(mod)}\n`;
}

describe('gokeep seed', () => {
  it('records private modules that have both lines, and leaves the others out', async () => {
    using directory = empty.copy();
    const files = {
      'a.sum': `${both('corp.test/Team/lib', 'v1.2.0', 1)}${both('example.test/public', 'v1.0.0', 3)}git.corp.test/other v0.1.0/go.mod ${h1(9)}\ncorp.test/half v1.0.0/go.mod ${h1(5)}\ncorp.test/split v1.0.0 ${h1(6)}\n`,
      'b.sum': `corp.test/split v1.0.0/go.mod ${h1(7)}\n${both('git.corp.test/secret/x', 'v0.2.0', 8)}`,
    };
    const result = await seed(directory, files, PRIVATE, '--json');
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(result.stdout)).toEqual({
      added: 3,
      known: 0,
      publicVersions: 2,
      withoutPartner: ['corp.test/half v1.0.0/go.mod'],
      conflicts: [],
    });
    using log = new LogReader(directory.file('gokeep.db'));
    const record = log.find('corp.test/Team/lib', 'v1.2.0')!;
    expect(record).toMatchObject({ zip: h1(1), mod: h1(2) });
    const { source, evidence } = log.provenance(record.id)!;
    expect(source).toBe('seeded');
    expect(evidence).toContain(directory.file('a.sum'));
    const split = log.provenance(log.find('corp.test/split', 'v1.0.0')!.id)!;
    expect(split.evidence).toMatch(/a\.sum" sha256:[0-9a-f]{64}, .*b\.sum" sha256:[0-9a-f]{64}$/);
    expect(log.publishedHead()!.size).toBe(3);

    const again = await seed(directory, files);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^0 recorded, 3 known before, 2 public and left out, 1 without/m);
    expect(again.stdout).toMatch(/^corp\.test\/half v1\.0\.0\/go\.mod: its other line is in no file/m);
    expect(directory.audit().findings).toEqual([]);
  });

  it('reports what differs from its record, changes nothing, and keeps it as an incident', async () => {
    using directory = empty.copy();
    await seed(directory, { 'a.sum': both('corp.test/lib', 'v1.0.0', 1) });
    const { code, stdout } = await seed(directory, {
      'b.sum': both('corp.test/lib', 'v1.0.0', 5) + both('corp.test/new', 'v1.0.0', 7),
    });
    expect(code).toBe(1);
    expect(stdout).toContain(
      `SECURITY: corp.test/lib@v1.0.0 has two hashes for its zip: ${h1(1)} in the log`,
    );
    expect(stdout).toMatch(/^1 recorded, 0 known before, .* 1 in conflict$/m);
    using log = new LogReader(directory.file('gokeep.db'));
    expect(log.find('corp.test/lib', 'v1.0.0')).toMatchObject({ zip: h1(1) });
    expect(log.incidents(10)).toMatchObject([{ kind: 'record', path: 'corp.test/lib', seen: h1(5) }]);
  });

  it('takes neither of two files that contradict each other', async () => {
    using directory = empty.copy();
    const { code, stdout } = await seed(directory, {
      'a.sum': both('corp.test/lib', 'v1.0.0', 1, 2),
      'b.sum': both('corp.test/lib', 'v1.0.0', 1, 3),
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^SECURITY: corp\.test\/lib@v1\.0\.0 has two hashes for its go\.mod: /m);
    using log = new LogReader(directory.file('gokeep.db'));
    expect(log.find('corp.test/lib', 'v1.0.0')).toBeUndefined();
  });

  const refused: readonly (readonly [string, Record<string, string>, Record<string, string>, RegExp])[] = [
    ['a malformed line', { 'a.sum': 'corp.test/a v1.0.0\n' }, PRIVATE, /a\.sum": go\.sum line 1: expected/],
    ['no private patterns', { 'a.sum': '' }, { GOKEEP_PRIVATE: '' }, /private is empty/],
  ];
  it.each(refused)('says in one sentence that it cannot run with %s', async (_name, files, env, says) => {
    using directory = empty.copy();
    const { code, stdout, stderr } = await seed(directory, files, env as typeof PRIVATE);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(says);
  });

  it('needs the server stopped, and says so', async () => {
    using directory = empty.copy();
    using _server = lockDataDirectory(directory.data);
    const { code, stderr } = await seed(directory, { 'a.sum': both('corp.test/lib', 'v1.0.0', 1) });
    expect(code).toBe(2);
    expect(stderr).toMatch(/another gokeep process is using this data directory; stop it first/);
  });

  it('catches a tag that was moved before the server saw it first', async () => {
    await using world = await UpstreamWorld.start();
    const honest = await makeModule({ path: 'corp.test/lib', version: 'v1.0.0' });
    world.serve(await makeModule({ path: 'corp.test/lib', version: 'v1.0.0', files: { 'evil.txt': 'x' } }));
    using directory = empty.copy();
    const { h1: hashes } = honest;
    await seed(directory, {
      'a.sum': `corp.test/lib v1.0.0 ${hashes.zip}\ncorp.test/lib v1.0.0/go.mod ${hashes.mod}\n`,
    });
    await using server = await GokeepProcess.start({
      data: directory.data,
      toml: `private = ["corp.test"]\n[[upstream]]\nproxy = "${world.url}"\nprivate = true\n[[upstream]]\nmatch = ["example.test"]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`,
    });
    const response = await server.get('/corp.test/lib/@v/v1.0.0.zip');
    expect(response.status).toBe(502);
    expect(await response.text()).toContain('SECURITY: corp.test/lib@v1.0.0 does not');
    const why = await gokeep(['why', 'corp.test/lib@v1.0.0', '--data', directory.data], PRIVATE);
    expect(why.code).toBe(1);
    expect(why.stdout).toMatch(/source: taken from a go\.sum file by the operator/);
    expect(why.stdout).toContain('SECURITY: ');
  });
});
