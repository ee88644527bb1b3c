import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatBundlePath } from '../../src/airgap/bundle-path.ts';
import { makeModule } from '../world/modules.ts';
import { ingredients, LEAF, type Packed, pack } from './made-bundle.ts';

export const LATE = 'example.test/late';
export const ONLY_MOD = 'example.test/onlymod';

/**
 * Three bundles, each on the one before: the second brings LATE, the zip of a version of which the first had the go.mod
 * alone, and a newer version of LEAF; by the third only our own tree has grown.
 */
export async function chainOfThree() {
  const made = await ingredients();
  const { own, second: other } = made;
  const known = await makeModule({ path: ONLY_MOD, version: 'v1.0.0' });
  const subject = ({ path: name, version }: { path: string; version: string }) => `${name}@${version}`;
  const knownIds = { own: own.addModule(known), other: other.addModule(known) };
  const first = { ...made, files: new Map<string, Buffer>() };
  for (const [name, body] of made.files)
    if (!name.startsWith('sumdb/') || name.includes('/lookup/')) first.files.set(name, body);
  first.files.set(formatBundlePath({ kind: 'mod', ...known }), Buffer.from(known.mod));
  const lookups = (from: number) => ({
    [subject(made.modules[0]!)]: from,
    [subject(made.modules[1]!)]: from + 1,
  });
  first.databases = [
    await own.addTo(first.files, { ...lookups(270), [subject(known)]: knownIds.own }),
    await other.addTo(first.files, { ...lookups(3), [subject(known)]: knownIds.other }),
  ];
  const packed: Packed[] = [pack(first)];

  const heads = first.databases.map(({ head }) => head);
  const late = await makeModule({ path: LATE, version: 'v1.0.0' });
  const leaf = await makeModule({ path: LEAF, version: 'v1.2.0' });
  own.fill(300, 'between');
  const files = new Map<string, Buffer>();
  const ids = { own: {} as Record<string, number>, other: {} as Record<string, number> };
  for (const module of [late, leaf]) {
    ids.own[subject(module)] = own.addModule(module);
    ids.other[subject(module)] = other.addModule(module);
    files.set(formatBundlePath({ kind: 'mod', ...module }), Buffer.from(module.mod));
    files.set(formatBundlePath({ kind: 'zip', ...module }), module.zip);
  }
  files.set(formatBundlePath({ kind: 'list', path: LEAF }), Buffer.from('v1.0.0\nv1.2.0\n'));
  files.set(formatBundlePath({ kind: 'zip', ...known }), known.zip);
  ids.own[subject(known)] = knownIds.own;
  ids.other[subject(known)] = knownIds.other;
  const second = {
    ...made,
    files,
    base: packed[0]!.id,
    databases: [
      await own.addTo(files, ids.own, [heads[0]!]),
      await other.addTo(files, ids.other, [heads[1]!]),
    ],
  };
  packed.push(pack(second));

  const last = await makeModule({ path: LATE, version: 'v1.1.0' });
  const more = new Map<string, Buffer>();
  const lastId = own.addModule(last);
  more.set(formatBundlePath({ kind: 'mod', ...last }), Buffer.from(last.mod));
  const earlier = [heads[0]!, second.databases[0]!.head];
  const databases = [
    await own.addTo(more, { [subject(last)]: lastId }, earlier),
    await other.addTo(more, {}, [heads[1]!]),
  ];
  packed.push(pack({ ...made, files: more, base: packed[1]!.id, databases }));
  return { ...made, bundles: packed as [Packed, Packed, Packed] };
}

/** As tar does. */
export async function unpack(directory: string, ...bundles: readonly Packed[]): Promise<string> {
  for (const { members } of bundles) {
    for (const { name, body } of members) {
      const file = path.join(directory, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, body);
    }
  }
  return directory;
}
