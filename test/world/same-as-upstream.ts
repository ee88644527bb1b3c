import { STATUS_CODES } from 'node:http';
import { expect } from 'vitest';
import { GoClient, type GoResult } from './go-client.ts';
import type { GokeepProcess } from './gokeep-process.ts';
import type { UpstreamWorld } from './upstream-world.ts';

/** One `go` command with a fresh client; addresses and directories are replaced, so that results can be compared. */
async function runFresh(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<GoResult> {
  await using client = await GoClient.create(env);
  for (const [name, content] of Object.entries(files)) await client.write(name, content);
  const { code, stdout, stderr } = await client.run(...args);
  const plain = (text: string) =>
    text
      .replaceAll(client.directory, 'CLIENT')
      .replaceAll(env['GOPROXY'] ?? '', 'PROXY')
      // The status line's words are the server's own, and the world's are not the usual ones.
      .replaceAll(/ (\d{3}) Said\b/g, (_, status: string) => ` ${status} ${STATUS_CODES[status] ?? ''}`);
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}

/**
 * Runs a `go` command straight from the world and through gokeep, checksum verification on both times, expects the same
 * exit code and output, and resolves with it.
 */
export async function sameAsUpstream(
  world: UpstreamWorld,
  gokeep: GokeepProcess,
  args: readonly string[],
  o: {
    readonly env?: Readonly<Record<string, string>>;
    readonly files?: Readonly<Record<string, string>>;
  } = {},
): Promise<GoResult> {
  const { env = {}, files = {} } = o;
  const [straight, through] = await Promise.all([
    runFresh({ GOPROXY: world.url, GOSUMDB: world.vkey, ...env }, args, files),
    runFresh({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey, ...env }, args, files),
  ]);
  expect(through).toEqual(straight);
  return through;
}
