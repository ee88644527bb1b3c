import { describe, expect, it } from 'vitest';
import { namedVersion } from '../../src/modzip/named-version.ts';
import { memorySource, zipOf } from './zip.ts';

const named = (...names: string[]) => namedVersion(memorySource(zipOf(names.map((name) => ({ name })))));

describe('the version that a zip names', () => {
  it.each([
    ['corp.test/lib@v1.0.0/go.mod', 'corp.test/lib', 'v1.0.0'],
    ['corp.test/Team/lib/v2@v2.0.0-rc.1/a/b.go', 'corp.test/Team/lib/v2', 'v2.0.0-rc.1'],
    ['corp.test/lib@v2.0.0+incompatible/a@b.go', 'corp.test/lib', 'v2.0.0+incompatible'],
    ['corp.test/lib@v1.0.0/', 'corp.test/lib', 'v1.0.0'],
  ])('of %s', async (name, path, version) => {
    expect(await named(name)).toEqual({ path, version });
  });

  it('is that of its first name: whether the others agree is for its judge to see', async () => {
    expect(await named('corp.test/a@v1.0.0/a', 'corp.test/b@v1.0.0/b')).toMatchObject({
      path: 'corp.test/a',
    });
  });

  it.each([
    ['no version', 'corp.test/lib/go.mod', 'bad_zip'],
    ['no path', '@v1.0.0/go.mod', 'bad_zip'],
    ['an empty version', 'corp.test/lib@/go.mod', 'bad_zip'],
    ['nothing behind it', 'corp.test/lib@v1.0.0', 'bad_zip'],
    ['two versions', 'corp.test/lib@v1.0.0@v1.0.0/go.mod', 'bad_zip'],
    ['a way up', 'corp.test/../../etc@v1.0.0/go.mod', 'bad_path'],
    ['a way up instead of a version', 'corp.test/lib@../go.mod', 'bad_version'],
    ['a root', '/corp.test/lib@v1.0.0/go.mod', 'bad_path'],
    ['backslashes', 'corp.test\\lib@v1.0.0/go.mod', 'bad_path'],
    ['a NUL', 'corp.test/lib\0@v1.0.0/go.mod', 'bad_path'],
    ['a NUL in the version', 'corp.test/lib@v1.0.0\0/go.mod', 'bad_version'],
    ['a line feed', 'corp.test/lib\n@v1.0.0/go.mod', 'bad_path'],
    ['a percent sign', 'corp.test/%6cib@v1.0.0/go.mod', 'bad_path'],
    ['a query', 'corp.test/lib?x@v1.0.0/go.mod', 'bad_path'],
    ['an escaped letter', 'corp.test/!lib@v1.0.0/go.mod', 'bad_path'],
    ['another alphabet', 'corp.test/ｌib@v1.0.0/go.mod', 'bad_path'],
    ['no host', 'lib@v1.0.0/go.mod', 'bad_path'],
    ['a host in upper case', 'Corp.test/lib@v1.0.0/go.mod', 'bad_path'],
    ['a branch', 'corp.test/lib@main/go.mod', 'bad_version'],
    ['a short version', 'corp.test/lib@v1.0/go.mod', 'bad_version'],
    ['build metadata', 'corp.test/lib@v1.0.0+meta/go.mod', 'bad_version'],
    ['another major version', 'corp.test/lib@v2.0.0/go.mod', 'bad_version'],
    ['an element that no disk takes', `corp.test/${'a'.repeat(256)}@v1.0.0/go.mod`, 'bad_path'],
    ['one that no disk takes escaped', `corp.test/${'A'.repeat(128)}@v1.0.0/go.mod`, 'bad_path'],
    ['a version that no disk takes', `corp.test/lib@v1.0.0-${'a'.repeat(240)}/go.mod`, 'bad_version'],
    ['a path that no address has', `corp.test${'/Abcdefghi'.repeat(380)}@v1.0.0/a`, 'bad_path'],
  ])('is refused with %s', async (_what, name, code) => {
    await expect(named(name)).rejects.toMatchObject({ code });
  });

  it('is asked of zips only, with something in them', async () => {
    await expect(named()).rejects.toMatchObject({ code: 'bad_zip', message: 'it is empty' });
    await expect(namedVersion(memorySource(Buffer.from('no zip')))).rejects.toMatchObject({
      code: 'bad_zip',
    });
  });
});
