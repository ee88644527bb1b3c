import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StoredDocs } from '../../src/catalogue/stored-docs.ts';
import { zipOf } from '../modzip/zip.ts';

const P = 'example.test/m';
let directory: string;
let docs: StoredDocs;
const store = {
  fileName: (_: string, modulePath: string, version: string) =>
    path.join(directory, `${modulePath.replaceAll('/', '_')}@${version}.zip`),
};

function keep(version: string, files: Readonly<Record<string, string>>): void {
  const zip = zipOf(
    Object.entries(files).map(([name, text]) => ({
      name: `${P}@${version}/${name}`,
      content: Buffer.from(text, 'latin1'),
    })),
  );
  writeFileSync(store.fileName('zip', P, version), zip);
}

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-docs-'));
});

afterEach(() => docs[Symbol.asyncDispose]());
afterAll(() => rmSync(directory, { recursive: true }));

describe('documentation out of a stored zip', () => {
  it('is of the files that go builds on Linux, without tests, and of the package that most of them are', async () => {
    docs = new StoredDocs({ store });
    keep('v1.0.0', {
      'a.go': 'package m\n\nfunc A() {}\n',
      'b_linux.go': 'package m\n\nfunc B() {}\n',
      'c_windows.go': 'package m\n\nfunc C() {}\n',
      'd_test.go': 'package m\n\nfunc D() {}\n',
      'e.go': '//go:build !linux\n\npackage m\n\nfunc E() {}\n',
      'f_arm64.go': 'package m\n\nfunc F() {}\n',
      'g_linux_amd64.go': 'package m\n\nfunc G() {}\n',
      'h.go': 'package other\n\nfunc H() {}\n',
      '_i.go': 'package m\n\nfunc I() {}\n',
      'sub/j.go': 'package sub\n\nfunc J() {}\n',
      'linux.go': 'package m\n\nfunc Linux() {}\n',
      'old.go': '//go:build !go1.27 && go1.26\n\npackage m\n\nfunc Old() {}\n',
      'new.go': '//go:build go1.27\n\npackage m\n\nfunc New() {}\n',
      'bad.go': 'package m\n\n// \xff\xfe is no UTF-8.\nfunc K() {}\n',
    });
    const found = await docs.docs(P, 'v1.0.0', '');
    expect(found?.funcs.map(({ name }) => name)).toEqual(['A', 'B', 'G', 'K', 'Linux', 'Old']);
    expect(found?.whole).toBe(true);
    expect((await docs.docs(P, 'v1.0.0', 'sub'))?.funcs.map(({ name }) => name)).toEqual(['J']);
    expect(await docs.docs(P, 'v1.0.0', 'none')).toBeUndefined();
    expect(await docs.docs(P, 'v9.0.0', '')).toBeUndefined();
  });

  it('is of another system where nothing is built on Linux', async () => {
    docs = new StoredDocs({ store });
    keep('v1.0.1', {
      'w/a_windows.go': 'package w\n\nfunc A() {}\n',
      'w/b.go': '//go:build windows && !arm64\n\npackage w\n\nfunc B() {}\n',
      'd/c.go': '//go:build darwin\n\npackage d\n\nfunc C() {}\n',
      'j/d.go': '//go:build js && wasm && !cgo\n\npackage j\n\nfunc D() {}\n',
      'n/e.go': '//go:build ignore\n\npackage n\n\nfunc E() {}\n',
    });
    const on = async (directory: string) => (await docs.docs(P, 'v1.0.1', directory))?.system;
    expect(await on('w')).toBe('windows/amd64');
    expect((await docs.docs(P, 'v1.0.1', 'w'))?.funcs).toHaveLength(2);
    expect([await on('d'), await on('j'), await on('n')]).toEqual(['darwin/amd64', 'js/wasm', undefined]);
  });

  it('is read once', async () => {
    docs = new StoredDocs({ store });
    keep('v1.1.0', { 'a.go': 'package m\n\nfunc A() {}\n' });
    const first = await docs.docs(P, 'v1.1.0', '');
    rmSync(store.fileName('zip', P, 'v1.1.0'));
    expect(await docs.docs(P, 'v1.1.0', '')).toBe(first);
  });

  it('leaves out what is too large, and says so; what is large keeps nothing else waiting on the event loop', async () => {
    docs = new StoredDocs({ store });
    const line = '// F does.\nfunc F$(a, b int) (c string, err error) { return "}", nil }\n\n';
    const body = Array.from({ length: 50_000 }, (_, n) => line.replace('$', String(n))).join('');
    keep('v1.2.0', {
      'a.go': `package m\n\n${body}`,
      'b.go': `package m\n\n// ${'x'.repeat(9 * 2 ** 20)}\nfunc B() {}\n`,
    });
    let longest = 0;
    const over = new AbortController();
    const watch = (async () => {
      for (let last = performance.now(); !over.signal.aborted; ) {
        await sleep(1);
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
      }
    })();
    const found = await docs.docs(P, 'v1.2.0', '');
    over.abort();
    await watch;
    expect(found?.funcs).toHaveLength(50_000);
    expect(found?.whole).toBe(false);
    // What comes out of the thread is taken over in one piece.
    expect(longest).toBeLessThan(1_000);
  });

  it('is given up after a while, for that package alone', async () => {
    docs = new StoredDocs({ store, longest: 1 });
    keep('v1.3.0', { 'a.go': `package m\n\n${'func A(a struct{ B int }) {}\n'.repeat(100_000)}` });
    keep('v1.4.0', { 'a.go': 'package m\n\nfunc A() {}\n' });
    const late = docs.docs(P, 'v1.3.0', '');
    await expect(late).rejects.toMatchObject({ code: 'internal' });
    await expect(docs.docs(P, 'v1.3.0', '')).rejects.toMatchObject({ code: 'internal' });
    await docs[Symbol.asyncDispose]();
    docs = new StoredDocs({ store });
    expect((await docs.docs(P, 'v1.4.0', ''))?.funcs).toHaveLength(1);
  });

  it('refuses a damaged zip, and a crowd', async () => {
    docs = new StoredDocs({ store });
    writeFileSync(store.fileName('zip', P, 'v1.5.0'), 'no zip');
    await expect(docs.docs(P, 'v1.5.0', '')).rejects.toMatchObject({ code: 'bad_zip' });
    const crowd = await Promise.allSettled(
      Array.from({ length: 80 }, (_, n) => docs.docs(P, 'v1.5.0', `d${n}`)),
    );
    expect(
      crowd.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : '')),
    ).toContain('busy');
  });

  it('is not read any more for who waits when the server stops', async () => {
    docs = new StoredDocs({ store });
    keep('v1.9.0', { 'a.go': 'package m\n', 'b/b.go': 'package b\n' });
    const asked = [docs.docs(P, 'v1.9.0', ''), docs.docs(P, 'v1.9.0', 'b')];
    await docs[Symbol.asyncDispose]();
    for (const each of await Promise.allSettled(asked)) expect(each.status).toBe('rejected');
  });
});
