import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStore, type StoreFacts } from '../../src/proxy/check-store.ts';
import { ZipVerifier } from '../../src/proxy/zip-verifier.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import { ModuleStore } from '../../src/store/module-store.ts';
import type { Finding } from '../../src/sumdb/audit.ts';
import { DataDirectory } from '../cli/data-directory.ts';
import { type MadeModule, makeModule } from '../world/modules.ts';

let sound: DataDirectory;
let made: MadeModule[];
const zips = new ZipVerifier(2);

const stored = (name: string) => path.join('download', ...name.split('/'));
const A = stored('example.test/a/@v/v1.0.0');
const B = stored('example.test/!b/v2/@v/v2.1.0');

beforeAll(async () => {
  sound = await DataDirectory.create();
  made = [
    await makeModule({ path: 'example.test/a', version: 'v1.0.0', files: { 'big.txt': 'x'.repeat(50_000) } }),
    await makeModule({ path: 'example.test/a', version: 'v1.2.0-rc.1' }),
    await makeModule({ path: 'example.test/a', version: 'v0.0.0-20240102030405-0123456789ab' }),
    await makeModule({ path: 'example.test/B/v2', version: 'v2.1.0' }),
  ];
  for (const module of made) await sound.hold(module);
});

afterAll(async () => {
  sound[Symbol.dispose]();
  await zips[Symbol.asyncDispose]();
});

interface Result {
  readonly facts: StoreFacts;
  readonly findings: readonly (Finding & { readonly movedTo: string | undefined })[];
}

async function check({ data }: DataDirectory, repair = false): Promise<Result> {
  using log = new LogReader(path.join(data, 'gokeep.db'));
  const findings: (Finding & { movedTo: string | undefined })[] = [];
  const facts = await checkStore({
    store: new ModuleStore(data),
    log,
    zips,
    concurrency: 3,
    repairIn: repair ? data : undefined,
    report: (finding, to) =>
      findings.push({ ...finding, movedTo: to === undefined ? undefined : path.relative(data, to) }),
    progress: () => undefined,
  });
  return { facts, findings };
}

interface Case {
  readonly name: string;
  readonly damage: (d: DataDirectory) => void | Promise<void>;
  readonly finds: readonly (readonly [subject: string, problem: RegExp])[];
  /** What repair moves into damaged/, or nothing. */
  readonly moves: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'a bit turned in a zip',
    damage: (d) => d.flipInFile(`${A}.zip`, 300),
    finds: [
      ['the zip of example.test/a@v1.0.0', /^is damaged: The zip of example\.test\/a@v1\.0\.0 was refused/],
    ],
    moves: [`${A}.zip`],
  },
  {
    name: 'a zip cut short, and an empty one',
    damage: (d) => {
      truncateSync(d.file(`${A}.zip`), 200);
      truncateSync(d.file(`${B}.zip`), 0);
    },
    finds: [
      ['the zip of example.test/B/v2@v2.1.0', /^is damaged/],
      ['the zip of example.test/a@v1.0.0', /^is damaged/],
    ],
    moves: [`${A}.zip`, `${B}.zip`],
  },
  {
    name: 'a sound zip of other content',
    damage: async (d) => {
      const other = await makeModule({ path: 'example.test/a', version: 'v1.0.0', files: { 'x.txt': 'y' } });
      writeFileSync(d.file(`${A}.zip`), other.zip);
    },
    finds: [['the zip of example.test/a@v1.0.0', /^has h1:\S+, its record says h1:\S+$/]],
    moves: [`${A}.zip`],
  },
  {
    name: 'a go.mod that was edited',
    damage: (d) => writeFileSync(d.file(`${B}.mod`), 'module example.test/B/v2\n'),
    finds: [['the mod of example.test/B/v2@v2.1.0', /^has h1:\S+, its record says h1:\S+$/]],
    moves: [`${B}.mod`],
  },
  {
    name: 'an .info of another version, and one that is none',
    damage: (d) => {
      writeFileSync(d.file(`${A}.info`), '{"Version":"v1.0.1"}');
      writeFileSync(d.file(`${B}.info`), '');
    },
    finds: [
      ['the info of example.test/B/v2@v2.1.0', /^is not the \.info of this version$/],
      ['the info of example.test/a@v1.0.0', /^is not the \.info of this version$/],
    ],
    moves: [`${A}.info`, `${B}.info`],
  },
  {
    name: 'files without a record, but no .info, which needs none',
    damage: async (d) => d.place(await makeModule({ path: 'example.test/orphan', version: 'v1.0.0' })),
    finds: [
      ['the mod of example.test/orphan@v1.0.0', /^has no record in the log$/],
      ['the zip of example.test/orphan@v1.0.0', /^has no record in the log$/],
    ],
    moves: ['mod', 'zip'].map((kind) => stored(`example.test/orphan/@v/v1.0.0.${kind}`)),
  },
  {
    name: 'a list that names what is not held',
    damage: (d) => rmSync(d.file(`${A}.zip`)),
    finds: [['the list of example.test/a', /^does not name the versions held/]],
    moves: [],
  },
];

