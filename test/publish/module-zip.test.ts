import { chmod, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { verifyModuleZip } from '../../src/modzip/verify.ts';
import { inspectModule, type ModuleRequest, moduleZip } from '../../src/publish/module-zip.ts';
import { memorySource } from '../modzip/zip.ts';
import { goldenDirectories, layDown, OUR_WORDS } from './golden-directories.ts';

const modulePath = 'x.y/Z';
const version = 'v1.2.3';
const subject = 'x.y/Z@v1.2.3';

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'gokeep-publish-'));
});
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

let number = 0;
const fresh = (): string => path.join(scratch, `${number++}`);

function requestFor(directory: string, more: Partial<ModuleRequest> = {}): ModuleRequest {
  return { path: modulePath, version, source: { kind: 'directory', directory }, scratch, ...more };
}

/** A directory with these files beside a go.mod, which may be among them; an empty text is no file. */
async function directoryOf(files: Record<string, string> = {}): Promise<string> {
  const directory = fresh();
  const all = { 'go.mod': 'module x.y/Z\n\ngo 1.21\n', ...files };
  const entries = Object.entries(all).filter(([, content]) => content !== '');
  await layDown(
    directory,
    entries.map(([name, content]) => ({ path: name, content })),
  );
  return directory;
}

async function refusal(request: ModuleRequest): Promise<GokeepError> {
  const output = fresh();
  const outcome = await moduleZip(request, output).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(GokeepError);
  await expect(readFile(output)).rejects.toMatchObject({ code: 'ENOENT' });
  return outcome as GokeepError;
}

const directoryRequests = async (directory: (typeof goldenDirectories)[number]) => {
  const root = fresh();
  await layDown(root, directory.files);
  return requestFor(root);
};

describe('what Go packs of a directory, what it leaves out and what it objects to are the same here', () => {
  it.each(goldenDirectories)('$name', async (go) => {
    const found = await inspectModule(await directoryRequests(go));
    expect(found.problem === undefined).toBe(go.h1 !== '' && !go.strict);
    // Go takes the version of the language from behind the link; we refuse the whole.
    if (go.name === 'go.mod is a link') return;
    expect(found.files.map((file) => file.path)).toEqual(go.valid);
    expect(found.omitted.toSorted(byPath)).toEqual(
      go.omitted.map(({ path, reason }) => ({ path, reason: OUR_WORDS[reason] })).toSorted(byPath),
    );
    expect(found.invalid.map((file) => file.path)).toEqual(go.invalid.map((file) => file.path));
  });
});

describe('the zip of a directory has the h1 hash that Go gives it', () => {
  it.each(goldenDirectories.filter((go) => go.h1 !== '' && !go.strict))('$name', async (go) => {
    const made = await moduleZip(await directoryRequests(go), fresh());
    expect(made.h1).toBe(go.h1);
    // Our own judge of foreign zips finds the same in it, down to the go.mod.
    const bytes = await readFile(made.file);
    expect(bytes.length).toBe(made.size);
    const facts = await verifyModuleZip(memorySource(bytes), modulePath, version);
    expect(facts).toMatchObject({ h1: go.h1, files: go.valid.length });
    expect(made.goMod).toEqual(facts.goMod ?? Buffer.from('module x.y/Z\n'));
  });
});

describe('a directory that Go refuses is refused in one sentence, and no zip is left', () => {
  it.each(goldenDirectories.filter((go) => go.h1 === '' || go.strict))('$name', async (go) => {
    const error = await refusal(await directoryRequests(go));
    expect(['bad_zip', 'bad_mod_file']).toContain(error.code);
    expect(error.message).toMatch(/^x\.y\/Z@v1\.2\.3 cannot be published: \P{C}+\.$/u);
  });
});

it('the same files make the same bytes, whatever their times, modes and the time zone', async () => {
  const zips: Buffer[] = [];
  for (const [mode, zone] of [
    [0o644, 'UTC'],
    [0o755, 'Pacific/Auckland'],
  ] as const) {
    const directory = await directoryOf({ 'b.sh': 'b', 'a/c.go': 'package a\n', 'a.go': 'package a\n' });
    await chmod(path.join(directory, 'b.sh'), mode);
    const before = process.env['TZ'];
    process.env['TZ'] = zone;
    zips.push(await readFile((await moduleZip(requestFor(directory), fresh())).file));
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  }
  expect(zips[0]).toEqual(zips[1]);
});

