import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GokeepError } from '../../src/errors.ts';
import type { Incident } from '../../src/store/log-records.ts';
import { incidentMessage, postWebhook, type WebhookOptions } from '../../src/trust/webhook.ts';

let directory: string;
let server: Server;
let seen: {
  method: string | undefined;
  target: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}[];
/** Statuses to answer with; 204 after that; -1 breaks the connection, -2 never answers. */
let statuses: number[];

const incident = (n: number): Incident => ({
  at: 1_700_000_000_000,
  kind: 'tag',
  path: `corp.test/m${n}`,
  version: 'v1.0.0',
  recorded: 'a',
  seen: 'b',
  source: 'https://corp.test/m',
});
const BODY = incidentMessage('sum.corp.test', [incident(0)], 1_700_000_001_000);

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-webhook-'));
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ method: request.method, target: request.url, headers: request.headers, body });
      const status = statuses.shift() ?? 204;
      if (status === -1) request.socket.destroy();
      else if (status !== -2) response.writeHead(status, { location: '/elsewhere' }).end('x'.repeat(100));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});

beforeEach(() => {
  seen = [];
  statuses = [];
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

function file(text: string): string {
  const name = path.join(directory, String(Math.random()));
  writeFileSync(name, text);
  return name;
}

async function post(
  o: Partial<WebhookOptions> = {},
  signal = new AbortController().signal,
): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/hidden-path`;
  return await postWebhook({ url, userAgent: 'gokeep/test', pause: 1, ...o }, BODY, signal).then(
    () => 'sent',
    (error: GokeepError) => ({ code: error.code, message: error.message }),
  );
}

describe('the webhook', () => {
  it('is told by POST, in JSON, with the token and the signature that its files hold', async () => {
    expect(await post({ tokenFile: file('tok\r\n'), keyFile: file('key\n') })).toBe('sent');
    const { method, target, headers, body } = seen[0]!;
    expect({ method, target, body }).toEqual({
      method: 'POST',
      target: '/hidden-path',
      body: BODY.toString(),
    });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      authorization: 'Bearer tok',
      'gokeep-signature': `sha256=${createHmac('sha256', 'key').update(BODY).digest('hex')}`,
    });
  });

  it('is told no more than a hundred incidents at once, and how many there were', () => {
    const message = JSON.parse(
      incidentMessage(
        'sum.corp.test',
        Array.from({ length: 150 }, (_, n) => incident(n)),
        1_700_000_001_000,
      ).toString(),
    ) as { incidents: unknown[] };
    expect(message).toMatchObject({
      version: 1,
      log: 'sum.corp.test',
      sent: '2023-11-14T22:13:21.000Z',
      omitted: 50,
    });
    expect(message.incidents.length).toBe(100);
    expect(message.incidents[0]).toMatchObject({ at: '2023-11-14T22:13:20.000Z', path: 'corp.test/m0' });
  });

  it('is asked again after trouble, and not without end', async () => {
    statuses = [503, -1, 429];
    expect(await post()).toBe('sent');
    expect(seen.length).toBe(4);
    seen = [];
    statuses = [500, 500, 500, 500, 500];
    expect(await post()).toMatchObject({ code: 'upstream_failed' });
    expect(seen.length).toBe(4);
  });

  it('is given up when it does not answer in time', async () => {
    statuses = [-2, -2];
    expect(await post({ attempts: 2, deadline: 50 })).toMatchObject({ code: 'upstream_unreachable' });
  });

  it.each([
    [401, 'upstream_refused'],
    [404, 'upstream_failed'],
    [302, 'upstream_failed'],
  ])('a %s is not asked again, and leads nowhere else', async (status, code) => {
    statuses = [status];
    const said = (await post({ tokenFile: file('tok') })) as { code: string; message: string };
    expect(said.code).toBe(code);
    expect(said.message).toContain(`it answered ${status}`);
    expect(said.message).not.toMatch(/hidden-path|tok\b/);
    expect(seen.length).toBe(1);
  });

  it('is told nothing without the secret that was configured', async () => {
    expect(await post({ tokenFile: file('\n') })).toMatchObject({ code: 'bad_config' });
    expect(await post({ keyFile: path.join(directory, 'none') })).toMatchObject({ code: 'bad_config' });
    expect(seen).toEqual([]);
  });

  it('is given up with its signal', async () => {
    statuses = [503];
    const abort = new AbortController();
    const said = post({ pause: 60_000 }, abort.signal);
    setTimeout(() => abort.abort(), 100);
    expect(await said).toMatchObject({ code: 'busy' });
  });
});
