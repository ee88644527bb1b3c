import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';
import { rawGet, sendRaw } from './raw-socket.ts';

let world: UpstreamWorld;
let gokeep: GokeepProcess;
let port: number;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  await world.publish({ path: 'example.test/m', version: 'v1.0.0' });
  gokeep = await GokeepProcess.start({
    toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n[http]\nmax_connections = 64\n`,
  });
  port = Number(new URL(gokeep.url).port);
});

afterAll(async () => {
  await gokeep[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function filesHeld(): Promise<string[]> {
  const names = await readdir(path.join(gokeep.data, 'download'), { recursive: true });
  return [...names, ...(await readdir(path.join(gokeep.data, 'tmp')))].sort();
}

/** Runs `ask`, then checks that it left no trace outside or on disk. */
async function withoutTrace<T>(ask: () => Promise<T>): Promise<T> {
  const [requests, files] = [world.upstream.requests.length, await filesHeld()];
  const result = await ask();
  expect(world.upstream.targets.slice(requests)).toEqual([]);
  expect(await filesHeld()).toEqual(files);
  return result;
}

/** Each as the raw bytes of a request target. */
const REFUSED_TARGETS: readonly (readonly [string, string, number])[] = [
  ['an encoded slash', '/example.test%2fm/@v/v1.0.0.mod', 404],
  ['an encoded slash in upper case', '/example.test%2Fm/@v/v1.0.0.mod', 404],
  ['an encoded backslash', '/example.test%5cm/@v/v1.0.0.mod', 404],
  ['a backslash', '/example.test\\m/@v/v1.0.0.mod', 404],
  ['a parent directory', '/example.test/../m/@v/v1.0.0.mod', 404],
  ['a parent directory in the version', '/example.test/m/@v/../../x/@v/v1.0.0.mod', 400],
  ['an encoded parent directory', '/example.test/%2e%2e/m/@v/v1.0.0.mod', 404],
  ['a twice encoded parent directory', '/example.test/%252e%252e/m/@v/v1.0.0.mod', 404],
  ['an encoded NUL', '/example.test/m%00/@v/v1.0.0.mod', 404],
  ['an encoded line break', '/example.test/m%0d%0aX:y/@v/v1.0.0.mod', 404],
  ['invalid UTF-8, encoded', '/example.test/m%ff/@v/v1.0.0.mod', 404],
  ['half a percent encoding', '/example.test/m%/@v/v1.0.0.mod', 404],
  ['a percent sign without hexadecimal digits', '/example.test/m%zz/@v/v1.0.0.mod', 404],
  ['raw bytes beyond ASCII', '/example.test/m\xc3\xbc/@v/v1.0.0.mod', 400],
  ['an unescaped upper case letter', '/example.test/M/@v/v1.0.0.mod', 404],
  ['a doubled escape', '/example.test/!!m/@v/v1.0.0.mod', 404],
  ['a trailing escape', '/example.test/m!/@v/v1.0.0.mod', 404],
  ['an escaped upper case letter', '/example.test/!M/@v/v1.0.0.mod', 404],
  ['a path of 5 KiB', `/example.test/${'m'.repeat(200)}${'/mmm'.repeat(1200)}/@v/v1.0.0.mod`, 404],
  ['an element of 300 bytes', `/example.test/${'m'.repeat(300)}/@v/v1.0.0.mod`, 404],
  ['an empty element', '/example.test//m/@v/v1.0.0.mod', 404],
  ['a trailing slash', '/example.test/m/@v/v1.0.0.mod/', 400],
  ['a device name', '/example.test/con/@v/v1.0.0.mod', 404],
  ['a host without a dot', '/m/@v/v1.0.0.mod', 404],
  ['a host that begins with a dash', '/-example.test/m/@v/v1.0.0.mod', 404],
  ['a version that begins with a dash', '/example.test/m/@v/-x.info', 404],
  ['latest as a version', '/example.test/m/@v/latest.zip', 404],
  ['an unknown file', '/example.test/m/@v/v1.0.0.exe', 400],
  ['a version that does not fit the path', '/example.test/m/@v/v2.0.0.mod', 404],
  ['a short version', '/example.test/m/@v/v1.mod', 404],
  ['build metadata', '/example.test/m/@v/v1.0.0+meta.mod', 404],
  ['no module at all', '/@v/list', 400],
  ['nothing we know', '/favicon.ico', 400],
  ['an unknown database', '/sumdb/sum.other.test/latest', 404],
  ['a traversal in a tile', '/sumdb/sum.golang.org/../../tile/8/0/000', 404],
];

describe('what no go command sends', () => {
  it.each(REFUSED_TARGETS)(
    '%s is refused before anything is asked or stored',
    async (_what, target, status) => {
      const answer = await withoutTrace(() => sendRaw(port, rawGet(target)));
      expect(answer.status).toBe(status);
      expect(answer.text).toMatch(/content-type: text\/plain; charset=utf-8/i);
      expect(answer.text).toMatch(/cache-control: no-store/i);
    },
  );

  it.each([
    ['an absolute-form target', 'GET http://user:s3cret@gokeep.test/livez HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['two hosts', 'GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    [
      'a length and chunks',
      'GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    [
      'two equal lengths',
      'GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
    ],
    ['a folded header', 'GET /livez HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n'],
    ['bare line feeds', 'GET /livez HTTP/1.1\nHost: a\n\n'],
    ['a space before a colon', 'GET /livez HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['a NUL in the target', 'GET /li\0vez HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a control character in a header', 'GET /livez HTTP/1.1\r\nHost: a\r\nX-A: b\x01c\r\n\r\n'],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a body', 'GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'],
    [
      'a chunked body',
      'GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ],
  ])('%s is a bad request, in plain text, and ends the connection', async (_what, bytes) => {
    const answer = await withoutTrace(() => sendRaw(port, bytes));
    expect(answer).toMatchObject({ status: 400, closed: true });
    expect(answer.text).toMatch(/content-type: text\/plain; charset=utf-8/i);
  });

  it('a body is never read: the connection ends with the answer, and what follows is no request', async () => {
    const smuggled = 'GET /smuggled.test/x/@v/v1.0.0.mod HTTP/1.1\r\nHost: a\r\n\r\n';
    const answer = await withoutTrace(() =>
      sendRaw(port, `GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${smuggled}`),
    );
    expect(answer).toMatchObject({ status: 400, closed: true });
    expect(answer.text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('a request names its host', async () => {
    expect(await sendRaw(port, 'GET /livez HTTP/1.1\r\n\r\n')).toMatchObject({ status: 400, closed: true });
  });

  it('two hosts are refused for an answer that lies prepared in memory too', async () => {
    const target = '/example.test/m/@v/v1.0.0.mod';
    for (let i = 0; i < 2; i++) expect((await gokeep.get(target)).status).toBe(200);
    const answer = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n`);
    expect(answer.status).toBe(400);
  });

  it('64 KB of headers are 431, and 2,000 small headers lose none of their number', async () => {
    const long = await sendRaw(port, rawGet('/livez', [`X-Long: ${'a'.repeat(65_536)}`]));
    expect(long.status).toBe(431);
    // 2,400 headers of 6 bytes fit the limit of bytes; the one that matters comes last.
    const many = Array.from({ length: 2_400 }, () => 'a:1').concat('Content-Length: 3');
    const answer = await sendRaw(port, `GET /livez HTTP/1.1\r\nHost: a\r\n${many.join('\r\n')}\r\n\r\nabc`);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('takes no request body');
  });

  it('headers named __proto__ and constructor are headers like any other', async () => {
    const answer = await sendRaw(port, rawGet('/livez', ['__proto__: x', 'constructor: y', 'toString: z']));
    expect(answer.status).toBe(200);
    expect((await gokeep.get('/livez')).status).toBe(200);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])(
    '%s is 405 and says what is allowed, whatever its body claims to be',
    async (method) => {
      for (const target of ['/', '/livez', '/example.test/m/@v/v1.0.0.mod', '/nothing']) {
        const body = 'Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a": 1} ';
        const answer = await withoutTrace(() =>
          sendRaw(port, `${method} ${target} HTTP/1.1\r\nHost: a\r\n${body}`),
        );
        expect(answer).toMatchObject({ status: 405, closed: true });
        expect(answer.text).toMatch(/allow: GET, HEAD/i);
        expect(answer.text).toContain(`${method} is not used here`);
      }
    },
  );

  it.each(['OPTIONS *', 'CONNECT other.test:443', 'get /livez', 'FOO /livez'])(
    '"%s" opens nothing',
    async (line) => {
      const answer = await withoutTrace(() => sendRaw(port, `${line} HTTP/1.1\r\nHost: a\r\n\r\n`));
      expect([0, 400, 405]).toContain(answer.status);
    },
  );

  it('an upgrade that is not offered is ignored', async () => {
    const answer = await sendRaw(port, rawGet('/livez', ['Upgrade: h2c', 'HTTP2-Settings: AAAA']));
    expect(answer.status).toBe(200);
  });
});

