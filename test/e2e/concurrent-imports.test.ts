import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConnectedSite } from '../airgap/connected-site.ts';
import { gokeep } from '../cli/program.ts';
import { imported, type SiteState, stateOf } from '../faults/import-state.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';

const BUSY = { status: 503, text: 'another bundle is being imported; try again when that is done' };

let site: ConnectedSite;
let bundle: string;
let bytes: Buffer;
let other: Buffer;
let toml: string;
let empty: string;
let alone: SiteState;
let data: string;
let count = 0;

const command = (config: string, ...args: string[]) =>
  gokeep([...args, '--config', site.at(config), '--data', data], { PATH: process.env['PATH']! });

/** An upload whose client holds back the second half of it. */
class SlowUpload {
  readonly answer: Promise<{ status: number; text: string }>;
  readonly finish: () => void;
  readonly #gone = new AbortController();

  private constructor(server: GokeepProcess) {
    const half = bytes.length / 2;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finish = resolve;
    const pieces = (async function* () {
      yield bytes.subarray(0, half);
      await promise;
      yield bytes.subarray(half);
    })();
    this.answer = put(server, ReadableStream.from(pieces), this.#gone.signal);
    // Looked at by some tests only.
    this.answer.catch(() => undefined);
  }

  /** Resolves once the server is importing it. */
  static async begin(server: GokeepProcess): Promise<SlowUpload> {
    const upload = new SlowUpload(server);
    const staged = path.join(data, 'import', await site.idOf(bundle));
    await expect.poll(() => existsSync(staged), { timeout: 15_000 }).toBe(true);
    return upload;
  }

  /** The client goes away. */
  abort(): void {
    this.#gone.abort();
  }
}

async function put(server: GokeepProcess, body: Buffer | ReadableStream, signal?: AbortSignal) {
  const request = { method: 'PUT', body, duplex: 'half', ...(signal && { signal }) } as const;
  const answer = await fetch(`${server.url}/api/v1/bundles`, request);
  return { status: answer.status, text: (await answer.text()).trim() };
}

/** The configuration of the running server, for a command beside it. */
const besideConfig = (server: GokeepProcess) =>
  site.file('beside.toml', `version = 1\nlisten = "${new URL(server.url).host}"\n${toml}`);

beforeAll(async () => {
  site = await ConnectedSite.start();
  await site.world.publish({ path: 'example.test/leaf', version: 'v1.0.0' });
  await site.world.publish({ path: 'example.test/other', version: 'v1.0.0' });
  bundle = await site.bundle('bundle.tar', 'example.test/leaf@v1.0.0');
  bytes = await readFile(bundle);
  other = await readFile(await site.bundle('other.tar', 'example.test/other@v1.0.0'));
  toml = await site.closedToml('offline');
  await site.file('closed.toml', `version = 1\n${toml}`);
  // A log that has begun, so that all sites have one key.
  empty = data = site.at('empty');
  await mkdir(empty);
  await (await GokeepProcess.start({ data, toml })).stop();
  data = await copy();
  expect(await command('closed.toml', 'bundle', 'import', bundle)).toMatchObject({ code: 0 });
  alone = stateOf(data);
});

afterAll(() => site[Symbol.asyncDispose]());

beforeEach(async () => {
  data = await copy();
});

async function copy(): Promise<string> {
  const to = site.at(`data-${count++}`);
  await cp(empty, to, { recursive: true });
  return to;
}

describe('two imports at once', () => {
  it.each([
    ['the same bundle', () => bytes, 200],
    ['another bundle', () => other, 201],
  ] as const)(
    'by HTTP: the first is not disturbed, %s is told to wait and goes after it',
    async (_what, second, after) => {
      await using server = await GokeepProcess.start({ data, toml });
      const first = await SlowUpload.begin(server);
      expect(await put(server, second())).toEqual(BUSY);
      expect((await server.get('/example.test/leaf/@v/v1.0.0.zip')).status).toBe(404);
      first.finish();
      const { status, text } = await first.answer;
      expect(status, text).toBe(201);
      expect(JSON.parse(text)).toMatchObject({ added: true, zips: 1 });
      expect((await server.get('/example.test/leaf/@v/v1.0.0.zip')).status).toBe(200);
      const again = await put(server, second());
      expect(again.status, again.text).toBe(after);
      expect(JSON.parse(again.text)).toMatchObject({ added: after === 201 });
      expect(await server.stop()).toBe(0);
      if (after === 200) expect(imported(stateOf(data))).toEqual(imported(alone));
    },
  );

  it('by HTTP and by the command beside the server: the command says so, exits 2, and goes after it', async () => {
    await using server = await GokeepProcess.start({ data, toml });
    await besideConfig(server);
    const first = await SlowUpload.begin(server);
    const refused = await command('beside.toml', 'bundle', 'import', site.at('other.tar'));
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(BUSY.text);
    first.finish();
    expect((await first.answer).status).toBe(201);
    const again = await command('beside.toml', 'bundle', 'import', '--json', site.at('other.tar'));
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(again.stdout)).toMatchObject({ imported: [{ added: true }], problems: [] });
  });

  it('one after the other, by the command beside the server: what is here already is said to be', async () => {
    await using server = await GokeepProcess.start({ data, toml });
    await besideConfig(server);
    expect((await put(server, bytes)).status).toBe(201);
    const known = await command('beside.toml', 'bundle', 'import', '--json', bundle);
    expect(known).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(known.stdout)).toMatchObject({ imported: [{ added: false }], problems: [] });
  });

  it('by two commands without a server: at least one imports, and who could not says why and may try again', async () => {
    const both = await Promise.all([0, 1].map(() => command('closed.toml', 'bundle', 'import', bundle)));
    expect(both.map(({ code }) => code)).toContain(0);
    for (const { code, stderr } of both)
      if (code !== 0)
        expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^gokeep: .+/) });
    const again = await command('closed.toml', 'bundle', 'import', bundle);
    expect(again.stdout).toContain('had been imported before; nothing was done');
    expect(imported(stateOf(data))).toEqual(imported(alone));
  });
});

describe('an upload', () => {
  it('that breaks off leaves nothing, and makes place for the next one', async () => {
    await using server = await GokeepProcess.start({ data, toml });
    const first = await SlowUpload.begin(server);
    first.abort();
    await expect(first.answer).rejects.toThrow();
    expect((await server.get('/example.test/leaf/@v/v1.0.0.zip')).status).toBe(404);
    // The server learns of it a moment later.
    const taken = { status: 201, text: expect.stringContaining('"added":true') };
    await expect.poll(() => put(server, bytes), { timeout: 15_000 }).toEqual(taken);
    expect(await server.stop()).toBe(0);
    expect(imported(stateOf(data))).toEqual(imported(alone));
  });

  it('that is killed with the server leaves nothing, and the next one imports', async () => {
    {
      await using server = await GokeepProcess.start({ data, toml });
      await SlowUpload.begin(server);
      await server.stop('SIGKILL');
    }
    await using server = await GokeepProcess.start({ data, toml });
    expect((await server.get('/example.test/leaf/@v/v1.0.0.zip')).status).toBe(404);
    const again = await put(server, bytes);
    expect(again.status, again.text).toBe(201);
    expect(await server.stop()).toBe(0);
    expect(imported(stateOf(data))).toEqual(imported(alone));
  });
});
