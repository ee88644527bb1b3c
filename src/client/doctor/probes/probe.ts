import { GokeepError } from '../../../errors.ts';
import { valueOf, type Facts } from '../facts/facts.ts';
import type { Machine } from '../machine.ts';
import { Budget } from '../net/deadline.ts';
import { type Surroundings, trustContext } from '../net/dial.ts';
import { Unreached } from '../net/failure.ts';
import { fetchLikeGo } from '../net/fetch.ts';
import { credentialsFor } from './credentials.ts';
import {
  type DatabaseAsk,
  failed,
  get,
  type ModuleVersion,
  newestRecords,
  probeDatabase,
  wordsOf,
} from './database.ts';
import { probeDownload } from './download.ts';
import { probeEntry } from './entries.ts';
import { smallestHeld } from './held.ts';
import type { AccessProbe, DatabaseProbe, DownloadProbe, EntryProbe, Probed } from './probed.ts';

export interface ProbeOptions {
  /** Milliseconds that all probes may take together, the download included. */
  readonly ms: number;
  /** Instead of what GOPROXY names; without userinfo. */
  readonly url: string | undefined;
  readonly module: ModuleVersion | undefined;
}

const MOST_ENTRIES = 4;
/** The module mirror of the Go team: anybody may use it, and it is nobody's gokeep. */
export const PUBLIC_MIRRORS = /^https:\/\/(?:proxy\.golang\.org|goproxy\.io|goproxy\.cn)$/;

/** What requests of the doctor go through: as those of go would, for so many milliseconds in all. */
export function surroundings(machine: Machine, facts: Facts, ms: number): Surroundings {
  return {
    env: machine.env,
    budget: new Budget(ms),
    trusted: {
      files: facts.tls.byFile ? shownFiles(facts) : [],
      context: trustContext(facts.tls.byFile ? facts.tls.files : undefined),
    },
    others: facts.otherCaFiles,
  };
}

/** Tries, the way go would, whether this machine can use the server. */
export async function probe(machine: Machine, facts: Facts, o: ProbeOptions): Promise<Probed> {
  const startedAt = performance.now();
  const around = surroundings(machine, facts, o.ms);
  const inGoproxy = facts.goproxy.flatMap(({ url, isReached }) =>
    url === undefined ? [] : [{ url, isReached }],
  );
  // What stands behind `direct` is asked who it is, too: it is what was meant.
  const urls = [...new Set([...(o.url === undefined ? [] : [o.url]), ...inGoproxy.map(({ url }) => url)])]
    .filter((url) => !PUBLIC_MIRRORS.test(url))
    .slice(0, MOST_ENTRIES);
  const entries = await Promise.all(urls.map((url) => probeEntry(url, around, () => machine.now())));
  const gokeep = entries.find(({ identity }) => identity.kind === 'gokeep');
  const target = o.url === undefined ? (gokeep ?? entries[0]) : entries[0];
  const nothing = { access: undefined, gosumdbLine: undefined, secrets: [] };
  const done = (rest: Omit<Probed, 'entries' | 'target' | 'ms'>): Probed => ({
    entries,
    target,
    ...rest,
    ms: performance.now() - startedAt,
  });
  if (target?.identity.kind !== 'gokeep') {
    const why =
      target === undefined ? 'no server to ask is named' : `${target.url} is not known to be a gokeep`;
    return done({ ...nothing, database: { kind: 'not asked', why }, download: { kind: 'not tried', why } });
  }
  const { authorization, source } = await credentialsFor(machine, facts, target.url);
  const ask: DatabaseAsk = { base: target.url, around, authorization };
  const [access, gosumdbLine, { probe: head, database }] = await Promise.all([
    probeAccess(ask, target.identity.database, source),
    readGosumdbLine(target, around),
    probeDatabase(ask, facts),
  ]);
  const candidates = o.module === undefined ? await candidatesFor(ask, facts, target.identity.database) : [];
  const module = o.module ?? (await smallestHeld(ask, candidates));
  const known = await lookUp(head, database, module);
  const download = await downloadOf(machine, facts, {
    target,
    access,
    module,
    around,
    named: inGoproxy.filter(({ isReached }) => isReached).map(({ url }) => url),
  });
  return done({ access, gosumdbLine, database: known, download, secrets: secretsIn(authorization) });
}

