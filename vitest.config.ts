import { readFileSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes: begun last, they would have one worker wait for the other. */
const LONGEST = ['e2e/air-gap-live', 'e2e/live', 'e2e/go-scripts', 'e2e/air-gap-live-tools', 'e2e/air-gap'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

const MEMORY = '/dev/shm';
const GIB = 2 ** 30;

/**
 * Clients unpack hundreds of modules, which costs a disk twenty times what it costs memory. What is tested of durability is the order of
 * calls, and kills: neither asks for a disk. Whoever sets TMPDIR, has little memory, or a place there that runs no programs, keeps what there was.
 */
function scratch(): Record<string, string> {
  try {
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .findLast(([, at]) => at === MEMORY);
    const { bavail, bsize } = statfsSync(MEMORY);
    const runsPrograms = mount?.[2] === 'tmpfs' && !mount[3]?.split(',').includes('noexec');
    const hasRoom = Math.min(bavail * bsize, freemem()) > 10 * GIB;
    return process.env['TMPDIR'] === undefined && runsPrograms && hasRoom ? { TMPDIR: MEMORY } : {};
  } catch {
    return {};
  }
}

export default defineConfig({
  test: {
    env: scratch(),
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
