import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
    expect(first.stdout).toMatch(
      /v1\.0\.0\.zip: entry 2 \S+ answered 200 OK in \d+ ms\n {2}its log: 2\S+Z, GET 200, \d+ bytes in [\d.]+ ms from store, for nobody known at 127\.0\.0\.1\n/,
    );
    const asked = first.stdout.match(/: entry 2 /g)!.length;
    expect(first.stdout.match(/^ {2}its log: 2/gm)).toHaveLength(asked);
    expect(first.stdout + first.stderr).not.toContain('/traced/');
    const second = await gokeep(args, { ...env, GOFLAGS: '-modcacherw' });
    expect(second.stdout).toContain('no request: everything came from the module cache and go.sum');
    const failed = await gokeep([...args.slice(0, -1), 'example.test/none@v1.0.0'], env);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain('answered 404 Not Found');
    expect(failed.stdout).toContain('there is no further entry');
  });

  it("shows the log lines of a gokeep that asks for credentials, by go's own TLS and netrc", async () => {
    const home = at.home({ '.netrc': at.netrc() });
    const env = { ...at.guardedEnv(home), GOMODCACHE: path.join(home, 'mod'), GOFLAGS: '-modcacherw' };
    const args = ['doctor', 'trace', '--', 'go', 'mod', 'download', 'example.test/held@v1.0.0'];
    const { code, stdout, stderr } = await gokeep(args, env);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/v1\.0\.0\.zip: .* 200 OK .*\n {2}its log: .* for token:doctor at /);
    expect(stdout + stderr).not.toContain(at.token);
    const refused = await gokeep([...args.slice(0, -1), 'example.test/other@v1.0.0'], {
      ...env,
      NETRC: path.join(home, 'none'),
    });
    expect(refused.stdout).toMatch(
      /answered 401 .*\n {2}its log: .* GET 401, .* code unauthenticated, for nobody/,
    );
  });

  it('shows no more of a hostile server than a line, without what a terminal acts on', async () => {
    const line = {
      target: '/example.test/held/@v/v1.0.0.info',
      status: 'x',
      time: `\u001b]0;${'x'.repeat(9000)}`,
    };
    const hostile = createServer(({ url = '' }, response) => {
      if (url === '/api/v1/server') response.end('{"program":"gokeep","sumdb":"evil.test","traces":true}');
      else if (url.startsWith('/api/v1/requests/'))
        response.end(JSON.stringify({ requests: [line, null, 7], next: 1 }));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
    try {
      const home = at.home();
      const GOPROXY = `http://127.0.0.1:${(hostile.address() as AddressInfo).port}`;
      const args = ['doctor', 'trace', '--', 'go', 'mod', 'download', 'example.test/held@v1.0.0'];
      const { stdout } = await gokeep(args, { ...at.env(home), GOPROXY });
      expect(stdout).toMatch(/ {2}its log: \ufffd\]0;x+, \? NaN, NaN bytes/);
      // oxlint-disable-next-line no-control-regex -- these are what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0009\u001b]/);
      for (const each of stdout.split('\n')) expect(each.length).toBeLessThan(400);
    } finally {
      hostile.close();
      hostile.closeAllConnections();
    }
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