/** A header, its last word, and what that is where it is Basic. */
function secretsIn(authorization: string | undefined): string[] {
  if (authorization === undefined) return [];
  const word = authorization.split(' ').at(-1) ?? '';
  const plain = /^basic /i.test(authorization) ? Buffer.from(word, 'base64').toString() : '';
  return [word, plain, plain.slice(plain.indexOf(':') + 1)];
}

/** Files that are named to a person: of directories only what was named by SSL_CERT_DIR. */
function shownFiles(facts: Facts): string[] {
  return facts.tls.files.slice(0, 1);
}

/** Asks for what only who may read everything is shown. */
async function probeAccess(
  ask: DatabaseAsk,
  name: string,
  sent: Extract<AccessProbe, { kind: 'refused' }>['sent'],
): Promise<AccessProbe> {
  try {
    const answer = await get(ask, `/sumdb/${name}/tile/8/data/000.p/1`);
    if (answer.status === 401) return { kind: 'refused', status: answer.status, said: wordsOf(answer), sent };
    return { kind: answer.status === 403 ? 'limited' : 'open' };
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
    return { kind: 'unreached', failure: error.failure };
  }
}

/** The line that the start page shows to everybody. */
async function readGosumdbLine(target: EntryProbe, around: Surroundings): Promise<string | undefined> {
  try {
    const page = await fetchLikeGo(new URL(`${target.url}/`), around, {
      headers: { accept: 'text/plain' },
      most: 256 * 1024,
    });
    return /GOSUMDB=(?:"|&quot;)?([\w.:/-]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+)/.exec(page.body.toString())?.[1];
  } catch (error) {
    if (error instanceof Unreached) return undefined;
    throw error;
  }
}

/** Versions that the server may hold: what its log recorded last, and what the main module here requires. */
async function candidatesFor(ask: DatabaseAsk, facts: Facts, name: string): Promise<ModuleVersion[]> {
  const required = facts.main?.requires.slice(0, 2) ?? [];
  try {
    const latest = await get(ask, `/sumdb/${name}/latest`);
    const size = Number(latest.body.toString().split('\n')[1]);
    const recorded = Number.isSafeInteger(size) ? await newestRecords(ask, name, size) : [];
    return [...required, ...recorded];
  } catch (error) {
    if (error instanceof Unreached || error instanceof GokeepError) return [...required];
    throw error;
  }
}

/** Looks a version up, with its proof of inclusion. */
async function lookUp(
  head: DatabaseProbe,
  database: Awaited<ReturnType<typeof probeDatabase>>['database'],
  module: ModuleVersion | undefined,
): Promise<DatabaseProbe> {
  if (head.kind !== 'proven' || database === undefined || module === undefined) return head;
  try {
    await database.lookup(module.path, module.version, { signal: new AbortController().signal });
    return { ...head, lookup: `${module.path}@${module.version}` };
  } catch (error) {
    return failed(error);
  }
}

interface DownloadInput {
  readonly target: EntryProbe;
  readonly access: AccessProbe;
  readonly module: ModuleVersion | undefined;
  readonly around: Surroundings;
  readonly named: readonly string[];
}

async function downloadOf(machine: Machine, facts: Facts, o: DownloadInput): Promise<DownloadProbe> {
  const why = (text: string): DownloadProbe => ({ kind: 'not tried', why: text });
  if (facts.go.kind !== 'runs') return why('there is no go command that runs');
  if (!o.named.includes(o.target.url)) return why(`GOPROXY does not name ${o.target.url}`);
  if (valueOf(facts, 'GO111MODULE') === 'off') return why('GO111MODULE is off');
  if (o.module === undefined)
    return why(
      o.access.kind === 'limited'
        ? 'these credentials do not show what the server holds: name a module with --module path@version'
        : 'the server holds no small module yet: name one with --module path@version',
    );
  return probeDownload(machine, facts, o.module, o.around.budget.left());
}
