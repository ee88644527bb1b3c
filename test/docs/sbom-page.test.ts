import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Bill, propertiesOf, propertiesOfBill, type ServedModule } from '../../src/audit/bill.ts';
import { SOURCE_CODES } from '../../src/store/log-records.ts';
import { gokeep } from '../cli/program.ts';

const read = (name: string) => readFileSync(path.join(import.meta.dirname, '../..', name), 'utf8');
const PAGE = read('docs/sbom.md');

const module: ServedModule = {
  record: { id: 0, path: 'example.test/m', version: 'v1.0.0', zip: 'h1:a', mod: 'h1:b' },
  provenance: { source: 'proven', firstSeen: 0, evidence: undefined },
  isPrivate: false,
  lastServed: 0,
  to: [{ id: 'a', name: 'token:a', first: 0, last: 0 }],
  sha256: undefined,
  licence: undefined,
};
const bill: Bill = {
  log: 'l',
  head: { size: 1, root: 'r' },
  since: 0,
  to: 'token:a',
  at: 0,
  version: '0',
  modules: [module],
};

describe('the page on bills of materials', () => {
  it('names every property that is written, and no other', () => {
    const written = [...propertiesOf(module, 'l'), ...propertiesOfBill(bill)].map(([name]) => name);
    const named = PAGE.match(/gokeep:[a-z0-9:.]+/g);
    expect(new Set(named)).toEqual(new Set(written));
  });

  it('names every source of a record', () => {
    for (const source of Object.keys(SOURCE_CODES)) expect(PAGE).toContain(`\`${source}\``);
  });

  it('names every licence that is known', () => {
    const ids = [...read('src/audit/licence.ts').matchAll(/^ {2}'[0-9a-f]{64}': '(.+)',$/gm)].map(
      ([, id]) => id!,
    );
    expect(ids.length).toBeGreaterThan(5);
    const [sentence = ''] = /^- \*\*Licences\*\*[^]*?\. /m.exec(PAGE) ?? [];
    for (const id of ids) expect(sentence).toContain(id);
  });

  it('types commands of ours, with options that they have', async () => {
    for (const [, command, rest] of PAGE.matchAll(/npx gokeep ([a-z]+(?: prove)?)([^\n`]*)/g)) {
      const { code, stdout } = await gokeep([...command!.split(' '), '--help']);
      expect(code).toBe(0);
      for (const option of rest!.match(/--[a-z]+/g) ?? []) expect(stdout).toContain(option);
    }
  });
});
