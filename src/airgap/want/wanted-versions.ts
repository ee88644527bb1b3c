import { GokeepError } from '../../errors.ts';
import { compare } from '../../module/semver.ts';
import type { Wanted } from './wanted.ts';

interface Entry {
  readonly path: string;
  readonly version: string;
  zip: boolean;
}

interface Said {
  readonly h1: string;
  /** The go.sum that says it. */
  readonly by: string;
}

/** The module versions wanted so far, and what go.sum files say about them. */
export class WantedVersions {
  readonly #entries = new Map<string, Entry>();
  readonly #zip = new Map<string, Said>();
  readonly #mod = new Map<string, Said>();

  /** The path and the version must have been checked. */
  add(path: string, version: string, zip: boolean): void {
    const key = `${path}@${version}`;
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, { path, version, zip });
    else if (zip) entry.zip = true;
  }

  addAll(others: WantedVersions): void {
    for (const { path, version, zip } of others.#entries.values()) this.add(path, version, zip);
  }

  /**
   * Remembers a hash from a go.sum.
   *
   * @param by what to call that file
   * @throws mismatch when another line says otherwise
   */
  expect(path: string, version: string, file: 'zip' | 'mod', h1: string, by: string): void {
    const key = `${path}@${version}`;
    const said = file === 'zip' ? this.#zip : this.#mod;
    const before = said.get(key);
    if (before === undefined) said.set(key, { h1, by });
    else if (before.h1 !== h1) {
      const what = file === 'zip' ? key : `the go.mod of ${key}`;
      const where =
        before.by === by ? `${by} has two hashes` : `${before.by} and ${by} have different hashes`;
      throw new GokeepError(
        'mismatch',
        `${where} for ${what}, ${before.h1} and ${h1}: find out which is right before anything is bundled.`,
      );
    }
  }

  sorted(): Wanted[] {
    return [...this.#entries]
      .map(([key, entry]) => this.#wanted(key, entry))
      .sort(
        (a, b) =>
          compareText(a.path, b.path) || compare(a.version, b.version) || compareText(a.version, b.version),
      );
  }

  #wanted(key: string, { path, version, zip }: Entry): Wanted {
    const expectedZip = this.#zip.get(key)?.h1;
    const expectedMod = this.#mod.get(key)?.h1;
    const wanted = { path, version, zip };
    if (expectedZip === undefined && expectedMod === undefined) return wanted;
    return {
      ...wanted,
      expected: {
        ...(expectedZip === undefined ? {} : { zip: expectedZip }),
        ...(expectedMod === undefined ? {} : { mod: expectedMod }),
      },
    };
  }
}

/** By UTF-16 code unit, as every machine sorts it. */
export function compareText(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
