import path from 'node:path';

/**
 * What a power cut could take, though it was named or acknowledged (a line on standard output): lines of an strace with paths
 * of descriptors (-y), of write, fsync, fdatasync, rename and mkdir.
 */
export function unsynced(trace: string): string[] {
  const problems: string[] = [];
  const written = new Set<string>();
  const entered = new Set<string>();
  for (const line of trace.split('\n')) {
    const [, call, descriptor, open = '', from = '', to = from] =
      /^\d+ +(\w+)\((?:(\d+)<([^>]*)>|"([^"]*)"(?:, "([^"]*)")?).* = [0-9]+$/.exec(line) ?? [];
    if (call === 'write' && descriptor !== '1') written.add(open);
    if (call === 'fsync' || call === 'fdatasync') {
      written.delete(open);
      entered.delete(open);
    }
    if (call === 'rename' && written.values().some((name) => `${name}/`.startsWith(`${from}/`))) {
      problems.push(`named before it was synced: ${to}`);
    }
    if (call === 'rename' || call === 'mkdir') entered.add(path.dirname(to));
    if (call === 'write' && descriptor === '1') {
      problems.push(...[...entered].map((directory) => `acknowledged before it was synced: ${directory}`));
    }
  }
  return problems;
}
