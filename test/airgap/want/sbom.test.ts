import { describe, expect, test } from 'vitest';
import { parseGoPurl } from '../../../src/airgap/want/purl.ts';
import { parseSbom } from '../../../src/airgap/want/sbom.ts';
import { collect, MadeAnswers } from './made-graph.ts';

function json(value: unknown): string {
  return JSON.stringify(value);
}

describe('a purl', () => {
  test('is decoded once, and says path, version and type', () => {
    const cases: [string, ReturnType<typeof parseGoPurl>][] = [
      ['pkg:golang/m.test/a@v1.0.0', { path: 'm.test/a', version: 'v1.0.0', type: undefined }],
      [
        'pkg:golang/m.test/a/v2@v2.0.0?goos=linux&type=module#sub/x@y',
        { path: 'm.test/a/v2', version: 'v2.0.0', type: 'module' },
      ],
      [
        'pkg:golang/m.test%2Fa@v2.0.0%2Bincompatible?type=module',
        { path: 'm.test/a', version: 'v2.0.0+incompatible', type: 'module' },
      ],
      [
        'pkg:golang/m.test/a@v2.0.0+incompatible',
        { path: 'm.test/a', version: 'v2.0.0+incompatible', type: undefined },
      ],
      ['PKG:golang/m.test/a%2540@v1.0.0', { path: 'm.test/a%40', version: 'v1.0.0', type: undefined }],
      ['pkg:golang/m.test/a', { path: 'm.test/a', version: undefined, type: undefined }],
      ['pkg:golang/m.test/a@', { path: 'm.test/a', version: undefined, type: undefined }],
      ['pkg:npm/a@1.0.0', undefined],
      ['pkg:golang/m.test/%zz@v1.0.0', undefined],
      ['m.test/a@v1.0.0', undefined],
    ];
    for (const [text, purl] of cases) expect(parseGoPurl(text), text).toEqual(purl);
  });
});

describe('CycloneDX', () => {
  test('gives its modules, nested ones too, with the case of the name rather than of the purl', () => {
    const text = json({
      bomFormat: 'CycloneDX',
      metadata: {
        component: { name: 'main.test/app', version: 'v0.0.1', purl: 'pkg:golang/main.test/app@v0.0.1' },
      },
      components: [
        {
          name: 'm.test/Upper',
          version: 'v1.0.0',
          purl: 'pkg:golang/m.test/upper@v1.0.0?type=module',
          components: [{ name: 'm.test/nested', version: 'v1.1.0', purl: 'pkg:golang/m.test/nested@v1.1.0' }],
        },
        {
          group: 'm.test/Group',
          name: 'Name',
          version: 'v1.2.0',
          purl: 'pkg:golang/m.test/group/name@v1.2.0',
        },
        { name: 'another name', purl: 'pkg:golang/m.test/c@v2.0.0%2Bincompatible' },
        { name: 'm.test/c', version: 'v2.0.0+incompatible', purl: 'pkg:golang/m.test/c@v2.0.0' },
      ],
    });
    const { components, skipped } = parseSbom('bom.json', text);
    expect(components.map(({ path, version }) => `${path}@${version}`).sort()).toEqual([
      'm.test/Group/Name@v1.2.0',
      'm.test/Upper@v1.0.0',
      'm.test/c@v2.0.0+incompatible',
      'm.test/nested@v1.1.0',
    ]);
    expect(skipped).toEqual([]);
  });

  test('what is no module version is skipped with its reason, and what is not Go is counted', () => {
    const purl = (text: string) => ({ type: 'library', name: 'x', purl: text });
    const { components, skipped } = parseSbom(
      'bom.json',
      json({
        bomFormat: 'CycloneDX',
        components: [
          purl('pkg:golang/stdlib@1.22.1'),
          purl('pkg:golang/m.test/dev@%28devel%29'),
          purl('pkg:golang/m.test/none'),
          purl('pkg:golang/m.test/bare@1.2.3'),
          purl('pkg:golang/m.test/wrong@v2.0.0'),
          purl('pkg:golang/nodot@v1.0.0'),
          purl('pkg:golang/m.test/..%2F..%2Fetc@v1.0.0'),
          purl('pkg:golang/m.test/a/pkg@v1.0.0?type=package'),
          purl('pkg:npm/left-pad@1.0.0'),
          { type: 'operating-system', name: 'debian' },
          'nonsense',
          null,
        ],
      }),
    );
    expect(components).toEqual([]);
    expect(skipped).toHaveLength(9);
    expect(skipped).toEqual(
      expect.arrayContaining([
        { what: '"stdlib@1.22.1"', why: 'the standard library comes with Go itself' },
        { what: '"m.test/dev@(devel)"', why: 'it was built from a working directory, and has no version' },
        { what: '"m.test/none"', why: 'it has no version' },
        {
          what: '"m.test/bare@1.2.3"',
          why: 'its version is neither a Go version such as v1.2.3 nor a commit',
        },
        {
          what: '"m.test/wrong@v2.0.0"',
          why: 'its version is neither a Go version such as v1.2.3 nor a commit',
        },
        { what: '"nodot@v1.0.0"', why: '"nodot" is not a module path: its first element has no dot' },
        { what: '"m.test/../../etc@v1.0.0"', why: expect.stringContaining('is not a module path') },
        { what: '2 components of bom.json other than Go modules', why: 'a bundle holds Go modules only' },
        { what: '1 components of bom.json that are Go packages or programs', why: 'their modules count' },
      ]),
    );
  });
});

