import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGoproxy } from '../../src/client/doctor/facts/goproxy-list.ts';
import { tracedRequests } from '../../src/client/doctor/trace/requests.ts';
import { story } from '../../src/client/doctor/trace/story.ts';
import { gokeep } from '../cli/program.ts';
import { DoctorWorld } from './doctor-world.ts';

let at: DoctorWorld;
beforeAll(async () => {
  at = await DoctorWorld.start();
});
afterAll(() => at[Symbol.asyncDispose]());

describe('doctor trace', () => {
  it('tells which entry answered, which fell through and why, and what the database said', async () => {
    const home = at.home();
    const nothing = `${at.world.url}/nothing`;
    const env = { ...at.env(home), GOPROXY: `${nothing},${at.open.url}`, GOMODCACHE: path.join(home, 'mod') };
    const args = ['doctor', 'trace', '--', 'go', 'mod', 'download', 'example.test/held@v1.0.0'];
    const first = await gokeep(args, { ...env, GOFLAGS: '-modcacherw' });
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr).toContain('# get ');
    expect(first.stdout).toContain(`example.test/held v1.0.0.zip: entry 1 ${nothing} answered 404 Said`);
    expect(first.stdout).toContain(`; go goes on to ${at.open.url}, since that is "not here"`);
    expect(first.stdout).toContain(`example.test/held v1.0.0.zip: entry 2 ${at.open.url} answered 200 OK`);
    expect(first.stdout).toContain(
      `example.test/held@v1.0.0: mod from ${at.open.url}, zip from ${at.open.url}; the database has a record`,
    );
    const second = await gokeep(args, { ...env, GOFLAGS: '-modcacherw' });
    expect(second.stdout).toContain('no request: everything came from the module cache and go.sum');
    const failed = await gokeep([...args.slice(0, -1), 'example.test/none@v1.0.0'], env);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain('answered 404 Not Found');
    expect(failed.stdout).toContain('there is no further entry');
  });

  it('runs nothing but go', async () => {
    const { code, stderr } = await gokeep(['doctor', 'trace', '--', 'sh', '-c', 'echo harm']);
    expect(code).toBe(2);
    expect(stderr).toContain('Only a go command can be traced');
  });

  it('tells where go stops at a comma, goes on at a pipe, and asks a host directly', () => {
    const stderr = [
      '# get https://a.test/x.test/m/@v/list: 502 Bad Gateway (0.010s)',
      '# get https://a.test/x.test/n/@v/list: dial tcp: i/o timeout',
      '# get https://b.test/p/x.test/m/@v/list: 403 Forbidden (0.002s)',
      '# get https://x.test/m?go-get=1: 200 OK (0.002s)',
      '# get https://sum.test/lookup/x.test/m@v1.0.0: 404 Not Found (0.002s)',
    ].join('\n');
    const lines = story(tracedRequests(stderr), readGoproxy('https://a.test|https://b.test/p,direct'));
    expect(lines).toEqual([
      'x.test/m list: entry 1 https://a.test answered 502 Bad Gateway in 10 ms; go goes on to https://b.test/p, since a pipe follows',
      'x.test/n list: entry 1 https://a.test answered dial tcp: i/o timeout; go goes on to https://b.test/p, since a pipe follows',
      'x.test/m list: entry 2 https://b.test/p answered 403 Forbidden in 2 ms; go stops, since a comma follows and 403 is not "not here"',
      'repository of x.test/m: x.test (directly) answered 200 OK in 2 ms',
      'database lookup/x.test/m@v1.0.0: sum.test (directly) answered 404 Not Found in 2 ms',
    ]);
  });
});
