import { describe, expect, it } from 'vitest';
import { setupFiles, targetNamed } from '../../../src/client/setup/targets.ts';
import { PLAIN, SETTINGS } from './made-settings.ts';
import { type Element, parseXml } from './xml.ts';

/**
 * What Microsoft's pages document of these elements, as far as we use them: attributes (`!` required) and children in their order (`?`
 * optional, `*` any number, `+` one or more). Their schema itself is not available here.
 */
const RULES: Readonly<Record<string, { attributes?: string; children?: string }>> = {
  policyDefinitions: {
    attributes: 'xmlns revision! schemaVersion!',
    children: 'policyNamespaces supersededAdm* resources supportedOn? categories? policies?',
  },
  policyNamespaces: { children: 'target using*' },
  target: { attributes: 'prefix! namespace!' },
  using: { attributes: 'prefix! namespace!' },
  'policyDefinitions/resources': { attributes: 'minRequiredRevision! fallbackCulture' },
  categories: { children: 'category*' },
  category: { attributes: 'name! displayName! explainText', children: 'parentCategory?' },
  policies: { children: 'policy*' },
  policy: {
    attributes: 'name! class! displayName! explainText presentation key! valueName',
    children: 'parentCategory supportedOn enabledValue? disabledValue? enabledList? disabledList? elements?',
  },
  parentCategory: { attributes: 'ref!' },
  supportedOn: { attributes: 'ref!' },
  enabledList: { attributes: 'defaultKey', children: 'item+' },
  disabledList: { attributes: 'defaultKey', children: 'item+' },
  item: { attributes: 'key valueName!', children: 'value' },
  value: { children: 'delete? decimal? string?' },
  delete: {},
  string: { attributes: 'id' },
  elements: { children: 'text+' },
  text: { attributes: 'id! valueName! required maxLength expandable key' },
  policyDefinitionResources: {
    attributes: 'xmlns revision! schemaVersion!',
    children: 'displayName description resources',
  },
  displayName: {},
  description: {},
  'policyDefinitionResources/resources': { children: 'stringTable? presentationTable?' },
  stringTable: { children: 'string*' },
  presentationTable: { children: 'presentation*' },
  presentation: { attributes: 'id!', children: 'textBox*' },
  textBox: { attributes: 'refId!', children: 'label defaultValue?' },
  label: {},
  defaultValue: {},
};

/** Everything in a document that its rules do not allow. */
function violations(element: Element, parent = ''): string[] {
  const rule = RULES[`${parent}/${element.name}`] ?? RULES[element.name];
  if (rule === undefined) return [`<${element.name}> is unknown`];
  const allowed = (rule.attributes ?? '').split(' ').filter((name) => name !== '');
  const has = Object.keys(element.attributes);
  const order = (rule.children ?? '')
    .split(' ')
    .map((child) => /^(\w+)([?*+]?)$/.exec(child))
    .map((match) => (match === null ? '' : `(?:${match[1]!} )${match[2]!}`))
    .join('');
  const children = element.children.map(({ name }) => `${name} `).join('');
  return [
    ...allowed
      .filter((name) => name.endsWith('!') && !has.includes(name.slice(0, -1)))
      .map((name) => `<${element.name}> has no ${name.slice(0, -1)}`),
    ...has
      .filter((name) => !allowed.includes(name) && !allowed.includes(`${name}!`))
      .map((name) => `<${element.name}> has ${name}`),
    ...(new RegExp(`^${order}$`).test(children) ? [] : [`<${element.name}> holds ${children}`]),
    ...element.children.flatMap((child) => violations(child, element.name)),
  ];
}

const all = (element: Element, name: string): Element[] => [
  ...(element.name === name ? [element] : []),
  ...element.children.flatMap((child) => all(child, name)),
];

const texts = setupFiles(targetNamed('gpo'), SETTINGS[0]![1]).map(({ text }) => text);
const [ADMX = '', ADML = '', PREFERENCES = ''] = texts;
const admx = parseXml(ADMX);
const adml = parseXml(ADML);

