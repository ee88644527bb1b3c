import type { Socket } from 'node:net';
import { assert, constantFrom, oneof, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestLog, type RequestLine } from '../../src/http/request-log.ts';

function logged(...lines: Partial<RequestLine>[]): string {
  let text = '';
  const log = new RequestLog({ write: (more) => (text += more) });
  for (const line of lines) {
    log.write({
      request: { method: 'GET', url: '/', headers: {}, socket: {} as Socket },
      client: '127.0.0.1',
      status: 200,
      bytes: 1,
      ms: 1,
      from: 'store',
      ...line,
    });
  }
  log.flush();
  return text;
}

const asked = (url: string, agent = '', method = 'GET') => ({
  request: {
    method,
    url,
    headers: { 'user-agent': agent, authorization: 'Basic s3cret' },
    socket: {} as Socket,
  },
});

describe('the request log', () => {
  it('is one line of JSON a request, free of control characters, whatever the client sends', () => {
    // Half of it is what JSON leaves alone and a terminal does not.
    const control = constantFrom(
      '\u007f',
      '\u0085',
      '\u009b',
      '\u2028',
      '\u2029',
      '\n',
      '\r',
      '\u001b',
      '"',
      '\\',
    );
    const anything = oneof(
      string({ unit: 'binary', maxLength: 400 }),
      string({ unit: control, maxLength: 60 }),
    );
    assert(
      property(anything, anything, anything, anything, (url, agent, client, detail) => {
        const text = logged({ ...asked(url, agent), client, error: { code: 'internal', detail } });
        expect(text.endsWith('}\n')).toBe(true);
        // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
        expect(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text.slice(0, -1))).toBe(false);
        const parsed = JSON.parse(text) as object;
        expect(Object.keys(parsed)).toEqual([
          'level',
          'time',
          'msg',
          'client',
          'method',
          'url',
          'status',
          'bytes',
          'ms',
          'from',
          'agent',
          'code',
          'detail',
        ]);
      }),
    );
  });

  it.each([
    ['/a.test/m/@v/list?token=s3cret', '/a.test/m/@v/list'],
    ['http://user:s3cret@a.test/x', 'http://a.test/x'],
    ['user:s3cret@a.test:443', 'a.test:443'],
    ['/a.test/m/@v/v1.0.0.mod', '/a.test/m/@v/v1.0.0.mod'],
  ])('%s is logged as %s', (url, shown) => {
    expect(JSON.parse(logged(asked(url)))).toMatchObject({ url: shown });
  });

  it('cuts what is long, and writes no header but the agent', () => {
    const text = logged(asked(`/${'u'.repeat(50_000)}`, 'a'.repeat(10_000)));
    expect(text.length).toBeLessThan(2_700);
    expect(text).not.toContain('s3cret');
  });

  it('marks a refusal as a warning and a failure as an error', () => {
    const levels = [200, 404, 403, 499, 500, 503].map(
      (status) => (JSON.parse(logged({ status })) as { level: number }).level,
    );
    expect(levels).toEqual([30, 30, 40, 30, 50, 50]);
  });

  it('writes in batches, and is silent where there is no sink', () => {
    let writes = 0;
    const log = new RequestLog({ write: () => writes++ });
    const line = { ...asked('/'), client: '', status: 200, bytes: 0, ms: 0, from: 'store' };
    for (let i = 0; i < 2_000; i++) log.write(line);
    expect(writes).toBeGreaterThan(1);
    expect(writes).toBeLessThan(20);
    log.flush();
    log.flush();
    const after = writes;
    log.flush();
    expect(writes).toBe(after);
    new RequestLog(undefined).write(line);
  });
});
