import { writeSync } from 'node:fs';
import type { PublishingOptions } from '../../src/publish/publishing.ts';
import { CORP, moduleZipOf, PublishingSite } from '../publish/publishing-site.ts';

/**
 * A process that goes on with what an earlier one left in DIR, publishes versions and says, a line each, which it has
 * acknowledged: `node publisher.ts DIR VERSION…`.
 */
const [directory = '', ...versions] = process.argv.slice(2);

/** One signature of each version, taken for verified. */
const signing: PublishingOptions['signing'] = {
  checkSent: () => undefined,
  admit: async (_path, version) => [{ id: version, bundle: '{}', verdict: '{}', verifiedAt: 0 }],
  checkHeld: async () => undefined,
  published: async () => undefined,
};

const site = await PublishingSite.open({ signing }, directory);
await site.publishing.recover();
for (const version of versions) {
  await site.publish(CORP, version, moduleZipOf(CORP, version));
  // One synchronous call: what was said before a kill is what a client could have seen.
  writeSync(1, `${version}\n`);
}
await site.close();
