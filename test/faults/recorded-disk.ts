import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** One call that strace saw, in the order in which calls returned. */
export type DiskEvent =
  | { readonly kind: 'create'; readonly name: string }
  | { readonly kind: 'write'; readonly name: string; readonly at: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly name: string; readonly size: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'sync'; readonly name: string }
  | { readonly kind: 'syncDirectory' }
  | { readonly kind: 'say'; readonly text: string };

/** Arguments for strace that write what {@link readRecording} reads. */
export function recordTo(file: string): string[] {
  const calls = 'openat,pwrite64,write,ftruncate,rename,unlink,fsync,fdatasync';
  return ['strace', '-f', '-qqq', '-y', '-xx', '-s', '70000', '-o', file, '-e', `trace=${calls}`];
}

const bytes = (escaped: string): Buffer => Buffer.from(escaped.replaceAll('\\x', ''), 'hex');

/** Calls as whole lines: one that another thread interrupted counts from when it returned. */
function* wholeCalls(trace: string): Generator<string> {
  const begun = new Map<string, string>();
  for (const line of trace.split('\n')) {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const half = / <unfinished \.\.\.>$/.exec(text);
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    if (half !== null) begun.set(pid, text.slice(0, half.index));
    else if (resumed !== null) yield `${begun.get(pid) ?? ''}${resumed[1] ?? ''}`;
    else yield text;
  }
}

/**
 * Reads what strace recorded of one directory's files, and of the lines written to standard output.
 *
 * The `-shm` file is left out: SQLite makes it anew after a power cut.
 */
export function readRecording(file: string, directory: string): DiskEvent[] {
  const events: DiskEvent[] = [];
  const inside = (escaped: string | undefined): string | undefined => {
    const full = bytes(escaped ?? '').toString();
    const name = path.basename(full);
    return path.dirname(full) === directory && !name.endsWith('-shm') ? name : undefined;
  };
  const ends = new Map<string, number>();
  for (const call of wholeCalls(readFileSync(file, 'latin1'))) {
    const [, what = '', rest = '', result = ''] = /^(\w+)\((.*)\) += (-?\d+)/.exec(call) ?? [];
    if (what === '' || result.startsWith('-')) continue;
    const strings = [...rest.matchAll(/"([^"]*)"/g)].map((match) => match[1]);
    const [, fd = '', target = ''] = /^(\d+)<([^>]*)>/.exec(rest) ?? [];
    const numbers = (/(?:, \d+)+$/.exec(rest)?.[0] ?? '').split(', ').slice(1).map(Number);
    const name = inside(target);
    if (what === 'write' && fd === '1')
      events.push({ kind: 'say', text: bytes(strings[0] ?? '').toString() });
    else if (what === 'openat') {
      const created = inside(strings[0]);
      if (created === undefined || !rest.includes('O_CREAT')) continue;
      ends.set(created, 0);
      events.push({ kind: 'create', name: created });
    } else if (what === 'rename') {
      const [from, to] = [inside(strings[0]), inside(strings[1])];
      if (from !== undefined && to !== undefined) events.push({ kind: 'rename', from, to });
    } else if (what === 'unlink') {
      const gone = inside(strings[0]);
      if (gone !== undefined) events.push({ kind: 'unlink', name: gone });
    } else if (/^f(?:data)?sync$/.test(what) && bytes(target).toString() === directory) {
      events.push({ kind: 'syncDirectory' });
    } else if (name === undefined) continue;
    else if (/^f(?:data)?sync$/.test(what)) events.push({ kind: 'sync', name });
    else if (what === 'ftruncate') events.push({ kind: 'truncate', name, size: numbers[0] ?? 0 });
    else {
      const data = bytes(strings[0] ?? '').subarray(0, Number(result));
      const at = what === 'pwrite64' ? (numbers[1] ?? 0) : (ends.get(name) ?? 0);
      ends.set(name, at + data.length);
      events.push({ kind: 'write', name, at, data });
    }
  }
  return events;
}

type Change = DiskEvent & { readonly kind: 'write' | 'truncate' };

interface Inode {
  /** What a sync has made durable, and what only the page cache knows. */
  durable: Buffer;
  pending: Change[];
}

function changed(content: Buffer, change: Change): Buffer {
  if (change.kind === 'truncate') {
    return Buffer.concat([content, Buffer.alloc(Math.max(0, change.size - content.length))]).subarray(
      0,
      change.size,
    );
  }
  const { at, data } = change;
  const grown = Buffer.alloc(Math.max(content.length, at + data.length));
  content.copy(grown);
  data.copy(grown, at);
  return grown;
}

/** Disks write sectors: an interrupted write may have reached the disk up to one of these. */
const SECTOR = 512;

/**
 * What is on disk when the power goes after the first `count` events, written into `directory`.
 *
 * What was synced is there. Of each change that was not, `survives` decides anew: names and contents may come
 * through in any combination, and a write may be torn (a number: that share of its sectors).
 */
export function powerCut(
  events: readonly DiskEvent[],
  count: number,
  survives: () => boolean | number,
  directory: string,
): void {
  let names = new Map<string, Inode>();
  let durableNames = new Map<string, Inode>();
  let pendingNames: ((names: Map<string, Inode>) => void)[] = [];
  const rename = (change: (names: Map<string, Inode>) => void) => {
    change(names);
    pendingNames.push(change);
  };
  for (const event of events.slice(0, count)) {
    switch (event.kind) {
      case 'create': {
        if (names.has(event.name)) break;
        const inode: Inode = { durable: Buffer.alloc(0), pending: [] };
        rename((all) => all.set(event.name, inode));
        break;
      }
      case 'write':
      case 'truncate':
        names.get(event.name)?.pending.push(event);
        break;
      case 'rename': {
        const inode = names.get(event.from);
        if (inode === undefined) throw new Error(`${event.from} was renamed and never created`);
        rename((all) => {
          all.delete(event.from);
          all.set(event.to, inode);
        });
        break;
      }
      case 'unlink':
        rename((all) => all.delete(event.name));
        break;
      case 'sync': {
        const inode = names.get(event.name);
        if (inode === undefined) break;
        inode.durable = inode.pending.reduce(changed, inode.durable);
        inode.pending = [];
        break;
      }
      case 'syncDirectory':
        durableNames = new Map(names);
        pendingNames = [];
        break;
      case 'say':
        break;
    }
  }
  for (const change of pendingNames) if (survives() !== false) change(durableNames);
  names = durableNames;
  mkdirSync(directory, { recursive: true });
  for (const [name, inode] of names) {
    let content = inode.durable;
    for (const change of inode.pending) {
      const share = survives();
      if (share === false) continue;
      if (share === true || change.kind === 'truncate') content = changed(content, change);
      else {
        const end = Math.floor((share * change.data.length) / SECTOR) * SECTOR;
        content = changed(content, { ...change, data: change.data.subarray(0, end) });
      }
    }
    writeFileSync(path.join(directory, name), content);
  }
}
