import type { ModuleVulnerabilities } from '../../src/catalogue/known-vulnerabilities.ts';
import { NOW } from './made-site.ts';

/** What a database says of a module, one with long names in it. */
export const KNOWN: ModuleVulnerabilities = {
  kind: 'known',
  modified: NOW - 86_400_000,
  whole: true,
  vulnerabilities: [
    {
      id: 'GO-2026-4321',
      aliases: ['CVE-2026-12345', 'GHSA-abcd-efgh-ijkl'],
      summary: 'Panic on deeply nested tables in example.test/team/toml',
      details:
        'A document with many nested tables exhausts the stack.\n\nWho parses documents of others should update, or limit their size before.',
      published: NOW - 9e8,
      modified: NOW - 2e8,
      withdrawn: undefined,
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.9.0' }] }],
      packages: [
        { importPath: 'example.test/team/toml', symbols: ['Decode', 'Decoder.Decode', 'Unmarshal'] },
        { importPath: `example.test/team/toml/${'long-'.repeat(20)}name`, symbols: ['S'.repeat(200)] },
      ],
      references: ['https://example.test/issues/42', `https://example.test/${'x'.repeat(200)}`],
    },
    {
      id: 'GO-2024-0007',
      aliases: [],
      summary: 'Wrong result for dates before the year 1 in example.test/team/toml',
      details: '',
      published: undefined,
      modified: undefined,
      withdrawn: undefined,
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.1.0' }] }],
      packages: [],
      references: [],
    },
  ],
};
