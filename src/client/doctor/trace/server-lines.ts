import { randomBytes } from 'node:crypto';
import type { Facts } from '../facts/facts.ts';
import type { Machine } from '../machine.ts';
import { Unreached } from '../net/failure.ts';
import { fetchLikeGo } from '../net/fetch.ts';
import { probeEntry } from '../probes/entries.ts';
import { PUBLIC_MIRRORS, surroundings } from '../probes/probe.ts';

const PROBE_MS = 4_000;
const READ_MS = 8_000;
const MOST_ENTRIES = 4;
const MOST_PAGES = 20;
const LONGEST_WORD = 120;
const LONGEST_TARGET = 2_048;
/** What a terminal would act on. */
const INVISIBLE = /\p{C}/gu;

/** Where go is sent to, so that a gokeep remembers what its log says of this run. */
export interface TraceTargets {
  /** GOPROXY, where an entry of it is a gokeep that remembers; each behind its own address. */
  readonly env: Readonly<Record<string, string>>;
  /** What stands behind the addresses, and is to be left out of everything that is shown. */
  readonly marker: string;
  readonly id: string;
  /** Addresses of the entries that remember. */
  readonly urls: readonly string[];
}

/** The log lines of a run, by address and target. */
export interface ServerLines {
  /** What the server's log says of the next request for a target, in words; undefined where it remembers none at all. */
  next(url: string, target: string): string | undefined;
  /** What went wrong with asking for them. */
  readonly notes: readonly string[];
}

/** Asks each entry of GOPROXY whether it is a gokeep that remembers traced requests, and makes a number for this run. */
export async function traceTargets(machine: Machine, facts: Facts): Promise<TraceTargets> {
  const id = randomBytes(16).toString('hex');
  const marker = `/traced/${id}`;
  const around = surroundings(machine, facts, PROBE_MS);
  const asked = [...new Set(facts.goproxy.flatMap(({ url, isReached }) => (isReached && url) || []))]
    .filter((url) => !PUBLIC_MIRRORS.test(url))
    .slice(0, MOST_ENTRIES);
  const probes = await Promise.all(asked.map((url) => probeEntry(url, around, () => machine.now())));
  const urls = probes.flatMap(({ url, identity }) =>
    identity.kind === 'gokeep' && identity.traces === true ? [url] : [],
  );
  const entries = facts.goproxy.map(({ text, url, separator }) => {
    const isOurs = url !== undefined && urls.includes(url) && !/[?#]/.test(text);
    return `${isOurs ? `${text.replace(/\/+$/, '')}${marker}` : text}${separator}`;
  });
  return { env: urls.length === 0 ? {} : { GOPROXY: entries.join('') }, marker, id, urls };
}

/** Reads back what the servers remember. Never rejects: what they answer is theirs, and bounded. */
export async function readServerLines(
  machine: Machine,
  facts: Facts,
  { id, urls }: TraceTargets,
  wasAsked: boolean,
): Promise<ServerLines> {
  const lines = new Map<string, string[]>();
  const remembering = new Set<string>();
  const notes: string[] = [];
  const around = surroundings(machine, facts, READ_MS);
  for (const url of wasAsked ? urls : []) {
    try {
      let from: number | undefined = 0;
      for (let page = 0; page < MOST_PAGES && from !== undefined; page++) {
        const address = new URL(`${url}/api/v1/requests/${id}?limit=200&from=${from}`);
        const { status, body } = await fetchLikeGo(address, around);
        if (status === 404) break;
        if (status !== 200) throw new TypeError(`it answered ${status}`);
        const read = pageOf(body.toString());
        for (const { target, said } of read.lines) {
          const key = `${url} ${target}`;
          lines.set(key, [...(lines.get(key) ?? []), said]);
        }
        remembering.add(url);
        from = read.next !== undefined && read.next > from ? read.next : undefined;
      }
    } catch (error) {
      const why = error instanceof Unreached ? error.failure.detail : (error as Error).message;
      notes.push(`the log lines of ${url} could not be read: ${clean(why)}`);
    }
  }
  return {
    next: (url, target) =>
      remembering.has(url)
        ? (lines.get(`${url} ${target}`)?.shift() ?? 'its log line is not remembered')
        : undefined,
    notes,
  };
}

const clean = (text: string, longest = LONGEST_WORD): string =>
  text.slice(0, longest).replace(INVISIBLE, '\ufffd');

/** @throws TypeError or SyntaxError for what is no such page */
function pageOf(body: string): { lines: { target: string; said: string }[]; next: number | undefined } {
  const { requests, next } = JSON.parse(body) as { requests?: unknown; next?: unknown };
  if (!Array.isArray(requests)) throw new TypeError('it answered with no list of requests');
  return {
    lines: requests.map((each) => lineOf(each as Readonly<Record<string, unknown>> | null)),
    next: typeof next === 'number' && Number.isSafeInteger(next) ? next : undefined,
  };
}

function lineOf(line: Readonly<Record<string, unknown>> | null): { target: string; said: string } {
  const text = (name: string, longest?: number): string | undefined => {
    const value = line?.[name];
    return typeof value === 'string' ? clean(value, longest) : undefined;
  };
  const number = (name: string): number => (typeof line?.[name] === 'number' ? line[name] : Number.NaN);
  const user = text('user');
  const code = text('code');
  const said = [
    `its log: ${text('time') ?? '?'}, ${text('method') ?? '?'} ${number('status')}`,
    `${number('bytes')} bytes in ${number('ms')} ms from ${text('from') ?? '?'}`,
    ...(code === undefined ? [] : [`code ${code}`]),
    `for ${user ?? 'nobody known'} at ${text('client') ?? '?'}`,
  ].join(', ');
  return { target: text('target', LONGEST_TARGET) ?? '', said };
}
