import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatModuleRequest } from '../../src/module/request-path.ts';
import type { Fault, Reply } from '../upstream/hostile-upstream.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import type { MadeModule } from '../world/modules.ts';
import { UpstreamWorld, WORLD_DATABASE } from '../world/upstream-world.ts';

const VERSION = 'v1.0.0';
const TTL = 400;
const TIMEOUTS =
  '[timeouts]\nconnect = "1s"\nhead = "4s"\nbody = "5s"\nmin_rate = "1kB"\nrate_window = "4s"\n';

/** What a target answers, and what is asked of it through gokeep. */
type ModuleKind = 'info' | 'mod' | 'zip' | 'list' | 'latest' | 'query';
/** `lookup` is of our own database, which asks the other one; `proxied lookup` is of that one, through us. */
type Kind = ModuleKind | 'lookup' | 'proxied lookup';
const KINDS: readonly Kind[] = ['info', 'mod', 'zip', 'list', 'latest', 'query', 'lookup', 'proxied lookup'];

const REFRESHABLE: readonly Kind[] = ['list', 'latest', 'query'];

interface FaultCase {
  readonly name: string;
  readonly reply: Reply;
  /** What the client gets; by kind where they differ. 200 comes with the right bytes. */
  readonly status: number | Partial<Record<Kind | 'other', number>>;
  /** Requests upstream for one miss: only one that was not answered at all is repeated. */
  readonly asked?: number;
}

const statuses: readonly FaultCase[] = [
  ...[400, 402, 405, 408, 429, 500, 501, 502, 503, 504, 507].map((status) => ({ at: status, gives: 502 })),
  ...[201, 202, 203, 204, 205, 206, 300, 304].map((status) => ({ at: status, gives: 502 })),
  ...[401, 403].map((status) => ({ at: status, gives: 403 })),
].map(({ at, gives }) => ({
  name: `status ${at}`,
  reply: { fault: 'status', status: at, ...(at === 204 || at === 304 ? { body: '' } : {}) },
  status: gives,
}));

const plain = (fault: Fault, status: FaultCase['status'], asked = 1): FaultCase => ({
  name: fault,
  reply: { fault },
  status,
  asked,
});

const CASES: readonly FaultCase[] = [
  ...statuses,
  // A record that the database does not have is a refusal: the module itself may exist.
  { name: 'status 404', reply: { fault: 'status', status: 404 }, status: { lookup: 403, other: 404 } },
  { name: 'status 410', reply: { fault: 'status', status: 410 }, status: { lookup: 403, other: 410 } },
  plain('html', 502),
  // A module without tags has an empty list.
  plain('empty', { list: 200, other: 502 }),
  plain('zeros', 502),
  plain('corrupt', 502),
  plain('wrongVersion', 502),
  plain('garbage', 502),
  plain('truncated', 502),
  plain('cutChunk', 502),
  // Of a list, only the last line break is lost.
  plain('longerThanDeclared', { list: 200, other: 502 }),
  plain('twoLengths', 502),
  plain('lengthAndChunks', 502),
  plain('slow', 504),
  plain('hangBeforeHead', 504),
  plain('halfHead', 504),
  plain('hangInBody', 504),
  plain('reset', 502, 3),
  plain('closeUnanswered', 502, 3),
  plain('resetInBody', 502),
  plain('hugeHeaders', 502),
  plain('earlyHints', 504),
  plain('gzipBomb', 502),
  plain('stackedEncodings', 502),
  plain('unknownEncoding', 502),
  plain('endlessList', 502),
  plain('hugeInfo', 502),
  { name: 'redirect nowhere', reply: { fault: 'redirect', location: '' }, status: 502 },
  {
    name: 'redirect to an internal address',
    reply: { fault: 'redirect', location: 'http://169.254.169.254/latest/meta-data' },
    status: 502,
  },
  {
    name: 'redirect to another scheme',
    reply: { fault: 'redirect', location: 'file:///etc/passwd' },
    status: 502,
  },
  // No faults, though rare.
  plain('untilClose', 200),
  plain('gzip', { zip: 502, other: 200 }),
];

interface Outcome {
  readonly made: MadeModule;
  /** What an authentic absence says. */
  readonly said: string | undefined;
  readonly status: number;
  readonly body: Buffer;
  readonly type: string | null;
  readonly milliseconds: number;
  readonly asked: number;
  readonly stored: readonly string[];
  readonly after: { readonly status: number; readonly body: Buffer };
}

let world: UpstreamWorld;
let gokeep: GokeepProcess;
const outcomes = new Map<string, Outcome>();

const keyOf = (fault: FaultCase, kind: Kind): string => `${fault.name} ${kind}`;
const moduleOf = (fault: FaultCase, kind: Kind): string =>
  `fault.test/${kind.replace(' ', '-')}/${fault.name.toLowerCase().replaceAll(' ', '-')}`;
