/**
 * Go modules out of a software bill of materials: CycloneDX JSON (https://cyclonedx.org/docs), SPDX 2 JSON and SPDX 2
 * tag-value (https://spdx.github.io/spdx-spec). Its producer's word on names and versions is checked here.
 */

import { GokeepError } from '../../errors.ts';
import { checkPath } from '../../module/path.ts';
import { quote } from '../../module/quote.ts';
import { isCanonicalVersion } from '../../module/version.ts';
import type { SbomInput } from './input.ts';
import { type GoPurl, parseGoPurl } from './purl.ts';
import type { Skipped } from './wanted.ts';

/** What one component says about itself. */
interface Component {
  readonly purls: readonly string[];
  /** Its name in the ways in which it may be meant. */
  readonly names: readonly string[];
  readonly version: string | undefined;
}

/** True for text that is an SBOM rather than a list. */
export function looksLikeSbom(text: string): boolean {
  return /^\s*[{<[]/.test(text) || /^SPDXVersion:/m.test(text);
}

/**
 * Reads an SBOM.
 *
 * @param name of the file, as the person would name it
 * @throws bad_request when it is in no form that is read here
 */
export function parseSbom(name: string, text: string): SbomInput {
  const modules = new Modules();
  for (const component of /^\s*[{<[]/.test(text) ? jsonComponents(name, text) : tagValueComponents(text)) {
    modules.add(component);
  }
  return { kind: 'sbom', name, components: modules.components(), skipped: modules.skipped(name) };
}

class Modules {
  readonly #components = new Map<string, { path: string; version: string }>();
  readonly #skipped = new Map<string, Skipped>();
  #notGo = 0;
  #packages = 0;

  add(component: Component): void {
    const purl = component.purls.map(parseGoPurl).find((found) => found !== undefined);
    if (purl === undefined) this.#notGo++;
    else if (purl.type !== undefined && purl.type !== 'module') this.#packages++;
    else this.#addModule(purl, component);
  }

  components(): { path: string; version: string }[] {
    return [...this.#components.values()];
  }

  skipped(name: string): Skipped[] {
    const counted: [number, string, string][] = [
      [this.#notGo, 'other than Go modules', 'a bundle holds Go modules only'],
      [this.#packages, 'that are Go packages or programs', 'their modules count'],
    ];
    return [
      ...this.#skipped.values(),
      ...counted
        .filter(([count]) => count > 0)
        .map(([count, what, why]) => ({ what: `${count} components of ${name} ${what}`, why })),
    ];
  }

  #addModule(purl: GoPurl, component: Component): void {
    // Purls are written in lower case by some tools, and module paths are not to be.
    const path = component.names.find((name) => name.toLowerCase() === purl.path.toLowerCase()) ?? purl.path;
    const version = component.version ?? purl.version;
    const why = componentProblem(path, version);
    const what = version === undefined ? quote(path) : quote(`${path}@${version}`);
    if (why !== undefined) this.#skipped.set(what, { what, why });
    else if (version !== undefined) this.#components.set(what, { path, version });
  }
}

function componentProblem(path: string, version: string | undefined): string | undefined {
  if (path === 'std' || path === 'stdlib') return 'the standard library comes with Go itself';
  if (version === undefined) return 'it has no version';
  if (version === '(devel)') return 'it was built from a working directory, and has no version';
  try {
    checkPath(path);
  } catch (error) {
    if (error instanceof GokeepError) return error.message.replace(/\.$/, '');
    throw error;
  }
  if (isCanonicalVersion(path, version) || /^[0-9a-f]{7,64}$/.test(version)) return undefined;
  return 'its version is neither a Go version such as v1.2.3 nor a commit';
}

function* jsonComponents(name: string, text: string): Generator<Component, void, undefined> {
  const bill = parseJson(name, text);
  if (bill['bomFormat'] === 'CycloneDX') yield* cycloneDx(bill);
  else if (typeof bill['spdxVersion'] === 'string') yield* spdx(bill);
  else {
    const isSpdx3 = '@graph' in bill || '@context' in bill;
    throw new GokeepError(
      'bad_request',
      isSpdx3
        ? `${name} seems to be SPDX 3, which is not read: have it written as SPDX 2.3 or CycloneDX JSON.`
        : `${name} is JSON, but neither a CycloneDX nor an SPDX 2 bill of materials.`,
    );
  }
}

function* cycloneDx(bill: Json): Generator<Component, void, undefined> {
  const waiting = objects(bill['components']);
  for (let component = waiting.pop(); component !== undefined; component = waiting.pop()) {
    waiting.push(...objects(component['components']));
    const [group, name, version, purl] = ['group', 'name', 'version', 'purl'].map((key) =>
      string(component?.[key]),
    );
    yield {
      purls: purl === undefined ? [] : [purl],
      names: name === undefined ? [] : group === undefined ? [name] : [`${group}/${name}`, name],
      version,
    };
  }
}

function* spdx(bill: Json): Generator<Component, void, undefined> {
  for (const item of objects(bill['packages'])) {
    const name = string(item['name']);
    yield {
      purls: objects(item['externalRefs'])
        .map((reference) => string(reference['referenceLocator']))
        .filter((locator) => locator?.startsWith('pkg:') === true) as string[],
      names: name === undefined ? [] : [name],
      version: spdxVersion(string(item['versionInfo'])),
    };
  }
}

function* tagValueComponents(text: string): Generator<Component, void, undefined> {
  let component: { purls: string[]; names: string[]; version: string | undefined } | undefined;
  for (const line of text.split('\n')) {
    const [, tag, value = ''] = /^([A-Za-z]+):[ \t]*(.*)$/.exec(line.trimEnd()) ?? [];
    if (tag === 'PackageName') {
      if (component !== undefined) yield component;
      component = { purls: [], names: [value], version: undefined };
    } else if (tag === 'PackageVersion' && component !== undefined) component.version = spdxVersion(value);
    else if (tag === 'ExternalRef') {
      const purl = /^PACKAGE[-_]MANAGER\s+purl\s+(\S+)$/.exec(value)?.[1];
      if (purl !== undefined) component?.purls.push(purl);
    }
  }
  if (component !== undefined) yield component;
}

function spdxVersion(version: string | undefined): string | undefined {
  return version === 'NOASSERTION' || version === 'NONE' ? undefined : version;
}

type Json = Readonly<Record<string, unknown>>;

function parseJson(name: string, text: string): Json {
  const problem = `${name} begins like a bill of materials, but is not JSON: have it written as CycloneDX JSON, SPDX 2 JSON or SPDX tag-value.`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new GokeepError('bad_request', problem, { cause: error });
  }
  const [object] = objects([value]);
  if (object === undefined) throw new GokeepError('bad_request', problem);
  return object;
}

/** The objects in what should be an array of them. */
function objects(value: unknown): Json[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item) => typeof item === 'object' && item !== null && !Array.isArray(item)) as Json[];
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
