import { writeSync } from 'node:fs';
import { hasCode } from '../../src/errors.ts';
import { UpstreamStore } from '../../src/store/upstream-store.ts';

/** A process that remembers two answers, one after the other, and says what came of it: `node rememberer.ts FILE`. */
const [file = '', wait] = process.argv.slice(2);

async function say(what: string, done: Promise<void>): Promise<void> {
  const outcome = await done.then(
    () => 'done',
    (error: unknown) => (hasCode(error, 'storage_failed', 'storage_full') ? error.code : String(error)),
  );
  writeSync(1, `${what} ${outcome}\n`);
}

const ended = Promise.withResolvers<void>();
const store = new UpstreamStore(
  file,
  () => {
    writeSync(1, 'thread ended\n');
    ended.resolve();
  },
  (error) => {
    throw error;
  },
);
for (const key of ['a', 'b']) {
  await say(key, store.keepAnswer(key, { body: Buffer.from(key), source: 'up', fetchedAt: 1 }));
}
if (wait !== undefined) await ended.promise;
await say('close', store.close());