const expectedStatus = ({ status }: FaultCase, kind: Kind): number =>
  typeof status === 'number' ? status : (status[kind] ?? status.other ?? 200);

function moduleTarget(kind: ModuleKind, modulePath: string): string {
  if (kind === 'list' || kind === 'latest') return formatModuleRequest({ kind, path: modulePath });
  if (kind === 'query') return formatModuleRequest({ kind: 'info', path: modulePath, version: 'main' });
  return formatModuleRequest({ kind, path: modulePath, version: VERSION });
}

/** Targets of one question: at gokeep, and the one at the world that misbehaves. */
function targets(kind: Kind, modulePath: string): { ours: string; upstream: string } {
  if (kind !== 'lookup' && kind !== 'proxied lookup') {
    const target = moduleTarget(kind, modulePath);
    return { ours: target, upstream: target };
  }
  const lookup = `lookup/${modulePath}@${VERSION}`;
  const upstream = `/sumdb/${WORLD_DATABASE}/${lookup}`;
  return { ours: kind === 'lookup' ? `/sumdb/${gokeep.vkey.split('+')[0]!}/${lookup}` : upstream, upstream };
}

function honestBody(kind: Kind, made: MadeModule): Buffer {
  switch (kind) {
    case 'list':
      return Buffer.from(`${made.version}\n`);
    case 'latest':
    case 'query':
      return Buffer.from(made.info);
    case 'lookup':
    case 'proxied lookup':
      return world.database.answer(`/lookup/${made.path}@${made.version}`);
    default:
      return Buffer.from(made[kind]);
  }
}

async function filesOf(modulePath: string): Promise<string[]> {
  const directory = path.join(gokeep.data, 'download', modulePath);
  return readdir(directory, { recursive: true }).catch(() => []);
}

/** One fault as a client sees it, and what comes once it is over. */
async function suffer(fault: FaultCase, kind: Kind): Promise<void> {
  const modulePath = moduleOf(fault, kind);
  const made = await world.publish({ path: modulePath, version: VERSION });
  const { ours, upstream } = targets(kind, modulePath);
  const honest = honestBody(kind, made);
  const isError = (fault.reply.status ?? 200) >= 400;
  const said = `${modulePath} has ${fault.name}\n`;
  world.upstream.on(upstream, { body: isError ? said : honest, ...fault.reply });
  const startedAt = performance.now();
  const response = await gokeep.get(ours);
  const body = Buffer.from(await response.arrayBuffer());
  const milliseconds = performance.now() - startedAt;
  const asked = world.upstream.targets.filter((target) => target === upstream).length;
  const stored = await filesOf(modulePath);
  world.upstream.on(upstream, { fault: 'ok', body: honest });
  // What upstream truly said may be repeated within the TTL.
  if (REFRESHABLE.includes(kind) && [200, 404, 410].includes(response.status)) await sleep(TTL + 50);
  const again = await gokeep.get(ours);
  outcomes.set(keyOf(fault, kind), {
    made,
    said: response.status === 404 || response.status === 410 ? said : undefined,
    status: response.status,
    body,
    type: response.headers.get('content-type'),
    milliseconds,
    asked,
    stored,
    after: { status: again.status, body: Buffer.from(await again.arrayBuffer()) },
  });
}

const isLong = ({ name }: FaultCase): boolean => name === 'slow' || name === 'hangInBody';

beforeAll(async () => {
  world = await UpstreamWorld.start();
  gokeep = await GokeepProcess.start({
    toml: [
      `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"`,
      TIMEOUTS,
      `[refresh]\nttl = "${TTL}ms"\n`,
    ].join('\n'),
  });
  // Compressing the bomb takes so long that other requests would time out.
  world.upstream.on('/bomb', { fault: 'gzipBomb' });
  await (await fetch(`${world.url}/bomb`)).body?.cancel();
  // The database has to be known to be honest before one of its answers is not.
  await world.publish({ path: 'fault.test/first', version: VERSION });
  expect((await gokeep.get('/fault.test/first/@v/v1.0.0.mod')).status).toBe(200);
  const pairs = CASES.flatMap((fault) => KINDS.map((kind) => ({ fault, kind })));
  // A zip that trickles or hangs is given up after a whole window of the minimum rate.
  const long = pairs.filter(({ fault, kind }) => kind === 'zip' && isLong(fault));
  const short = pairs.filter((pair) => !long.includes(pair));
  const work = async () => {
    for (let next = short.shift(); next !== undefined; next = short.shift())
      await suffer(next.fault, next.kind);
  };
  await Promise.all([
    ...long.map(({ fault, kind }) => suffer(fault, kind)),
    ...Array.from({ length: 24 }, work),
  ]);
});

