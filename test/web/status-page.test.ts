import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { MadeAccess } from '../access/made-access.ts';
import { layeredGraph } from './made-graph.ts';
import { MadeSite } from './made-site.ts';
import { busyStatus, madeStatus } from './made-status.ts';

const access = new MadeAccess();
const some = { authorization: `Bearer ${access.add('some', { read: ['private.test/root'] })}` };
const all = { authorization: `Bearer ${access.add('all', { read: ['*'] })}` };
const gate = gateOf(access.authenticator, false);

let site: MadeSite;
let fresh: MadeSite;

beforeAll(async () => {
  const versions = [{ path: 'example.test/Team/m', version: 'v1.0.0' }, ...layeredGraph('private.test')];
  [site, fresh] = await Promise.all([
    MadeSite.start({ versions, gate, parts: { status: busyStatus(), isPrivate: () => true } }),
    MadeSite.start({ gate, parts: { status: madeStatus({ offline: true }) } }),
  ]);
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await fresh[Symbol.asyncDispose]();
});

describe('the page on how the server does', () => {
  it('names upstreams, reasons, hosts and clients to who may read everything', async () => {
    const { status, text } = await site.page('/ui/status', all);
    expect(status).toBe(200);
    for (const said of [
      'does not work',
      'status 502',
      'does not answer now',
      '3 requests wait',
      'git.corp.test',
    ])
      expect(text).toContain(said);
    for (const said of ['71,848,828', '1 differ', 'token:ci', 'of what was answered came from here'])
      expect(text).toContain(said);
  });

  it('says to others whether public upstreams work, and nothing else', async () => {
    for (const headers of [{}, some]) {
      const { status, text } = await site.page('/ui/status', headers);
      expect(status).toBe(200);
      expect(text).toContain('Public upstream 1');
      expect(text).toContain('does not work');
      // That there are private ones is nobody else's business either.
      expect(text.slice(text.indexOf('<main'))).not.toMatch(/Public upstream 3|does not answer now|private/);
      expect(text).not.toMatch(
        /corp\.test\/|git\.corp|upstream\.test|secret|token:|Incidents|status 502|1,200/,
      );
    }
  });

  it('says so plainly where nothing is asked, and is whole where nothing is there', async () => {
    const { status, text } = await fresh.page('/ui/status', all);
    expect(status).toBe(200);
    expect(text).toContain('Offline: nothing is asked upstream.');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('shows a time that it knows, whatever its address says', async () => {
    for (const range of ['day', 'year', 'constructor', '__proto__', '%3Cscript%3E'])
      expect((await site.page(`/ui/status?range=${range}`, all)).status).toBe(200);
  });
});

describe('the graph of a module', () => {
  it('has no more in it than its reader may read', async () => {
    expect((await site.page('/ui/mod/private.test/root?tab=graph', all)).text).toContain(
      '28 modules required',
    );
    const { text, status } = await site.page('/ui/mod/private.test/root?tab=graph', some);
    expect(status).toBe(200);
    expect(text).toContain('It requires no module that you may read.');
    expect(text).not.toMatch(/part-\d/);
  });
});
