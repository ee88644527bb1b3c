import type { UpstreamWorld } from './upstream-world.ts';

/** A module of a later major version that needs two others, one of them with capitals and a pre-release. */
export async function publishTree(world: UpstreamWorld): Promise<void> {
  await world.publish({ path: 'example.test/leaf', version: 'v1.0.0' });
  await world.publish({ path: 'example.test/Upper/letter', version: 'v0.3.0-RC.1' });
  await world.publish({
    path: 'example.test/tree/v2',
    version: 'v2.1.0',
    require: { 'example.test/leaf': 'v1.0.0', 'example.test/Upper/letter': 'v0.3.0-RC.1' },
  });
}