afterAll(async () => {
  await gokeep[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

describe.each(KINDS)('when upstream fails at %s', (kind) => {
  it.each(CASES)('$name: right status and sentence in time, one request, nothing stored', (fault) => {
    const outcome = outcomes.get(keyOf(fault, kind))!;
    const { status, body, said, made } = outcome;
    const text = body.toString();
    expect({ status, text: status === 200 ? '' : text }).toMatchObject({
      status: expectedStatus(fault, kind),
    });
    expect(outcome.asked).toBe(fault.asked ?? 1);
    expect(outcome.milliseconds).toBeLessThan(kind === 'zip' && isLong(fault) ? 45_000 : 15_000);
    if (status === 200) {
      if (fault.name === 'empty') expect(text).toBe('');
      else expectHonest(kind, made, body);
    } else {
      expect(outcome.stored.filter((name) => /\.(?:info|mod|zip)$/.test(name))).toEqual([]);
      expect(outcome.type).toBe('text/plain; charset=utf-8');
      if (said !== undefined) expect(text).toBe(said);
      else expectSentence(text, REFRESHABLE.includes(kind) ? made.path : `${made.path}@${made.version}`);
    }
    expect(outcome.after.status).toBe(200);
    expectHonest(kind, made, outcome.after.body);
  });
});

function expectHonest(kind: Kind, made: MadeModule, body: Buffer): void {
  if (kind === 'lookup' || kind === 'proxied lookup')
    expect(body.toString()).toContain(`${made.path} ${made.version} ${made.h1.zip}\n`);
  else expect(body.equals(honestBody(kind, made))).toBe(true);
}

/** What `go` shows whole: at most 8 lines of 81 bytes, no control characters, no empty line. */
function expectSentence(text: string, subject: string): void {
  const lines = text.split('\n');
  expect(lines.length).toBeLessThanOrEqual(8);
  for (const line of lines) expect(line).toMatch(/^[^\p{C}]+$/u);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8 * 81);
  expect(text.replaceAll(/\s/g, '')).toContain(subject);
  expect(text).not.toContain(gokeep.data);
}

describe('while upstream fails', () => {
  it('leaves no temporary file behind', async () => {
    expect(await readdir(path.join(gokeep.data, 'tmp'))).toEqual([]);
  });

  it('asks once for many clients, and tells them all', async () => {
    const many = KINDS.map(async (kind) => {
      const made = await world.publish({
        path: `fault.test/many/${kind.replace(' ', '-')}`,
        version: VERSION,
      });
      const { ours, upstream } = targets(kind, made.path);
      world.upstream.on(upstream, { fault: 'hangBeforeHead' });
      const answers = await Promise.all(Array.from({ length: 20 }, () => gokeep.get(ours)));
      const asked = world.upstream.targets.filter((target) => target === upstream).length;
      return { kind, statuses: [...new Set(answers.map(({ status }) => status))], asked };
    });
    for (const { kind, ...seen } of await Promise.all(many))
      expect({ kind, ...seen }).toEqual({ kind, statuses: [504], asked: 1 });
  });
});

/** A log this small has one tile, which grows with each record: every lookup of a new one asks for it. */
describe('when upstream fails at a tile', () => {
  let small: UpstreamWorld;
  let server: GokeepProcess;
  let size = 0;

  beforeAll(async () => {
    small = await UpstreamWorld.start();
    server = await GokeepProcess.start({
      toml: `[upstream]\nproxy = "${small.url}"\nsumdb = "${small.gosumdb}"\n${TIMEOUTS}`,
    });
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await small[Symbol.asyncDispose]();
  });

  const faults: readonly (Reply & { readonly gives: number })[] = [
    { fault: 'status', status: 404, gives: 502 },
    { fault: 'status', status: 410, gives: 502 },
    { fault: 'status', status: 403, gives: 403 },
    { fault: 'status', status: 429, gives: 502 },
    { fault: 'status', status: 500, gives: 502 },
    { fault: 'html', gives: 502 },
    { fault: 'empty', gives: 502 },
    { fault: 'zeros', gives: 502 },
    { fault: 'corrupt', gives: 502 },
    { fault: 'truncated', gives: 502 },
    { fault: 'reset', gives: 502 },
    { fault: 'hangBeforeHead', gives: 504 },
    { fault: 'hangInBody', gives: 504 },
  ];
  it.each(faults)('$fault $status: the module is named and nothing believed', async ({ gives, ...reply }) => {
    const made = await small.publish({ path: `fault.test/proven${size}`, version: VERSION });
    size += 1;
    const tile = `/tile/8/0/000.p/${size}`;
    const body = small.database.answer(tile);
    const target = `/sumdb/${WORLD_DATABASE}${tile}`;
    small.upstream.on(target, { body, ...reply });
    const ask = async () => {
      const response = await server.get(`/${made.path}/@v/${VERSION}.mod`);
      return { status: response.status, text: await response.text() };
    };
    const failed = await ask();
    expect(failed).toMatchObject({ status: gives });
    expectSentence(failed.text, `${made.path}@${made.version}`);
    expect(small.upstream.targets).toContain(target);
    small.upstream.on(target, { fault: 'ok', body });
    expect(await ask()).toEqual({ status: 200, text: made.mod });
  });
});