describe('SPDX', () => {
  test('2.x JSON gives its modules', () => {
    const text = json({
      spdxVersion: 'SPDX-2.3',
      packages: [
        {
          name: 'm.test/Upper',
          versionInfo: 'v1.0.0',
          externalRefs: [
            { referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a:m:upper' },
            { referenceType: 'purl', referenceLocator: 'pkg:golang/m.test/upper@v1.0.0' },
          ],
        },
        {
          name: 'b',
          versionInfo: 'NOASSERTION',
          externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:golang/m.test/b@v1.1.0' }],
        },
        { name: 'nothing' },
      ],
    });
    const { components, skipped } = parseSbom('s.json', text);
    expect(components).toEqual([
      { path: 'm.test/Upper', version: 'v1.0.0' },
      { path: 'm.test/b', version: 'v1.1.0' },
    ]);
    expect(skipped).toEqual([
      { what: '1 components of s.json other than Go modules', why: expect.any(String) },
    ]);
  });

  test('tag-value gives its modules', async () => {
    const text = [
      'SPDXVersion: SPDX-2.3',
      'ExternalRef: PACKAGE-MANAGER purl pkg:golang/m.test/stray@v1.0.0',
      'PackageName: m.test/Upper',
      'PackageVersion: v1.0.0',
      'ExternalRef: PACKAGE-MANAGER purl pkg:golang/m.test/upper@v1.0.0\r',
      'PackageName: b',
      'ExternalRef: PACKAGE_MANAGER purl pkg:golang/m.test/b@0123456789ab',
      '',
    ].join('\n');
    const answers = new MadeAnswers({}, { 'm.test/b@0123456789ab': 'v0.0.0-20240102030405-0123456789ab' });
    const set = await collect({ 'x.spdx': text }, ['x.spdx'], answers);
    expect(set.wanted).toEqual([
      { path: 'm.test/Upper', version: 'v1.0.0', zip: true },
      { path: 'm.test/b', version: 'v0.0.0-20240102030405-0123456789ab', zip: true },
    ]);
    expect(set.queries).toEqual([
      { path: 'm.test/b', query: '0123456789ab', version: 'v0.0.0-20240102030405-0123456789ab' },
    ]);
  });

  test('3 and other forms are refused with what to do', () => {
    const cases: [string, RegExp][] = [
      [
        json({ '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld', '@graph': [] }),
        /SPDX 2\.3 or CycloneDX/,
      ],
      [json({ hello: 1 }), /neither a CycloneDX nor/],
      ['[1]', /not JSON: have it written/],
      ['<bom/>', /not JSON: have it written/],
      ['{', /not JSON: have it written/],
    ];
    for (const [text, message] of cases) {
      expect(() => parseSbom('s.json', text), text).toThrow(
        expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(message) }),
      );
    }
  });
});
