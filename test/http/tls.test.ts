import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

/** Makes a self-signed certificate for 127.0.0.1 whose common name is `name`. */
function makeCertificate(directory: string, name: string): { cert: string; key: string } {
  const cert = path.join(directory, `${name}.pem`);
  const key = path.join(directory, `${name}.key`);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  });
  return { cert, key };
}

interface H2Answer {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  readonly body: Buffer;
}

function h2Request(session: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders): Promise<H2Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers);
    const chunks: Buffer[] = [];
    let got: H2Answer['headers'] = {};
    stream.on('response', (response) => (got = response));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve({ headers: got, body: Buffer.concat(chunks) }));
    stream.on('error', reject);
    stream.end();
  });
}

describe.skipIf(!needs('openssl'))('over TLS (needs openssl)', () => {
  let directory: string;
  let files: { cert: string; key: string };
  let world: UpstreamWorld;
  let gokeep: GokeepProcess;
  let port: number;
  let trusted: string;
  let zip: Buffer;

  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'gokeep-tls-'));
    files = { cert: path.join(directory, 'served.pem'), key: path.join(directory, 'served.key') };
    for (const name of ['first', 'second']) makeCertificate(directory, name);
    use('first');
    trusted = path.join(directory, 'trusted.pem');
    writeFileSync(
      trusted,
      ['first', 'second'].map((name) => readFileSync(path.join(directory, `${name}.pem`))).join(''),
    );
    world = await UpstreamWorld.start();
    // Random bytes stay as large in the zip: far beyond what HTTP/2 sends ahead to a client that does not read.
    const big = { 'big.bin': randomBytes(700_000) };
    const made = await world.publish({ path: 'example.test/m', version: 'v1.0.0', files: big });
    zip = made.zip;
    gokeep = await GokeepProcess.start({
      toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n[tls]\ncert = "${files.cert}"\nkey = "${files.key}"\n[cache]\nsmall_file = "64KiB"\n`,
    });
    port = Number(new URL(gokeep.url).port);
  });

  afterAll(async () => {
    await gokeep[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  function use(name: string): void {
    copyFileSync(path.join(directory, `${name}.pem`), files.cert);
    copyFileSync(path.join(directory, `${name}.key`), files.key);
  }

  function open(): Promise<http2.ClientHttp2Session> {
    return new Promise((resolve, reject) => {
      const session = http2.connect(gokeep.url, { ca: readFileSync(trusted) }, () => resolve(session));
      session.on('error', reject);
    });
  }

  /** Common name of the certificate that a new connection is shown. */
  function shownName(): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = tls.connect({ host: '127.0.0.1', port, ca: readFileSync(trusted) }, () => {
        const { CN } = socket.getPeerCertificate().subject;
        resolve(String(CN));
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }

  it('the address it prints is https', () => {
    expect(gokeep.url).toMatch(/^https:\/\/127\.0\.0\.1:/);
  });

  it('HTTP/2 answers everything that HTTP/1.1 does: pages, files, ranges, conditions, errors, prepared answers', async () => {
    const session = await open();
    try {
      expect((await h2Request(session, { ':path': '/livez' })).body.toString()).toBe('ok\n');
      const target = '/example.test/m/@v/v1.0.0.zip';
      const whole = await h2Request(session, { ':path': target });
      expect(whole.headers).toMatchObject({ ':status': 200, 'content-type': 'application/zip' });
      expect(whole.body.equals(zip)).toBe(true);
      const etag = whole.headers.etag ?? '';
      const part = await h2Request(session, { ':path': target, range: 'bytes=10-19' });
      expect(part.headers[':status']).toBe(206);
      expect(part.body.equals(zip.subarray(10, 20))).toBe(true);
      expect((await h2Request(session, { ':path': target, 'if-none-match': etag })).headers[':status']).toBe(
        304,
      );
      const head = await h2Request(session, { ':path': target, ':method': 'HEAD' });
      expect(head).toMatchObject({ headers: { ':status': 200, 'content-length': String(zip.length) } });
      expect(head.body.length).toBe(0);
      const mod = '/example.test/m/@v/v1.0.0.mod';
      const first = await h2Request(session, { ':path': mod });
      const again = await h2Request(session, { ':path': mod });
      expect(again.headers['x-gokeep-from']).toBe('memory');
      expect(again.body.equals(first.body)).toBe(true);
      const refused = await h2Request(session, { ':path': '/example.test/%2e%2e/x/@v/list' });
      expect(refused.headers).toMatchObject({ ':status': 404, 'content-type': 'text/plain; charset=utf-8' });
      const posted = await h2Request(session, { ':path': '/livez', ':method': 'POST' });
      expect(posted.headers).toMatchObject({ ':status': 405, allow: 'GET, HEAD' });
      const missing = await h2Request(session, { ':path': '/example.test/none/@v/list' });
      expect(missing.headers[':status']).toBe(404);
      const body = await h2Request(session, { ':path': '/livez', 'content-length': '5' }).catch(
        () => undefined,
      );
      expect(body?.headers[':status'] ?? 400).toBe(400);
    } finally {
      session.close();
    }
    await sleep(250);
    expect(gokeep.output).toContain('"client":"127.0.0.1","method":"POST"');
  });

  it('64 KB of headers are refused on HTTP/2 too, and the server lives on', async () => {
    const session = await open();
    session.on('error', () => undefined);
    const outcome = await h2Request(session, { ':path': '/livez', 'x-long': 'a'.repeat(65_536) }).then(
      ({ headers }) => headers[':status'],
      () => 'reset',
    );
    expect([431, 'reset', undefined]).toContain(outcome);
    session.destroy();
    expect(await shownName()).toBe('first');
  });

  it('a client that resets its stream in the middle of a zip leaves the session and the server whole', async () => {
    const session = await open();
    try {
      for (let i = 0; i < 20; i++) {
        const stream = session.request({ ':path': '/example.test/m/@v/v1.0.0.zip' });
        stream.on('error', () => undefined);
        await new Promise((resolve) => {
          stream.once('response', resolve);
        });
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }
      const whole = await h2Request(session, { ':path': '/example.test/m/@v/v1.0.0.zip' });
      expect(whole.body.equals(zip)).toBe(true);
    } finally {
      session.close();
    }
  });

  it('HTTP/1.1 answers on the same port, as long between requests as plain HTTP does', async () => {
    const agent = new https.Agent({ keepAlive: true, ca: readFileSync(trusted) });
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      https
        .get(`${gokeep.url}/livez`, { agent }, (response) => {
          response.resume();
          resolve({
            version: response.httpVersion,
            status: response.statusCode,
            keepAlive: response.headers['keep-alive'],
          });
        })
        .on('error', reject);
    });
    agent.destroy();
    expect(headers).toEqual({ version: '1.1', status: 200, keepAlive: 'timeout=120' });
  });

  it('nothing older than TLS 1.2 is spoken, before and after a reload', async () => {
    const old = () =>
      new Promise<string>((resolve) => {
        const options = { host: '127.0.0.1', port, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
        const socket = tls.connect(
          { ...options, ciphers: 'DEFAULT@SECLEVEL=0', rejectUnauthorized: false },
          () => resolve('connected'),
        );
        socket.on('error', () => resolve('refused'));
      });
    expect(await old()).toBe('refused');
    gokeep.child.kill('SIGHUP');
    await sleep(200);
    expect(await old()).toBe('refused');
  });

  it('the real go downloads through it, with the certificate in SSL_CERT_FILE', async () => {
    await using client = await GoClient.create({
      GOPROXY: gokeep.url,
      GOSUMDB: gokeep.vkey,
      SSL_CERT_FILE: trusted,
    });
    const download = await client.run('mod', 'download', '-json', 'example.test/m@v1.0.0');
    expect(download.stderr).toBe('');
    expect(download.stdout).toContain('"Sum": "h1:');
    await using other = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
    expect((await other.run('mod', 'download', 'example.test/m@v1.0.0')).stderr).toContain('certificate');
  });

  it('SIGHUP reads the certificate anew for new connections; open ones go on', async () => {
    const session = await open();
    expect(await shownName()).toBe('first');
    use('second');
    expect(await shownName()).toBe('first');
    gokeep.child.kill('SIGHUP');
    await expect.poll(shownName).toBe('second');
    expect((await h2Request(session, { ':path': '/livez' })).body.toString()).toBe('ok\n');
    session.close();
  });

  it.each([
    ['no certificate', () => writeFileSync(files.cert, 'garbage')],
    ['the key of another', () => copyFileSync(path.join(directory, 'first.key'), files.key)],
    ['a file that is not there', () => rmSync(files.key)],
  ])('with %s the old pair stays in use, and the operator is told', async (_what, spoil) => {
    use('second');
    gokeep.child.kill('SIGHUP');
    await expect.poll(shownName).toBe('second');
    const before = gokeep.output.length;
    spoil();
    gokeep.child.kill('SIGHUP');
    await expect.poll(() => gokeep.output.slice(before)).toContain('the old one stays in use');
    expect(await shownName()).toBe('second');
    const session = await open();
    expect((await h2Request(session, { ':path': '/livez' })).body.toString()).toBe('ok\n');
    session.close();
  });

  it('SIGTERM lets a download on an HTTP/2 session end, and then the process with 0', async () => {
    use('second');
    const session = await open();
    const idle = await open();
    idle.on('error', () => undefined);
    const stream = session.request({ ':path': '/example.test/m/@v/v1.0.0.zip' });
    stream.pause();
    await new Promise((resolve) => {
      stream.once('response', resolve);
    });
    const ended = gokeep.stop('SIGTERM');
    await sleep(300);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(zip)).toBe(true);
    expect(await ended).toBe(0);
  });
});
