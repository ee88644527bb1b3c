import { parse as parseToml, TomlError } from 'smol-toml';
import { Compile } from 'typebox/compile';
import { GokeepError } from '../errors.ts';
import { nearest } from './nearest.ts';
import { DURATION_PATTERN, RETIRED_KEYS, Settings } from './schema.ts';

const compiled = Compile(Settings);

interface SchemaNode {
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  anyOf?: { const?: unknown }[];
  pattern?: string;
}

/** What the schema says of the value at a JSON pointer of the document. */
function nodeAt(pointer: string): SchemaNode | undefined {
  const root: unknown = Settings;
  let node = root as SchemaNode | undefined;
  for (const part of pointer.split('/').slice(1)) {
    node = /^[0-9]+$/.test(part) ? node?.items : node?.properties?.[part];
  }
  return node;
}

/** Why a value is refused, in words of the file rather than of its schema. */
function complaint(pointer: string, problem: { keyword: string; message: string }): string {
  const node = nodeAt(pointer);
  if (problem.keyword === 'minLength') return 'must not be empty';
  if (node?.anyOf !== undefined) {
    return `must be one of ${node.anyOf.map((choice) => JSON.stringify(choice.const)).join(', ')}`;
  }
  if (problem.keyword === 'pattern') {
    return node?.pattern === DURATION_PATTERN
      ? 'must be a number with a unit (ms, s, m, h), such as "30s"'
      : 'must be a number with a unit (B, kB, MB, GB, KiB, MiB, GiB), such as "64MiB"';
  }
  return problem.message;
}

/** `/upstream/0/proxy` → `upstream.proxy` for a single table, `upstream[0].proxy` for an array of them. */
function keyPath(pointer: string, singleUpstream: boolean): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part, at, all) => {
      if (!/^[0-9]+$/.test(part)) return at === 0 ? part : `.${part}`;
      return singleUpstream && all[0] === 'upstream' && at === 1 ? '' : `[${part}]`;
    })
    .join('');
}

function refuse(file: string, sentence: string, cause?: unknown): never {
  throw new GokeepError('bad_config', `${file}: ${sentence}`, { cause });
}

/**
 * Reads the text of a configuration file.
 *
 * `[upstream]` is shorthand for a single `[[upstream]]`. Throws bad_config, naming the key's path and, for an
 * unknown key, the nearest known one.
 */
export function parseSettings(
  text: string,
  file: string,
  retiredKeys: Readonly<Record<string, string>> = RETIRED_KEYS,
): Settings {
  let document: Record<string, unknown>;
  try {
    document = parseToml(text);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    const where = error instanceof TomlError ? `line ${error.line}: ` : '';
    refuse(file, `${where}not readable as TOML: ${reason.replace('Invalid TOML document: ', '')}`, error);
  }
  const { upstream } = document;
  const singleUpstream = upstream !== undefined && !Array.isArray(upstream);
  if (singleUpstream) document['upstream'] = [upstream];
  if (document['version'] === undefined) refuse(file, 'the file begins with the line `version = 1`');
  if (document['version'] !== 1) {
    refuse(
      file,
      `version = ${JSON.stringify(document['version'])} is not one this program reads; it reads version = 1`,
    );
  }
  for (const problem of compiled.Errors(document)) {
    const pointer = problem.instancePath;
    if (problem.keyword === 'additionalProperties') {
      for (const name of problem.params.additionalProperties) {
        const path = keyPath(`${pointer}/${name}`, singleUpstream);
        const retired = Object.hasOwn(retiredKeys, path) ? retiredKeys[path] : undefined;
        if (retired !== undefined) refuse(file, `${path} is no longer read: ${retired}`);
        const meant = nearest(name, Object.keys(nodeAt(pointer)?.properties ?? {}));
        const hint =
          meant === undefined ? '' : `; did you mean ${keyPath(`${pointer}/${meant}`, singleUpstream)}?`;
        refuse(file, `unknown key ${path}${hint}`);
      }
    }
    if (problem.keyword === 'boolean') continue; // reported by its table's additionalProperties
    refuse(file, `${keyPath(pointer, singleUpstream) || 'the file'} ${complaint(pointer, problem)}`);
  }
  return document as unknown as Settings;
}
