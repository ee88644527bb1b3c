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
/** Whose issuer wrote what would be a line of its own in SPDX, and what turns a terminal's text around. */
const EVIL = 'oidc:repo:a\ngokeep:private=false\u202e\\';
const EVIL_SHOWN = 'oidc:repo:a\\u{a}gokeep:private=false\\u{202e}\\\\';
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
  const ci = { id: 'aa', name: 'token:ci' };
  await store.keepServed([
    ...[upper, secret, two].flatMap(({ path: name, version }) =>
      (['info', 'mod', 'zip'] as const).map((kind) => ({
        path: name,
        version,
        kind,
        day: day('2026-11-20'),
      })),
    ),
    { path: old.path, version: old.version, kind: 'zip', day: day('2026-01-02'), to: ci },
    ...[
      { day: '2026-11-02', to: ci },
      { day: '2026-11-20', to: { id: EVIL, name: EVIL } },
      { day: '2026-11-04', to: ci },
    ].map(({ day: on, to }) => ({
      path: secret.path,
      version: secret.version,
      kind: 'zip' as const,
      day: day(on),
      to,
    })),
    {
      path: upper.path,
      version: upper.version,
      kind: 'zip',
      day: day('2026-11-20'),
      to: { id: 'bb', name: 'token:b' },
    },
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
        { name: 'gokeep:served:first', value: '2026-11-20' },
        { name: 'gokeep:served:last', value: '2026-11-20' },
        { name: 'gokeep:served:to', value: '2026-11-20/2026-11-20 token:b' },
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

  const served = (component: Component | undefined) =>
    component?.properties.filter(({ name }) => name.startsWith('gokeep:served:')).map(({ value }) => value);

  it('says of each to whom it was served and since when, whatever an issuer called him', async () => {
    const { components } = await bill<CycloneDx>();
    expect(served(components[0])).toEqual([
      '2026-11-02',
      '2026-11-20',
      `2026-11-20/2026-11-20 ${EVIL_SHOWN}`,
      '2026-11-02/2026-11-04 token:ci',
    ]);
    const { packages } = await bill<Spdx>('--format', 'spdx');
    const lines = packages[0]?.annotations[0]?.comment.split('\n') ?? [];
    expect(lines.filter((line) => /^gokeep:(served:to|private)/.test(line))).toEqual([
      `gokeep:served:to=2026-11-20/2026-11-20 ${EVIL_SHOWN}`,
      'gokeep:served:to=2026-11-02/2026-11-04 token:ci',
      'gokeep:private=true',
    ]);
  });

  it('names nobody who was not served since the date', async () => {
    const { components } = await bill<CycloneDx>('--since', '2026-11-04');
    expect(served(components[0])).toContain('2026-11-02/2026-11-04 token:ci');
    const later = (await bill<CycloneDx>('--since', '2026-11-05')).components;
    expect(later[0]?.name).toBe('corp.test/lib');
    expect(served(later[0])).toEqual(['2026-11-20', '2026-11-20', `2026-11-20/2026-11-20 ${EVIL_SHOWN}`]);
  });

  it('--to lists what was served to this one, with his days, and names nobody else', async () => {
    const text = await bill<CycloneDx>('--to', 'token:ci');
    cycloneDxSchema(text);
    expect(cycloneDxSchema.errors).toBeNull();
    expect(text.components.map((one) => [one.name, ...(served(one) ?? [])])).toEqual([
      ['corp.test/lib', '2026-11-02', '2026-11-04', '2026-11-02/2026-11-04 token:ci'],
      ['example.test/old', '2026-01-02', '2026-01-02', '2026-01-02/2026-01-02 token:ci'],
    ]);
    expect(text.metadata.properties).toContainEqual({ name: 'gokeep:served:to', value: 'token:ci' });
    // The id of the token means the same, and a day narrows it down.
    expect(await bill('--to', 'aa')).toEqual(text);
    const since = await bill<CycloneDx>('--to', 'token:ci', '--since', '2026-11-04');
    expect(since.components.map(({ name }) => name)).toEqual(['corp.test/lib']);
  });

  it.each([EVIL, EVIL_SHOWN])('--to %j means whom an issuer called that, as he is shown too', async (to) => {
    const text = await bill<Spdx>('--to', to, '--format', 'spdx');
    spdxSchema(text);
    expect(spdxSchema.errors).toBeNull();
    expect(text.packages.map(({ name }) => name)).toEqual(['corp.test/lib']);
  });

  it.each([
    ['token:cl', 'did you mean "token:ci"?'],
    ['ci', 'did you mean "token:ci"?'],
    ['nobody at all', 'names are those in the request log'],
    ['a\u202eb', 'anybody named "a\\u{202e}b"'],
  ])('--to %j, which is nobody, says so and writes no bill', async (to, says) => {
    const { code, stdout, stderr } = await run('--to', to);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
  });

  it('--to a token that exists and was served nothing is a bill without components', async () => {
    using copy = directory.copy();
    await gokeep(['token', 'create', '--name', 'fresh', '--data', copy.data]);
    const { code, stdout } = await gokeep(['sbom', '--data', copy.data, '--to', 'token:fresh']);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as CycloneDx).components).toEqual([]);
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
