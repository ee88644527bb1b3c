import { expect, it } from 'vitest';
import { unescapePath, unescapeVersion } from '../../src/module/escape.ts';
import { checkPath, filePathProblem } from '../../src/module/path.ts';
import { isValid } from '../../src/module/semver.ts';
import { canonicalVersion, checkModuleVersion, isPseudoVersion } from '../../src/module/version.ts';
import { accepts, golden, textGenerator } from './golden.ts';

interface FuzzVector {
  function: string;
  seed: number;
  count: number;
  /** The most fragments in one text. */
  most: number;
  fragments: string[];
  versions?: string[];
  accepted: number;
  /** One bit for each text, lowest first, in base64. */
  verdicts: string;
}

const judges: Record<string, (text: string, version: string) => boolean> = {
  checkPath: (text) => accepts(() => checkPath(text)),
  checkFilePath: (text) => filePathProblem(text) === undefined,
  unescapePath: (text) => accepts(() => unescapePath(text)),
  isValid,
  isPseudoVersion,
  unescapeVersion: (text) => accepts(() => unescapeVersion(text)),
  checkModuleVersion: (text, version) => accepts(() => checkModuleVersion(text, version)),
  isCanonical: (text) => text !== '' && canonicalVersion(text) === text,
};

it.each(golden('fuzz.json') as FuzzVector[])(
  '$function agrees with Go on $count generated texts',
  (vector) => {
    const judge = judges[vector.function]!;
    const text = textGenerator(vector.seed);
    const verdicts = Buffer.from(vector.verdicts, 'base64');
    const wrong: string[][] = [];
    let accepted = 0;
    for (let i = 0; i < vector.count; i++) {
      const first = text(vector.fragments, vector.most);
      const second = vector.versions === undefined ? '' : text(vector.versions, vector.most);
      const verdict = (verdicts[Math.floor(i / 8)]! & (1 << (i % 8))) !== 0;
      if (verdict) accepted++;
      if (judge(first, second) !== verdict) wrong.push([first, second, verdict ? 'accepted' : 'refused']);
    }
    expect(wrong).toEqual([]);
    expect(accepted).toBe(vector.accepted);
  },
);
