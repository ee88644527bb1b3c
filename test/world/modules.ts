import { createHash } from 'node:crypto';
import yazl from 'yazl';
import { h1OfGoMod, hash1 } from '../../src/modzip/dirhash.ts';

/** One module version as its author made it. */
export interface MadeModule {
  readonly path: string;
  readonly version: string;
  readonly info: string;
  readonly mod: string;
  readonly zip: Buffer;
  /** `h1:` of the zip and of go.mod. */
  readonly h1: { readonly zip: string; readonly mod: string };
}

export interface ModuleSource {
  readonly path: string;
  readonly version: string;
  /** Further files by name; a package file is added when there is none. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Module paths and versions required. */
  readonly require?: Readonly<Record<string, string>>;
  readonly go?: string;
  readonly time?: string;
}

async function zipOf(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const [name, content] of Object.entries(files)) {
    zip.addBuffer(content, name, { mtime: new Date('2020-01-01T00:00:00Z') });
  }
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Builds a module version: go.mod, a package, zip, info and both hashes. */
export async function makeModule(source: ModuleSource): Promise<MadeModule> {
  const { path, version, files = {}, require = {}, go = '1.21', time = '2024-01-02T03:04:05Z' } = source;
  const requirements = Object.entries(require).map(([name, at]) => `require ${name} ${at}\n`);
  const mod = `module ${path}\n\ngo ${go}\n${requirements.length > 0 ? `\n${requirements.join('')}` : ''}`;
  const name = path
    .split('/')
    .filter((element) => !/^v[0-9]+$/.test(element))
    .at(-1)!
    .replace(/[^a-z0-9]/gi, '');
  const imports = Object.keys(require).map((required) => `import _ "${required}"\n`);
  const all: Record<string, string | Buffer> = {
    'go.mod': mod,
    ...(Object.keys(files).some((file) => /^[^/]+\.go$/.test(file))
      ? {}
      : {
          'module.go': `package ${name}\n\n${imports.join('')}\n// Version is this module's own.\nconst Version = "${version}"\n`,
        }),
    ...files,
  };
  const named = Object.fromEntries(
    Object.entries(all).map(([file, content]) => [`${path}@${version}/${file}`, Buffer.from(content)]),
  );
  const zip = await zipOf(named);
  const hashes = Object.entries(named).map(([file, content]) => ({
    name: file,
    sha256: createHash('sha256').update(content).digest(),
  }));
  return {
    path,
    version,
    info: JSON.stringify({ Version: version, Time: time }),
    mod: String(all['go.mod']),
    zip,
    h1: { zip: hash1(hashes), mod: h1OfGoMod(Buffer.from(all['go.mod']!)) },
  };
}
