import { writeSync } from 'node:fs';
import { ModuleStore } from '../../src/store/module-store.ts';
import { contentOf, HELD } from './kept.ts';

/**
 * A process that puts files into a module store and says, a line each, which are in it: `node keeper.ts DIR`. Small ones by
 * `keep`; a zip in pieces, then by `place`.
 */
const [directory = ''] = process.argv.slice(2);

const store = new ModuleStore(directory);
await store.clearTemporary();
for (const file of HELD) {
  const { kind, path, version } = file;
  if (kind === 'zip') {
    await using temporary = await store.openTemporary();
    for (const piece of pieces(contentOf(file))) await temporary.handle.write(piece);
    await store.place(temporary, kind, path, version);
  } else {
    await store.keep(kind, path, version, contentOf(file));
  }
  // One synchronous call: what was said before a kill is what a client could have seen.
  writeSync(1, `${JSON.stringify(file)}\n`);
}
// Somebody else admitted it at the same time: the file that is there stays, and the second one goes.
await store.keep(HELD[0]!.kind, HELD[0]!.path, HELD[0]!.version, Buffer.from('other bytes'));

function pieces(bytes: Buffer): Buffer[] {
  return [bytes.subarray(0, 65_536), bytes.subarray(65_536)];
}