describe('the group policy', () => {
  it('is of elements, attributes and an order that are documented', () => {
    expect(violations(admx)).toEqual([]);
    expect(violations(adml)).toEqual([]);
  });

  it.each([
    [
      'a wrong order',
      ADMX.replace(
        /( *<enabledList>[^]*?<\/enabledList>\n)( *<disabledList>[^]*?<\/disabledList>\n)/,
        '$2$1',
      ),
    ],
    [
      'an unknown element',
      ADMX.replaceAll('<elements>', '<element>').replaceAll('</elements>', '</element>'),
    ],
    ['a missing attribute', ADMX.replace(' class="Machine"', '')],
  ])('would be refused with %s', (_, text) => {
    expect(text).not.toBe(ADMX);
    expect(violations(parseXml(text))).not.toEqual([]);
  });

  it.each([
    ['<a><b></a>'],
    ['<a b="&nbsp;"/>'],
    ['<a/><b/>'],
    ['<a b="1" b="2"/>'],
    ['<a>1 < 2</a>'],
    ['<a><!-- -- --></a>'],
  ])('is read by something that refuses %s', (text) => {
    expect(() => parseXml(text)).toThrow();
  });

  it('names strings, presentations and text boxes that are there, and no others', () => {
    const referred = [...ADMX.matchAll(/\$\((string|presentation)\.(\w+)\)/g)].map(
      ([, kind, id]) => `${kind} ${id}`,
    );
    const there = ['string', 'presentation'].flatMap((kind) =>
      all(adml, kind).map(({ attributes }) => `${kind} ${attributes['id']}`),
    );
    expect(new Set(referred)).toEqual(new Set(there));
    const ids = all(admx, 'text').map(({ attributes }) => attributes['id']);
    expect(all(adml, 'textBox').map(({ attributes }) => attributes['refId'])).toEqual(ids);
    expect(new Set(all(admx, 'parentCategory').map(({ attributes }) => attributes['ref']))).toEqual(
      new Set(all(admx, 'category').map(({ attributes }) => attributes['name'])),
    );
  });

  it('writes into the keys of which Windows makes an environment, and into no others', () => {
    const keys = [...all(admx, 'policy'), ...all(admx, 'item')].map(({ attributes }) => attributes['key']);
    expect(new Set(keys)).toEqual(
      new Set(['SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment', 'Environment']),
    );
    for (const { attributes } of all(admx, 'policy'))
      expect(attributes['key'] === 'Environment').toBe(attributes['class'] === 'User');
  });

  it('offers address and key as they are', () => {
    const offered = all(adml, 'defaultValue').map(({ text }) => text);
    expect(offered).toEqual([PLAIN.url, PLAIN.vkey, PLAIN.url, PLAIN.vkey]);
  });

  it('takes back, when disabled, what it sets besides its text boxes, whose values Windows removes then', () => {
    for (const policy of all(admx, 'policy')) {
      const names = (list: string, content: string) =>
        all(policy, list).flatMap(({ children }) =>
          children
            .filter((item) => all(item, content).length > 0)
            .map(({ attributes }) => attributes['valueName']),
        );
      expect(names('enabledList', 'string')).toEqual(['GONOPROXY', 'GONOSUMDB']);
      expect(names('disabledList', 'delete')).toEqual(['GONOPROXY', 'GONOSUMDB']);
      expect(names('enabledList', 'delete')).toEqual(['GOPRIVATE', 'GOINSECURE']);
    }
  });
});

describe('the preferences', () => {
  const root = parseXml(PREFERENCES);

  it('set or delete each variable of the machine once, under the class ids of MS-GPPREF', () => {
    expect(root.attributes['clsid']).toBe('{BF141A63-327B-438a-B9BF-2C188F13B7AD}');
    const set: Record<string, string> = {};
    for (const item of root.children) {
      const [properties] = item.children;
      expect(item.attributes).toMatchObject({
        clsid: '{78570023-8373-4a19-BA80-2F150738EA19}',
        name: properties!.attributes['name'],
        uid: expect.stringMatching(/^\{[0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-A[0-9A-F]{3}-[0-9A-F]{12}\}$/),
      });
      expect(properties!.attributes).toMatchObject({ user: '0', partial: '0' });
      const { action, name, value } = properties!.attributes;
      // What is removed with the policy has to be replaced, and not only updated.
      expect(item.attributes['removePolicy']).toBe(action === 'R' ? '1' : undefined);
      set[name!] = `${action} ${value}`;
    }
    expect(set).toEqual({
      GOPROXY: `R ${PLAIN.url}`,
      GOSUMDB: `R ${PLAIN.vkey}`,
      GONOPROXY: 'R none',
      GONOSUMDB: 'R none',
      GOPRIVATE: 'D ',
      GOINSECURE: 'D ',
    });
    expect(new Set(root.children.map(({ attributes }) => attributes['uid'])).size).toBe(6);
  });
});