it.each([
  ['x.y/../Z', 'v1.0.0', 'bad_path', /is not a module path/],
  ['x.y/Z', 'v1', 'bad_version', /is not in canonical form: write v1\.0\.0 instead\.$/],
  ['x.y/Z', '1.0.0', 'bad_version', /Version "1\.0\.0"/],
  ['x.y/Z', 'v1.0.0+meta', 'bad_version', /write v1\.0\.0 instead/],
  ['x.y/Z', 'v2.0.0', 'bad_version', /should be v0 or v1, not v2/],
  ['x.y/Z/v2', 'v1.0.0', 'bad_version', /should be v2, not v1/],
  ['x.y/Z', 'v0.0.0-20240102030405-abcdefabcdef', 'bad_version', /is a pseudo-version/],
  ['x.y/Z', 'v1.0.0+incompatible', 'bad_version', /fits its module path without \+incompatible/],
  ['x.y/Z/v2', 'v2.0.0+incompatible', 'bad_version', /fits its module path without \+incompatible/],
  [
    'x.y/Z',
    'v2.0.0+incompatible',
    'bad_version',
    /not allowed for a module with a go\.mod: name the module x\.y\/Z\/v2/,
  ],
  ['x.y/Y', 'v1.0.0', 'bad_mod_file', /its go\.mod says that it is module "x\.y\/Z"/],
])('%s@%s is refused, since go would refuse it', async (path, version, code, message) => {
  const error = await refusal(requestFor(await directoryOf(), { path, version }));
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
});

it('a pseudo-version is published when that is wanted', async () => {
  const version = 'v0.0.0-20240102030405-abcdefabcdef';
  const request = requestFor(await directoryOf(), { version, allowPseudo: true });
  expect(await moduleZip(request, fresh())).toMatchObject({
    goMod: Buffer.from('module x.y/Z\n\ngo 1.21\n'),
  });
});

it('a module without a go.mod gets the one that go makes up, but none of v2 or later', async () => {
  const directory = await directoryOf({ 'go.mod': '', 'a.go': 'package a\n' });
  const goModOf = async (path: string, version: string) =>
    (await moduleZip(requestFor(directory, { path, version }), fresh())).goMod.toString();
  expect(await goModOf('x.y/Z', 'v1.0.0')).toBe('module x.y/Z\n');
  expect(await goModOf('x.y/Z', 'v2.0.0+incompatible')).toBe('module x.y/Z\n');
  expect(await goModOf('gopkg.in/z.v3', 'v3.0.0')).toBe('module gopkg.in/z.v3\n');
  expect(await refusal(requestFor(directory, { path: 'x.y/Z/v2', version: 'v2.0.0' }))).toMatchObject({
    code: 'bad_mod_file',
    message: 'x.y/Z/v2@v2.0.0 cannot be published: it has no go.mod: run "go mod init" in its directory.',
  });
});

