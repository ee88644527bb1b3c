import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { NO_GRANTS } from '../../src/access/principal.ts';
import { ACCESS_DATABASE } from '../../src/cli/data-files.ts';
import { makeToken } from '../../src/access/new-token.ts';
import { TokenWriter } from '../../src/store/token-table.ts';
import { BenchServer } from './bench-server.ts';
import type { Corpus } from './corpus.ts';
import { type Cost, load, type Measured } from './load.ts';
import { Nginx } from './nginx.ts';
import { ratio, type Row, us } from './table.ts';

const run = promisify(execFile);
const CONNECTIONS = 32;
const SMALL_REQUESTS = 30_000;
const ZIP_PASSES = 4;
const REPEATS = 3;

export interface HotOptions {
  readonly corpus: Corpus;
  readonly data: string;
  readonly env: Readonly<Record<string, string>>;
  readonly hasNginx: boolean;
}

interface Work {
  readonly name: string;
  readonly targets: readonly string[];
  readonly requests: number;
  readonly authorization?: string;
}

const all = (name: string, targets: readonly string[], requests: number): Work => ({
  name,
  targets,
  requests,
});

/** The median of several passes by server CPU time. */
async function middle(pass: () => Promise<Cost>): Promise<Cost> {
  const costs: Cost[] = [];
  for (let at = 0; at < REPEATS; at++) costs.push(await pass());
  const cost = costs.toSorted((a, b) => a.cpuUs - b.cpuUs)[Math.floor(REPEATS / 2)];
  return cost ?? Promise.reject(new Error('no pass'));
}

/** The cost after one pass that warms up. */
async function cost(server: Measured, work: Work): Promise<Cost> {
  const { targets, requests, authorization } = work;
  const credentials = authorization === undefined ? {} : { authorization };
  const pass = { targets, requests, connections: CONNECTIONS, ...credentials };
  await load(server, pass);
  return middle(() => load(server, pass));
}

const times = (cost: Cost): string =>
  `${us(cost.cpuUs)} (p50 ${cost.p50Ms.toFixed(1)}, p99 ${cost.p99Ms.toFixed(1)} ms, ${((cost.requests / cost.wallMs) * 1000).toFixed(0)}/s)`;

function against(name: string, ours: Cost, theirs: Cost | undefined, what: string, target: number): Row {
  const beside = theirs === undefined ? `${what} is not here` : `${what} ${times(theirs)}`;
  const measured = theirs === undefined ? times(ours) : `${times(ours)} = ${ratio(ours.cpuUs, theirs.cpuUs)}`;
  const met = theirs === undefined ? undefined : ours.cpuUs <= target * theirs.cpuUs;
  return { work: name, measured, beside, target: `≤ ${target} ×`, met };
}

/** Has the kernel forget the pages of these files, so that the next reader waits for the disk. */
async function evict(download: string, targets: readonly string[]): Promise<void> {
  const files = targets.map((target) => path.join(download, target));
  await run('sh', ['-c', 'for f; do dd if="$f" iflag=nocache count=0 status=none; done', 'sh', ...files]);
}

async function coldCost(server: Measured, corpus: Corpus): Promise<Cost> {
  const { zip } = corpus.targets;
  return middle(async () => {
    await evict(corpus.download, zip);
    return load(server, { targets: zip, requests: zip.length, connections: CONNECTIONS });
  });
}

/** The same with rights checked, by patterns of the paths, beside the costs without. */
async function guardedRows(
  o: HotOptions,
  toml: string,
  work: { readonly small: Work; readonly zips: Work },
  without: { readonly small: Cost; readonly zips: Cost },
): Promise<Row[]> {
  const hosts = new Set(
    [...work.small.targets, ...work.zips.targets].map((target) => target.split('/')[1] ?? ''),
  );
  const { token, stored } = makeToken('bench', { ...NO_GRANTS, read: [...hosts] }, undefined);
  {
    using writer = new TokenWriter(path.join(o.data, ACCESS_DATABASE));
    writer.add(stored, () => undefined);
  }
  const authorization = `Basic ${Buffer.from(`bench:${token}`).toString('base64')}`;
  const guard = '[access]\nrequired = true\npublic = "granted"\n';
  const rows: Row[] = [];
  const measure = async (name: string, settings: string, asked: Work, beside: Cost) => {
    await using server = await BenchServer.start({ data: o.data, env: o.env, toml: settings });
    rows.push(against(name, await cost(server, { ...asked, authorization }), beside, 'without', 1.1));
  };
  await measure('cached `.info` and `.mod`, rights checked', guard, work.small, without.small);
  await measure('cached `.zip` from memory, rights checked', guard + toml, work.zips, without.zips);
  return rows;
}

