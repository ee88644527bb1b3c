import { writeSync } from 'node:fs';
import path from 'node:path';
import { GokeepError } from '../../src/errors.ts';
import { Sequencer } from '../../src/sumdb/sequencer.ts';
import { candidate, TEST_KEY } from '../sumdb/candidates.ts';

/**
 * A process that appends records and says, a JSON line each, what it acknowledged: `node appender.ts DIR ROUNDS`. Each
 * round appends one record, then three at once.
 *
 * Exits with 70 when the log could not be opened, or had to end because of its disk.
 *
 * A line is written by one synchronous call, so what was said before a kill is what a client could have seen.
 */
const [directory = '', rounds = '1'] = process.argv.slice(2);

function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

const log = new Sequencer(
  { database: path.join(directory, 'log.db'), mark: path.join(directory, 'mark'), skey: TEST_KEY.skey },
  {
    onHead: ({ size, root, note }) =>
      say({ head: { size, root: root.toString('hex'), note: note.toString() } }),
    onFatal: () => process.exit(70),
  },
);

function sayRefused(error: unknown): void {
  say({ refused: error instanceof GokeepError ? error.code : 'not ours' });
}

async function add(n: number): Promise<void> {
  try {
    const outcome = await log.add(candidate(n));
    if (outcome.kind === 'logged') say({ logged: n });
  } catch (error) {
    sayRefused(error);
  }
}

try {
  await log.start();
  for (let round = 0; round < Number(rounds); round++) {
    const first = round * 4;
    await add(first);
    await Promise.all([add(first + 1), add(first + 2), add(first + 3)]);
  }
  await log.close();
} catch (error) {
  sayRefused(error);
  process.exit(70);
}