describe('what a log may say', () => {
  it('a query string is ignored, and it is never logged', async () => {
    const answer = await gokeep.get('/example.test/m/@v/v1.0.0.mod?token=s3cret-in-query');
    expect(answer.status).toBe(200);
    await sendRaw(port, 'GET http://user:s3cret-in-url@gokeep.test/livez HTTP/1.1\r\nHost: a\r\n\r\n');
    await sendRaw(
      port,
      rawGet('/livez', ['Authorization: Basic s3cret-in-header', 'Cookie: s3cret-in-cookie']),
    );
    await sleep(250);
    expect(gokeep.output).toContain('/example.test/m/@v/v1.0.0.mod');
    expect(gokeep.output).toContain('gokeep.test/livez');
    expect(gokeep.output).not.toContain('s3cret');
  });

  it('every request is one line of JSON, whatever it contains', async () => {
    const forged = '"}\\n{"level":30,"forged":true';
    await sendRaw(port, rawGet(`/${forged.replaceAll(' ', '')}`, [`User-Agent: a${forged}\x9b31m\x1b[2J`]));
    await sendRaw(port, rawGet('/livez', [`User-Agent: \x9b31m${'u'.repeat(10_000)}`]));
    await sleep(250);
    const lines = gokeep.output.split('\n').filter((line) => line.startsWith('{'));
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(parsed.length).toBeGreaterThan(50);
    expect(parsed.filter((line) => 'forged' in line)).toEqual([]);
    expect(parsed.every((line) => line['msg'] !== 'request' || String(line['agent']).length < 140)).toBe(
      true,
    );
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(lines.some((line) => /[\u0000-\u001f\u007f-\u009f]/.test(line))).toBe(false);
  });
});