describe('the check of a module store', () => {
  it('finds nothing in a sound store', async () => {
    expect(await check(sound)).toEqual({
      facts: { modules: 2, files: 12, strays: [], outdatedLists: [] },
      findings: [],
    });
  });

  it('finds nothing where nothing was ever stored', async () => {
    using empty = await DataDirectory.create();
    rmSync(empty.file('download'), { recursive: true });
    expect(await check(empty)).toEqual({
      facts: { modules: 0, files: 0, strays: [], outdatedLists: [] },
      findings: [],
    });
  });

  it.each(cases)('finds $name, and takes out what can be fetched anew', async ({ damage, finds, moves }) => {
    using damaged = sound.copy();
    await damage(damaged);
    const { findings } = await check(damaged);
    const subjects = finds.map(([subject]) => subject);
    expect(findings.map(({ subject }) => subject).sort()).toEqual(subjects);
    for (const [subject, problem] of finds)
      expect(findings.find((one) => one.subject === subject)!.problem).toMatch(problem);
    expect(findings.flatMap(({ movedTo }) => movedTo ?? [])).toEqual([]);

    const repaired = await check(damaged, true);
    const moved = moves.map((file) => path.join('damaged', path.relative('download', file)));
    expect(repaired.findings.flatMap(({ movedTo }) => movedTo ?? []).sort()).toEqual(moved.toSorted());
    for (const file of moves) expect(existsSync(damaged.file(file))).toBe(false);
    for (const file of moved) expect(existsSync(damaged.file(file))).toBe(true);
    expect((await check(damaged)).findings).toEqual([]);
  });

  it('a list that lacks a version, as a kill leaves it, is no damage, and a repair writes it anew', async () => {
    using killed = sound.copy();
    const list = killed.file(stored('example.test/a/@v/list'));
    const whole = readFileSync(list, 'utf8');
    writeFileSync(list, whole.slice(whole.indexOf('\n') + 1));
    const found = await check(killed);
    expect([found.findings, found.facts.outdatedLists]).toEqual([[], ['example.test/a']]);
    expect((await check(killed, true)).facts.outdatedLists).toEqual(['example.test/a']);
    expect(readFileSync(list, 'utf8')).toBe(whole);
    expect((await check(killed)).facts.outdatedLists).toEqual([]);
  });

  it('writes the list anew when it takes a zip out', async () => {
    using damaged = sound.copy();
    damaged.flipInFile(`${A}.zip`, 300);
    await check(damaged, true);
    expect(readFileSync(damaged.file(stored('example.test/a/@v/list')), 'utf8')).toBe('v1.2.0-rc.1\n');
  });

  it('keeps every copy of what it takes out', async () => {
    using damaged = sound.copy();
    damaged.flipInFile(`${A}.zip`, 300);
    await check(damaged, true);
    await damaged.place(made[0]!);
    damaged.flipInFile(`${A}.zip`, 301);
    const { findings } = await check(damaged, true);
    expect(findings[0]!.movedTo).toBe(path.join('damaged', 'example.test', 'a', '@v', 'v1.0.0.zip.2'));
  });

  it('follows no link, and takes no directory for a file', async () => {
    using unreadable = sound.copy();
    rmSync(unreadable.file(`${A}.mod`));
    mkdirSync(unreadable.file(`${A}.mod`));
    symlinkSync(unreadable.file(`${B}.mod`), unreadable.file(stored('example.test/a/@v/v9.0.0.mod')));
    const { facts, findings } = await check(unreadable, true);
    expect(findings).toEqual([]);
    expect(facts.files).toBe(11);
    expect(facts.strays).toHaveLength(2);
  });
});