/** Cached answers: server CPU time a request, nginx on the same files as the yardstick. */
export async function hotRows(o: HotOptions): Promise<Row[]> {
  const { info, mod, zip } = o.corpus.targets;
  const small = all('info and mod', [...info, ...mod], SMALL_REQUESTS);
  const zips = all('zip', zip, zip.length * ZIP_PASSES);
  const rows: Row[] = [];

  await using nginx = o.hasNginx ? await Nginx.start(o.corpus.download) : undefined;
  const theirs = async (work: Work) => (nginx === undefined ? undefined : cost(nginx, work));
  const nginxSmall = await theirs(small);
  const nginxZip = await theirs(zips);
  const nginxCold = nginx === undefined ? undefined : await coldCost(nginx, o.corpus);

  let ours: Cost;
  {
    await using server = await BenchServer.start({ data: o.data, env: o.env });
    ours = await cost(server, small);
    rows.push(against('cached `.info` and `.mod`', ours, nginxSmall, 'nginx', 2.5));
    const paths = o.corpus.modules.slice(0, 300).map(({ path: name }) => `/${escape(name)}`);
    const lists = paths.map((name) => `${name}/@v/list`);
    const database = `/sumdb/${server.databaseName}`;
    const lookups = o.corpus.modules.map((m) => `${database}/lookup/${escape(m.path)}@${escape(m.version)}`);
    const tiles = [`${database}/tile/8/0/000`];
    const known = await answered(server, lists);
    rows.push(
      against('cached `list`', await cost(server, all('list', known, SMALL_REQUESTS)), ours, '`.info`', 1.1),
    );
    const latest = await answered(
      server,
      paths.map((name) => `${name}/@latest`),
    );
    rows.push(
      against(
        'cached `@latest`',
        await cost(server, all('latest', latest, SMALL_REQUESTS)),
        ours,
        '`.info`',
        1.1,
      ),
    );
    rows.push(
      against(
        'own `lookup`',
        await cost(server, all('lookup', lookups, SMALL_REQUESTS)),
        ours,
        '`.info`',
        1.25,
      ),
    );
    rows.push(
      against(
        'full tile (8 KiB)',
        await cost(server, all('tile', tiles, SMALL_REQUESTS)),
        ours,
        '`.info`',
        1.25,
      ),
    );
  }
  {
    const toml = '[http]\naccel_redirect = "/files/"\n[access]\nrequired = false\n';
    await using server = await BenchServer.start({ data: o.data, env: o.env, toml });
    const handOff = await cost(server, all('zip', zip, SMALL_REQUESTS));
    rows.push(against('`.zip` handed off to nginx, our part', handOff, ours, '`.info`', 1));
  }
  {
    const toml = '[cache]\nmemory = "1GB"\nsmall_file = "100MB"\n';
    let fromMemory: Cost;
    {
      await using server = await BenchServer.start({ data: o.data, env: o.env, toml });
      fromMemory = await cost(server, zips);
      rows.push(against('cached `.zip` from memory', fromMemory, nginxZip, 'nginx', 3));
    }
    rows.push(...(await guardedRows(o, toml, { small, zips }, { small: ours, zips: fromMemory })));
  }
  {
    const toml = '[cache]\nsmall_file = "1B"\n';
    await using server = await BenchServer.start({ data: o.data, env: o.env, toml });
    rows.push(against('cached `.zip` streamed', await cost(server, zips), nginxZip, 'nginx', 5.5));
    const cold = await coldCost(server, o.corpus);
    rows.push(against('`.zip` cold from disk', cold, nginxCold, 'nginx, cold', 7));
  }
  return rows;
}

const escape = (text: string): string => text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);

/** Those targets that the server has an answer to. */
async function answered(server: BenchServer, targets: readonly string[]): Promise<string[]> {
  const known: string[] = [];
  for (const target of targets) {
    const answer = await fetch(server.url + target);
    await answer.arrayBuffer();
    if (answer.ok) known.push(target);
  }
  return known;
}
