import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseGoPurl } from '../../src/airgap/want/purl.ts';
import { UpstreamStore } from '../../src/store/upstream-store.ts';
import { type MadeModule, makeModule } from '../world/modules.ts';
import { DataDirectory, LOG_NAME } from './data-directory.ts';
import { gokeep } from './program.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const MIT = readFileSync(path.join(ROOT, 'node_modules/fastify/LICENSE'), 'utf8');
const SCHEMAS = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
  'res/schema',
);

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: unknown;
  readonly licenses?: unknown;
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}
interface CycloneDx {
  readonly metadata: { readonly timestamp: string; readonly properties: Component['properties'] };
  readonly components: readonly Component[];
}
interface Spdx {
  readonly packages: readonly (Record<string, unknown> & { annotations: { comment: string }[] })[];
}

let directory: DataDirectory;
let output: string;
let upper: MadeModule;
let secret: MadeModule;
let spdxSchema: ValidateFunction;
let cycloneDxSchema: ValidateFunction;

/** @param others by the name that the schema calls them */
function validator(main: object, others: Readonly<Record<string, object>> = {}): ValidateFunction {
  const formats = { ...fullFormats, 'idn-email': true, 'iri-reference': true } as const;
  const ajv = new Ajv({ strict: false, allErrors: true, formats });
  for (const [name, schema] of Object.entries(others))
    ajv.addSchema({ ...schema, $id: `http://cyclonedx.org/schema/${name}` });
  return ajv.compile(main);
}

const json = (file: string): object => JSON.parse(readFileSync(file, 'utf8')) as object;

beforeAll(async () => {
  spdxSchema = validator(json(path.join(ROOT, 'test/testdata/spdx/spdx-schema-2.3.json')));
  const cyclone = (name: string) => json(path.join(SCHEMAS, `${name}.SNAPSHOT.schema.json`));
  cycloneDxSchema = validator(cyclone('bom-1.6'), {
    'spdx.SNAPSHOT.schema.json': cyclone('spdx'),
    'jsf-0.82.SNAPSHOT.schema.json': cyclone('jsf-0.82'),
  });
  output = mkdtempSync(path.join(tmpdir(), 'gokeep-sbom-'));

  directory = await DataDirectory.create();
  upper = await makeModule({
    path: 'example.test/A',
    version: 'v2.0.0+incompatible',
    files: { LICENSE: MIT },
  });
  secret = await makeModule({ path: 'corp.test/lib', version: 'v1.0.0' });
  const old = await makeModule({ path: 'example.test/old', version: 'v1.0.0' });
  const modOnly = await makeModule({ path: 'example.test/graph', version: 'v1.0.0' });
  const two = await makeModule({
    path: 'example.test/two',
    version: 'v1.0.0',
    files: { LICENSE: MIT, 'LICENSE-APACHE': 'x' },
  });
  for (const made of [upper, old, modOnly, two]) await directory.hold(made);
  await directory.hold(secret, 'computed');
  const fail = (error: unknown) => {
    throw error as Error;
  };
  const store = new UpstreamStore(directory.file('upstream.db'), fail, fail);
  const day = (date: string) => Date.parse(`${date}T00:00:00Z`) / 86_400_000;
  await store.keepServed([
    ...[upper, secret, two].flatMap(({ path: name, version }) =>
      (['info', 'mod', 'zip'] as const).map((kind) => ({
        path: name,
        version,
        kind,
        day: day('2026-11-20'),
      })),
    ),
    { path: old.path, version: old.version, kind: 'zip', day: day('2026-01-02') },
    { path: modOnly.path, version: modOnly.version, kind: 'mod', day: day('2026-11-20') },
  ]);
  await store.close();
});

afterAll(() => {
  directory[Symbol.dispose]();
  rmSync(output, { recursive: true });
});

const run = (...args: string[]) =>
  gokeep(['sbom', '--data', directory.data, ...args], { GOKEEP_PRIVATE: 'corp.test' });

