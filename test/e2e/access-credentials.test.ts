import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { X509Certificate } from 'node:crypto';
import http2 from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MadeIssuer, MadeKey } from '../access/made-issuer.ts';
import { makeTestCa } from '../upstream/test-ca.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { GuardedGokeep } from '../world/guarded-gokeep.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const LIB = 'corp.test/lib';
const LIST = `/${LIB}/@v/list`;

let world: UpstreamWorld;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  await world.publish({ path: 'example.test/open', version: 'v1.0.0' });
  await world.publish({ path: LIB, version: 'v1.0.0' }, { inDatabase: false });
});

afterAll(() => world[Symbol.asyncDispose]());

describe.skipIf(!needs('openssl'))('JWTs of a CI system (needs openssl)', () => {
  let issuer: MadeIssuer;
  let guarded: GuardedGokeep;

  beforeAll(async () => {
    issuer = await MadeIssuer.start();
    const rule = `[[access.oidc]]\nissuer = "${issuer.url}"\naudience = "gokeep"`;
    guarded = await GuardedGokeep.start(
      world,
      `${rule}\nclaims = { project = "corp/app" }\nread = ["corp.test/*"]\n${rule}\nclaims = { project = "corp/ops" }\nadmin = ["*"]\n`,
    );
  });

  afterAll(async () => {
    await guarded[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });

  const bearer = (jwt: string) => ({ headers: { authorization: `Bearer ${jwt}` } });

  it('trouble with the issuer is told as such, before its keys were ever seen, and is not remembered', async () => {
    const jwt = await issuer.sign({ aud: 'gokeep', project: 'corp/app' });
    issuer.broken = { status: 500, body: 'down' };
    const answer = await guarded.ask(LIST, bearer(jwt));
    expect(answer).toMatchObject({ status: 503 });
    expect(answer.text.replaceAll(/\s+/g, ' ')).toContain(`since their issuer ${issuer.url} does not answer`);
    // What needs no credentials is answered.
    expect((await guarded.ask('/livez', bearer(jwt))).status).toBe(200);
    const supported = `/sumdb/${guarded.gokeep.vkey.split('+')[0]}/supported`;
    expect((await guarded.ask(supported, bearer(jwt))).status).toBe(200);
    issuer.broken = undefined;
    // The issuer is left alone for two seconds.
    await expect
      .poll(async () => (await guarded.ask(LIST, bearer(jwt))).status, { timeout: 15_000, interval: 500 })
      .toBe(200);
  });

  it('give the rights of their claims to a real go, by netrc and by GOAUTH', async () => {
    const jwt = await issuer.sign({ aud: 'gokeep', project: 'corp/app' });
    await using byNetrc = await guarded.client({ NETRC: await guarded.netrc(jwt) });
    expect(await byNetrc.run('mod', 'download', `${LIB}@v1.0.0`, 'example.test/open@v1.0.0')).toMatchObject({
      code: 0,
    });
    const main = path.join(import.meta.dirname, '..', '..', 'src', 'main.ts');
    await using byGoauth = await guarded.client({
      GOAUTH: `${process.execPath} ${main} goauth --url ${guarded.url}`,
      GOKEEP_TOKEN: jwt,
    });
    expect(await byGoauth.run('mod', 'download', `${LIB}@v1.0.0`)).toMatchObject({ code: 0 });
  });

  it('of other claims, audiences, keys and times are refused, each with its reason', async () => {
    const good = { aud: 'gokeep', project: 'corp/app' };
    const stranger = await MadeKey.make('first');
    const past = Math.floor(Date.now() / 1000) - 3600;
    const answers = {
      claims: await guarded.ask(LIST, bearer(await issuer.sign({ ...good, project: 'corp/other' }))),
      audience: await guarded.ask(LIST, bearer(await issuer.sign({ ...good, aud: 'elsewhere' }))),
      key: await guarded.ask(
        LIST,
        bearer(await stranger.sign({ ...good, iss: issuer.url, sub: 'x', exp: past + 7200 })),
      ),
      time: await guarded.ask(LIST, bearer(await issuer.sign({ ...good, exp: past }))),
    };
    expect(Object.values(answers).map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(answers.claims.text).toContain('fit no rule');
    expect(answers.audience.text).toContain('aud');
    expect(answers.key.text).toContain('does not verify');
    expect(answers.time.text).toContain('has expired');
    const ops = bearer(await issuer.sign({ ...good, project: 'corp/ops' }));
    expect((await guarded.ask(LIST, ops)).status).toBe(403);
    expect((await guarded.ask('/example.test/open/@v/list', ops)).status).toBe(200);
  });

  it('are in no log line; their subjects are, and can do no harm there', async () => {
    const jwt = await issuer.sign({ aud: 'gokeep', project: 'corp/app', sub: 'a"\n{"level":60}\u001b[2J' });
    expect((await guarded.ask(LIST, bearer(jwt))).status).toBe(200);
    await expect
      .poll(() => guarded.gokeep.output)
      .toContain('"user":"oidc:a\\"\\n{\\"level\\":60}\\u001b[2J"');
    expect(guarded.gokeep.output).not.toContain(jwt.split('.')[2]);
  });
});

describe.skipIf(!needs('openssl'))('client certificates (needs openssl)', () => {
  let guarded: GuardedGokeep;

  beforeAll(async () => {
    guarded = await GuardedGokeep.start(
      world,
      'client_ca = "CA_FILE"\n[[access.certificate]]\nsubject = "CN=client"\nread = ["corp.test/*"]\n',
    );
    expect(new X509Certificate(guarded.ca.clientCert).subject).toBe('CN=client');
  });

  afterAll(() => guarded[Symbol.asyncDispose]());

  it('give the rights of their subject, when our authority has signed them', async () => {
    const { clientCert: cert, clientKey: key } = guarded.ca;
    for (let time = 0; time < 2; time++) expect((await guarded.ask(LIST, { cert, key })).status).toBe(200);
    expect((await guarded.ask(LIST)).status).toBe(401);
    await expect.poll(() => guarded.gokeep.output).toContain('"user":"certificate:CN=client"');
  });

  it('of another authority are worth nothing, whatever their subject, but a token beside one counts', async () => {
    const { clientCert: cert, clientKey: key } = makeTestCa();
    const shown = new X509Certificate(cert);
    expect(shown.subject).toBe('CN=client');
    expect((await guarded.ask(LIST, { cert, key })).status).toBe(401);
    const token = await guarded.create('--read', 'corp.test/*');
    expect(
      (await guarded.ask(LIST, { cert, key, headers: { authorization: `Bearer ${token}` } })).status,
    ).toBe(200);
  });

  it('without a rule for their subject are told so', async () => {
    // The server's own is signed by the same authority.
    const answer = await guarded.ask(LIST, { cert: guarded.ca.cert, key: guarded.ca.key });
    expect(answer.status).toBe(401);
    expect(answer.text).toContain('no rights are configured for the subject');
  });

  it('count on an HTTP/2 session, for all of its requests, and after SIGHUP', async () => {
    const open = () =>
      http2.connect(guarded.url, {
        ca: guarded.ca.ca,
        cert: guarded.ca.clientCert,
        key: guarded.ca.clientKey,
      });
    const statusOn = (session: http2.ClientHttp2Session) =>
      new Promise<unknown>((resolve, reject) => {
        const stream = session.request({ ':path': LIST });
        stream.on('response', (headers) => resolve(headers[':status']));
        stream.on('error', reject);
        stream.resume();
      });
    const session = open();
    for (let time = 0; time < 3; time++) expect(await statusOn(session)).toBe(200);
    session.close();
    guarded.gokeep.child.kill('SIGHUP');
    await sleep(300);
    const later = open();
    expect(await statusOn(later)).toBe(200);
    later.close();
    expect((await guarded.ask(LIST)).status).toBe(401);
  });
});

describe.skipIf(!needs('openssl'))('bundles, with access required (needs openssl)', () => {
  let guarded: GuardedGokeep;

  beforeAll(async () => {
    guarded = await GuardedGokeep.start(world);
  });

  afterAll(() => guarded[Symbol.asyncDispose]());

  it('are taken from whoever may administer everything, and from nobody else', async () => {
    const put = async (...options: string[]) => {
      const authorization = `Bearer ${await guarded.create(...options)}`;
      return guarded.ask('/api/v1/bundles', { method: 'PUT', body: 'no bundle', headers: { authorization } });
    };
    expect((await guarded.ask('/api/v1/bundles', { method: 'PUT', body: 'no bundle' })).status).toBe(401);
    expect((await put('--read', '*', '--publish', '*')).text).toContain('no right to administer');
    expect((await put('--admin', 'corp.test/*')).text).toContain('no right to administer');
    expect((await put('--admin')).text).toContain('bundles.trust');
  });

  it('are made and imported by commands beside the server, which need no token and leave none', async () => {
    const file = path.join(guarded.directory, 'bundle.tar');
    const made = await guarded.beside(
      'bundle',
      'create',
      '--output',
      file,
      `${LIB}@v1.0.0`,
      'example.test/open@v1.0.0',
    );
    expect(made).toMatchObject({ code: 0 });
    expect(execFileSync('tar', ['-tf', file], { encoding: 'utf8' })).toContain(`${LIB}/@v/v1.0.0.zip`);
    const imported = await guarded.beside('bundle', 'import', file);
    expect(`${imported.stdout}${imported.stderr}`).toContain('bundles.trust');
    expect((await guarded.token('list')).stdout).not.toContain('command-');
  });
});

describe('where the server listens', () => {
  const upstream = () => `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;

  it('only this machine can connect, so access is off, and the start says so', async () => {
    await using gokeep = await GokeepProcess.start({ toml: upstream() });
    expect(gokeep.output).toMatch(
      /note: access is off: whoever reaches 127\.0\.0\.1:0 may read everything \(access\.required\)/,
    );
    expect((await gokeep.get('/example.test/open/@v/list')).status).toBe(200);
    // Whatever credentials come are not looked at.
    expect((await gokeep.get('/example.test/open/@v/list', { authorization: 'Bearer x' })).status).toBe(200);
    await expect(readFile(path.join(gokeep.data, 'access.db'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['on all addresses', '', { GOKEEP_LISTEN: '0.0.0.0:0' }],
    ['behind a front server', 'url = "https://go.corp.test"\n', {}],
    ['on loopback, and is told to', '', { GOKEEP_ACCESS_REQUIRED: 'true' }],
  ])('%s, access is required', async (_where, toml, env) => {
    await using gokeep = await GokeepProcess.start({ toml: toml + upstream(), env });
    expect(gokeep.output).toContain('access is required, and there is no token yet: npx gokeep token create');
    if (toml !== '') return;
    expect(gokeep.output).toContain('go sends credentials over https only');
    expect((await gokeep.get('/example.test/open/@v/list')).status).toBe(401);
    expect((await gokeep.get('/')).status).toBe(200);
  });

  it('on all addresses, access is off when it is told so', async () => {
    await using gokeep = await GokeepProcess.start({
      toml: `${upstream()}[access]\nrequired = false\n`,
      env: { GOKEEP_LISTEN: '0.0.0.0:0' },
    });
    expect(gokeep.output).toContain('access is off: whoever reaches 0.0.0.0:0 may read everything');
    expect((await gokeep.get('/example.test/open/@v/list')).status).toBe(200);
  });
});
