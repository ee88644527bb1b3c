import { writeSync } from 'node:fs';
import { VulndbStore } from '../../src/store/vulndb-store.ts';

/** The copies that a keeper publishes, in order, and the files that each of them has. */
export const COPIES = ['first', 'second', 'third'] as const;
export const COPIED = ['index/db.json', 'ID/GO-2024-0001.json'] as const;

/** Bytes of a file of a copy, in more than one block of the disk. */
export const copiedBytes = (copy: string, name: string) => Buffer.alloc(20_000, `${copy} ${name} `);

/** A process that publishes vulnerability databases and says, a line each, which are published: `node vulndb-keeper.ts DIR`. */
async function keep(directory: string): Promise<void> {
  const store = new VulndbStore(directory);
  for (const copy of COPIES) {
    const staged = await store.stage();
    for (const name of COPIED) await store.put(staged, name, copiedBytes(copy, name));
    await store.publish(staged, copy);
    // One synchronous call: what was said before a kill is what a client could have seen.
    writeSync(1, `${copy}\n`);
  }
}

if (import.meta.main) await keep(process.argv[2] ?? '');