it.each([
  ['', /has no module line/],
  ['module x.y/Z\nrequire x.y/W\n', /its go\.mod cannot be read: go\.mod line 2/],
  ['module "x.y/Z\u001b[2J"\n', /says that it is module "x\.y\/Z\\u\{1b\}/],
])('a go.mod of %j is refused', async (content, message) => {
  const directory = await directoryOf({ 'go.mod': content === '' ? '\n' : content });
  expect(await refusal(requestFor(directory))).toMatchObject({
    code: 'bad_mod_file',
    message: expect.stringMatching(message),
  });
});

it('a refusal names the first file and how many more there are', async () => {
  const directory = await directoryOf({ con: 'x', 'd/aux.go': 'x', 'a:b': 'x' });
  expect(await refusal(requestFor(directory))).toMatchObject({
    message:
      'x.y/Z@v1.2.3 cannot be published: file "a:b": ":" is not allowed in it, and 2 more files are not allowed either.',
  });
});

it('a name that is not UTF-8 is refused, and ignored where names do not matter', async () => {
  const directory = await directoryOf({ 'vendor/x/a.go': 'x', '.git/HEAD': 'x' });
  const bad = Buffer.from([0x61, 0xff]);
  const within = (name: string) => Buffer.concat([Buffer.from(path.join(directory, name, '/')), bad]);
  await writeFile(within('vendor/x'), 'x');
  await writeFile(within('.git'), 'x');
  await moduleZip(requestFor(directory), fresh());
  await writeFile(within('.'), 'x');
  expect(await refusal(requestFor(directory))).toMatchObject({ code: 'bad_zip' });
});

it('a source that is no directory is named as the trouble', async () => {
  const directory = await directoryOf();
  for (const nothing of [path.join(directory, 'nothing'), path.join(directory, 'go.mod')])
    expect(await refusal(requestFor(nothing))).toMatchObject({
      code: 'bad_source',
      message: expect.stringMatching(/^The source of x\.y\/Z@v1\.2\.3 cannot be read at "\."/),
    });
});

describe('a file that changes while it is packed', () => {
  // The directory is listed before the output is opened, and read afterwards.
  async function packWhile(change: (file: string) => Promise<void>): Promise<unknown> {
    const directory = await directoryOf({ 'z.bin': 'z'.repeat(1000) });
    const file = path.join(directory, 'z.bin');
    const { listDirectory } = await import('../../src/publish/directory.ts');
    const { packFiles } = await import('../../src/publish/pack.ts');
    const tree = await listDirectory(directory, subject);
    await change(file);
    const output = fresh();
    const outcome = await packFiles(tree.files, { output, subject, signal: undefined }).catch(
      (e: unknown) => e,
    );
    await expect(readFile(output)).rejects.toMatchObject({ code: 'ENOENT' });
    return outcome;
  }

  it.each([
    ['grows', (file: string) => writeFile(file, 'z'.repeat(1001))],
    ['grows beyond all bounds', (file: string) => truncate(file, 2 ** 40)],
    ['shrinks', (file: string) => writeFile(file, 'z')],
    ['vanishes', (file: string) => rm(file)],
    [
      'becomes a link',
      async (file: string) => {
        await writeFile(`${file}.other`, 's'.repeat(1000));
        await rm(file);
        await symlink(`${file}.other`, file);
      },
    ],
    [
      'becomes a pipe',
      async (file: string) => {
        await rm(file);
        await layDown(path.dirname(file), [{ path: path.basename(file), kind: 'fifo' }]);
      },
    ],
  ])('that %s is refused, and no zip is left', async (_, change) => {
    expect(await packWhile(change)).toMatchObject({ code: 'bad_source', message: /z\.bin/ });
  });
});

it('a file that is there already is not overwritten', async () => {
  const output = fresh();
  await writeFile(output, 'precious');
  await expect(moduleZip(requestFor(await directoryOf()), output)).rejects.toMatchObject({
    code: 'storage_failed',
  });
  expect(await readFile(output, 'utf8')).toBe('precious');
});

it('who gives up gets no zip', async () => {
  const controller = new AbortController();
  const request = requestFor(await directoryOf({ a: 'a'.repeat(1e6) }), { signal: controller.signal });
  const output = fresh();
  const made = moduleZip(request, output);
  controller.abort(new Error('enough'));
  await expect(made).rejects.toThrow('enough');
  await expect(readFile(output)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('five thousand files are packed in seconds', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 5000 }, (_, i) => [`d${i % 50}/f${i}.go`, `package d // ${'x'.repeat(i)}\n`]),
  );
  const request = requestFor(await directoryOf(files));
  const start = performance.now();
  const made = await moduleZip(request, fresh());
  expect(performance.now() - start).toBeLessThan(15_000);
  expect(made.files).toHaveLength(5001);
});

it('nothing temporary is left behind', async () => {
  expect((await readdir(scratch)).filter((name) => name.startsWith('source-'))).toEqual([]);
});

function byPath(a: { path: string }, b: { path: string }): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}