async function bill<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('gokeep sbom', () => {
  it('is CycloneDX 1.6 by the official schema', async () => {
    const text = await bill<CycloneDx>();
    cycloneDxSchema(text);
    expect(cycloneDxSchema.errors).toBeNull();
    expect(cycloneDxSchema({ ...text, components: [{}] })).toBe(false);
  });

  it('is SPDX 2.3 by the official schema', async () => {
    const text = await bill<Spdx>('--format', 'spdx');
    spdxSchema(text);
    expect(spdxSchema.errors).toBeNull();
    expect(spdxSchema({ ...text, packages: [{}] })).toBe(false);
  });

  it('names each version whose zip was served, with its hashes, its place in the log and its licence', async () => {
    const { components } = await bill<CycloneDx>();
    expect(components.map(({ name }) => name)).toEqual([
      'corp.test/lib',
      'example.test/A',
      'example.test/old',
      'example.test/two',
    ]);
    expect(components[1]).toEqual({
      type: 'library',
      'bom-ref': 'pkg:golang/example.test/A@v2.0.0%2Bincompatible?type=module',
      name: upper.path,
      version: upper.version,
      hashes: [{ alg: 'SHA-256', content: sha256(upper.zip) }],
      licenses: [{ license: { id: 'MIT' } }],
      purl: 'pkg:golang/example.test/A@v2.0.0%2Bincompatible?type=module',
      properties: [
        { name: 'gokeep:h1', value: upper.h1.zip },
        { name: 'gokeep:h1:go.mod', value: upper.h1.mod },
        { name: 'gokeep:log:name', value: LOG_NAME },
        { name: 'gokeep:log:index', value: '0' },
        { name: 'gokeep:record:source', value: 'proven' },
        { name: 'gokeep:record:since', value: '2023-11-14T22:13:20Z' },
        { name: 'gokeep:served:last', value: '2026-11-20' },
        { name: 'gokeep:private', value: 'false' },
      ],
    });
    expect(components[0]?.properties).toContainEqual({ name: 'gokeep:private', value: 'true' });
  });

  it('says the same in SPDX, where what has no field stands in an annotation', async () => {
    const { packages } = await bill<Spdx>('--format', 'spdx');
    expect(packages[1]).toMatchObject({
      name: upper.path,
      SPDXID: 'SPDXRef-Record-0',
      versionInfo: upper.version,
      checksums: [{ algorithm: 'SHA256', checksumValue: sha256(upper.zip) }],
      licenseConcluded: 'NOASSERTION',
      licenseDeclared: 'MIT',
      externalRefs: [{ referenceType: 'purl' }],
    });
    expect(packages[1]?.annotations[0]?.comment.split('\n')).toContain(`gokeep:h1=${upper.h1.zip}`);
  });

  it('asserts no licence where there is none, or more than one file about it', async () => {
    const { components } = await bill<CycloneDx>();
    expect(components.filter(({ licenses }) => licenses !== undefined).map(({ name }) => name)).toEqual([
      'example.test/A',
    ]);
    const { packages } = await bill<Spdx>('--format', 'spdx');
    expect(packages[0]).toMatchObject({ name: 'corp.test/lib', licenseDeclared: 'NOASSERTION' });
  });

  it('leaves out what was last served before a date', async () => {
    const { components, metadata } = await bill<CycloneDx>('--since', '2026-11-01');
    expect(components.map(({ name }) => name)).not.toContain('example.test/old');
    expect(components.length).toBe(3);
    expect(metadata.properties).toContainEqual({ name: 'gokeep:served:since', value: '2026-11-01' });
    expect(await run('--since', 'yesterday')).toMatchObject({ code: 2, stdout: '' });
    expect(await run('--format', 'csv')).toMatchObject({ code: 2, stdout: '' });
  });

  it.each(['cyclonedx', 'spdx'])(
    'is the same bytes for the same state, in a file too: %s',
    async (format) => {
      const file = path.join(output, format);
      const first = await run('--format', format);
      expect(await run('--format', format, '--output', file)).toMatchObject({ code: 0, stdout: '' });
      expect(readFileSync(file, 'utf8')).toBe(first.stdout);
    },
  );

  it('has purls that a bundle is made from', async () => {
    const { components } = await bill<CycloneDx>();
    expect(components.map(({ purl }) => parseGoPurl(purl))).toEqual(
      components.map(({ name, version }) => ({ path: name, version, type: 'module' })),
    );
  });

  it('keeps the hashes of the record where the zip is no longer held', async () => {
    using copy = directory.copy();
    rmSync(path.join(copy.data, 'download/corp.test/lib/@v/v1.0.0.zip'));
    const { stdout } = await gokeep(['sbom', '--data', copy.data]);
    const [first] = (JSON.parse(stdout) as CycloneDx).components;
    expect(first).toMatchObject({ name: 'corp.test/lib' });
    expect(first?.hashes).toBeUndefined();
    expect(first?.properties).toContainEqual({ name: 'gokeep:h1', value: secret.h1.zip });
  });
});
