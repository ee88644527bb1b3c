import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SearchOptions } from '../../src/catalogue/catalogue.ts';
import { IndexCatalogue } from '../../src/catalogue/index-catalogue.ts';
import { Indexer } from '../../src/catalogue/indexer.ts';
import { StoredZipFiles } from '../../src/catalogue/zip-files.ts';
import { ModuleStore } from '../../src/store/module-store.ts';
import { zipOf } from '../modzip/zip.ts';

let data: string;
let store: ModuleStore;
let catalogue: IndexCatalogue;
let skipped: string[];
let idle: number;

const all = { mayRead: () => true, limit: 20 };
const database = () => path.join(data, 'catalogue.db');

beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), 'gokeep-catalogue-'));
  store = new ModuleStore(data);
  skipped = [];
  idle = 0;
});

afterEach(() => {
  catalogue[Symbol.dispose]();
  rmSync(data, { recursive: true, force: true });
});

/** Puts a zip, as it stands, into the store. */
function hold(modulePath: string, version: string, files: Readonly<Record<string, string>>): void {
  const zip = Object.entries(files).map(([name, text]) => ({
    name: `${modulePath}@${version}/${name}`,
    content: Buffer.from(text),
  }));
  const file = store.fileName('zip', modulePath, version);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, zipOf(zip));
}

/** An indexer that has caught up with the store. */
async function indexed(): Promise<Indexer> {
  catalogue = new IndexCatalogue(database(), () => indexer.rebuild());
  const before = idle;
  const indexer = new Indexer({
    database: database(),
    data,
    onReady: () => catalogue.reopen(),
    onIdle: () => idle++,
    onSkipped: (modulePath, version) => skipped.push(`${modulePath}@${version}`),
    onTrouble: (problem) => skipped.push(problem),
  });
  indexer.start();
  await vi.waitFor(() => expect(idle).toBeGreaterThan(before), { timeout: 30_000 });
  return indexer;
}

const found = (query: string, o = all) => catalogue.search(query, o).modules.map((each) => each.path);
const doc = (text: string) => ({ 'p.go': `// ${text}\npackage p\n` });