describe('connections', () => {
  it('idle ones are bounded by max_connections, and those within it are served', async () => {
    const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1'));
    try {
      let closed = 0;
      for (const socket of sockets) {
        socket.on('error', () => undefined);
        socket.on('close', () => closed++);
        socket.resume();
      }
      await sleep(300);
      expect(closed).toBeGreaterThanOrEqual(36);
      expect(closed).toBeLessThan(60);
      const open = sockets.find((socket) => !socket.destroyed && socket.readable)!;
      open.write(rawGet('/livez'));
      const answer = await new Promise<Buffer>((resolve) => {
        open.once('data', resolve);
      });
      expect(answer.toString()).toContain('200 OK');
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await sleep(50);
    expect((await gokeep.get('/livez')).status).toBe(200);
  });
});

describe('a request of our own that comes back', () => {
  it('is answered at once with what is wrong, and each request upstream carries our name', async () => {
    const name = gokeep.vkey.split('+')[0]!;
    await gokeep.get('/example.test/m/@v/v1.0.0.info');
    const sent = world.upstream.requests.find(({ target }) =>
      target.endsWith('/example.test/m/@v/v1.0.0.info'),
    );
    expect(sent?.headers['via']).toBe(`1.1 ${name}`);
    await withoutTrace(async () => {
      const looped = await gokeep.get('/example.test/m/@v/v9.9.9.info', { via: `1.1 other, 1.1 ${name}` });
      expect([looped.status, await looped.text()]).toEqual([
        508,
        expect.stringContaining('is its own upstream'),
      ]);
    });
    const other = await gokeep.get('/example.test/m/@v/v1.0.0.mod', { via: '1.1 another.gokeep' });
    expect(other.status).toBe(200);
  });
});