describe('the catalogue', () => {
  it('says of a version what its zip holds', async () => {
    hold('example.com/Mod', 'v1.2.0', {
      'README.md': '# Mod',
      'readme.txt': 'old',
      'go.mod':
        'module example.com/Mod\nrequire (\n example.com/a v1.0.0\n example.com/b v1.1.0 // indirect\n)\n',
      'mod.go': '// Copyright 2024.\n\n// Package mod does it. All.\npackage mod\n',
      'mod_test.go': '// Package wrong.\npackage mod_test\n',
      'sub/a.go': 'package sub\n',
      'sub/doc.go': '// Package sub is below.\npackage sub\n',
      'cmd/x/main.go': '// Command x runs.\npackage main\n',
      'gen/gen.go': '//go:build ignore\n\n// Gen.\npackage main\n',
      'testdata/t.go': 'package t\n',
      '_old/t.go': 'package t\n',
      'internal/i/i.go': '// Package i is inside.\npackage i\n',
    });
    await using _ = await indexed();
    expect(catalogue.facts('example.com/Mod', 'v1.2.0')).toEqual({
      path: 'example.com/Mod',
      version: 'v1.2.0',
      synopsis: 'Package mod does it.',
      readme: 'README.md',
      licence: undefined,
      packages: [
        { importPath: 'example.com/Mod', name: 'mod', synopsis: 'Package mod does it.' },
        { importPath: 'example.com/Mod/cmd/x', name: 'main', synopsis: 'Command x runs.' },
        { importPath: 'example.com/Mod/internal/i', name: 'i', synopsis: 'Package i is inside.' },
        { importPath: 'example.com/Mod/sub', name: 'sub', synopsis: 'Package sub is below.' },
      ],
      requires: [
        { path: 'example.com/a', version: 'v1.0.0', indirect: false },
        { path: 'example.com/b', version: 'v1.1.0', indirect: true },
      ],
    });
    expect(catalogue.search('mod', all).modules).toEqual([
      {
        path: 'example.com/Mod',
        version: 'v1.2.0',
        synopsis: 'Package mod does it.',
        packages: [],
      },
    ]);
    expect(catalogue.search('runs', all).modules[0]?.packages).toEqual(['example.com/Mod/cmd/x']);
    expect(found('inside')).toEqual([]);
  });

  it('ranks path, last element, prefix, package and sentence in this order, then by dependents', async () => {
    hold('zap.dev/zap.dev', 'v1.0.0', doc('Package p.'));
    hold('zap.dev', 'v1.0.0', doc('Package p.'));
    hold('go.uber.org/zap', 'v1.0.0', doc('Package p is fast.'));
    hold('go.other.org/zap', 'v1.0.0', doc('Package p is other.'));
    hold('zapper.dev/x', 'v1.0.0', doc('Package p.'));
    hold('example.com/unzapped', 'v1.0.0', doc('Package p.'));
    hold('example.com/q', 'v1.0.0', { 'zap/z.go': '// Package zap of q.\npackage zap\n' });
    hold('example.com/r', 'v1.0.0', doc('Package p goes zap.'));
    hold('example.com/user', 'v1.0.0', {
      'go.mod': 'module example.com/user\nrequire go.uber.org/zap v1.0.0\n',
    });
    await using _ = await indexed();
    expect(found('zap')).toEqual([
      'go.uber.org/zap',
      'go.other.org/zap',
      'zap.dev',
      'zap.dev/zap.dev',
      'zapper.dev/x',
      'example.com/unzapped',
      'example.com/q',
      'example.com/r',
    ]);
    expect(found('zap.dev')).toEqual(['zap.dev', 'zap.dev/zap.dev']);
    expect(found('uber zap')).toEqual(['go.uber.org/zap']);
    expect(found('go.uber.org/za')).toEqual(['go.uber.org/zap']);
    expect(found('example.com/q/zap')).toEqual(['example.com/q']);
    expect(found('FAST')).toEqual(['go.uber.org/zap']);
    expect(found('q')).toEqual(['example.com/q']);
    expect(found('"zap" OR *')).toEqual([]);
    expect(catalogue.dependents('go.uber.org/zap', all)).toEqual([
      { path: 'example.com/user', version: 'v1.0.0', requires: 'v1.0.0' },
    ]);
  });

  it('counts, pages and shows only what may be read', async () => {
    for (let i = 0; i < 9; i++) {
      hold(`${i % 3 === 0 ? 'open' : 'corp'}.test/mod${i}`, 'v1.0.0', {
        'go.mod': `module m\nrequire open.test/lib v1.0.0\n`,
      });
    }
    await using _ = await indexed();
    const mayRead = (modulePath: string) => modulePath.startsWith('open.');
    const readable = ['open.test/mod0', 'open.test/mod3', 'open.test/mod6'];
    for (const ask of [
      (o: SearchOptions) => catalogue.list(o),
      (o: SearchOptions) => catalogue.search('mod', o),
    ]) {
      const first = ask({ mayRead, limit: 2 });
      expect(first).toMatchObject({ total: 3, next: expect.any(String) });
      const second = ask({ mayRead, limit: 2, after: first.next });
      expect([...first.modules, ...second.modules].map((each) => each.path)).toEqual(readable);
      expect(second.next).toBeUndefined();
      expect(ask({ mayRead: () => false, limit: 2 })).toEqual({ modules: [], total: 0, next: undefined });
    }
    expect(catalogue.dependents('open.test/lib', { mayRead, limit: 9 }).map((each) => each.path)).toEqual(
      readable,
    );
    expect(catalogue.counts()).toMatchObject({ modules: 9, versions: 9 });
  });

  it('takes over what changed while it was stopped, and what is added while it runs', async () => {
    hold('example.com/a', 'v1.0.0', doc('Old.'));
    hold('example.com/gone', 'v1.0.0', doc('Gone.'));
    await (await indexed())[Symbol.asyncDispose]();
    expect(found('example.com')).toEqual(['example.com/a', 'example.com/gone']);
    catalogue[Symbol.dispose]();
    rmSync(store.fileName('zip', 'example.com/gone', 'v1.0.0'));
    hold('example.com/a', 'v1.1.0', doc('New.'));
    hold('example.com/a', 'v1.2.0-rc.1', doc('Newer.'));
    await using indexer = await indexed();
    expect(catalogue.list(all).modules).toMatchObject([
      { path: 'example.com/a', version: 'v1.1.0', synopsis: 'New.' },
    ]);
    expect(catalogue.versions('example.com/a').map((each) => each.version)).toEqual([
      'v1.2.0-rc.1',
      'v1.1.0',
      'v1.0.0',
    ]);
    hold('example.com/b', 'v1.0.0', doc('Added.'));
    indexer.add('example.com/b', 'v1.0.0');
    await vi.waitFor(() => expect(found('added')).toEqual(['example.com/b']), { timeout: 10_000 });
  });

  it.each([
    ['damaged', 'no database at all'],
    ['empty', ''],
  ])('makes a database that is %s again', async (_name, bytes) => {
    hold('example.com/a', 'v1.0.0', doc('Text.'));
    writeFileSync(database(), bytes.repeat(1000));
    await using _ = await indexed();
    expect(found('text')).toEqual(['example.com/a']);
    expect(skipped).toEqual([]);
  });

  it('passes over a zip that cannot be read, and says so once', async () => {
    hold('example.com/a', 'v1.0.0', doc('Text.'));
    hold('example.com/bad', 'v1.0.0', {});
    writeFileSync(store.fileName('zip', 'example.com/bad', 'v1.0.0'), 'no zip');
    await (await indexed())[Symbol.asyncDispose]();
    catalogue[Symbol.dispose]();
    await using _ = await indexed();
    expect(skipped).toEqual(['example.com/bad@v1.0.0']);
    expect(found('example')).toEqual(['example.com/a', 'example.com/bad']);
    expect(catalogue.facts('example.com/bad', 'v1.0.0')).toBeUndefined();
  });

  it('reads files by their exact names, and no more of them than was asked for', async () => {
    const large = 'x'.repeat(3_000_000);
    hold('example.com/a', 'v1.0.0', { LICENSE: 'text', 'large.txt': large });
    catalogue = new IndexCatalogue(database(), () => undefined);
    const files = new StoredZipFiles(store);
    expect(await files.files('example.com/a', 'v1.0.0')).toEqual([
      { name: 'LICENSE', size: 4 },
      { name: 'large.txt', size: large.length },
    ]);
    const read = (name: string, limit = 100) => files.read('example.com/a', 'v1.0.0', name, limit);
    expect(await read('LICENSE')).toEqual({ bytes: Buffer.from('text'), whole: true });
    expect(await read('large.txt')).toEqual({ bytes: Buffer.from('x'.repeat(100)), whole: false });
    expect((await read('large.txt', 5_000_000))?.whole).toBe(true);
    for (const name of ['license', '../a@v1.0.0/LICENSE', './LICENSE', '', '/LICENSE'])
      expect(await read(name)).toBeUndefined();
    expect(await files.files('example.com/a', 'v9.0.0')).toBeUndefined();
  });
});
