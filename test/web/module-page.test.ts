import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { MadeAccess } from '../access/made-access.ts';
import type { MadeVersion } from './made-catalogue.ts';
import { MadeSite, NOW, recordOf } from './made-site.ts';

const EVIL = `<script>alert(1)</script>"'\u202e`;
const SHOWN = '&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;[U+202E]';
const P = 'example.test/Team/m';
const GO_MOD = `// Deprecated: use ${EVIL}\nmodule ${P}\n\nretract [v1.1.0, v1.1.9] // ${EVIL}\n`;

const versions: MadeVersion[] = [
  ...['v1.0.0', 'v1.1.5', 'v1.2.0', 'v1.3.0'].map((version) => ({
    path: P,
    version,
    time: NOW - 86_400_000,
    synopsis: EVIL,
    readme: 'README.md',
    licence: EVIL,
    packages: [{ importPath: `${P}/${EVIL}`, name: EVIL, synopsis: EVIL }],
    requires: [{ path: `example.test/${EVIL}`, version: EVIL, indirect: false }],
    files: {
      'go.mod': GO_MOD,
      'README.md': EVIL,
      [`a/${EVIL}.go`]: `package a\n// ${EVIL}\n`,
      bin: '\0\x01',
    },
  })),
  {
    path: 'example.test/user',
    version: 'v1.0.0',
    requires: [{ path: P, version: 'v1.2.0', indirect: false }],
  },
  {
    path: 'private.test/user',
    version: 'v1.0.0',
    requires: [{ path: P, version: 'v1.2.0', indirect: false }],
  },
  { path: 'private.test/held', version: 'v1.0.0', files: { 'secret.go': 'package secret\n' } },
  {
    path: 'example.test/long',
    version: 'v1.0.0',
    time: 1e300,
    readme: 'README',
    packages: Array.from({ length: 500 }, (_, n) => ({
      importPath: `example.test/long/${'p'.repeat(900)}${n}`,
      name: 'p',
      synopsis: 's'.repeat(5000),
    })),
    requires: Array.from({ length: 500 }, (_, n) => ({
      path: `example.test/${'<'.repeat(800)}${n}`,
      version: 'v1.0.0',
      indirect: true,
    })),
    files: {
      README: '<'.repeat(10_000_000),
      'one-line.go': `a${'"'.repeat(3_000_000)}`,
      'lines.go': 'x\n'.repeat(100_000),
      ...Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`${'"'.repeat(1000)}${n}`, ''])),
    },
  },
];

const access = new MadeAccess();
const other = { authorization: `Bearer ${access.add('other', { read: ['private.test/other'] })}` };
const all = { authorization: `Bearer ${access.add('all', { read: ['*'] })}` };
const yanks = { [P]: [{ version: 'v1.2.0', yankedAt: NOW - 1000, reason: EVIL }] };
const identity = { kind: 'identity', issuer: EVIL, subject: EVIL } as const;
const signatures = {
  required: true,
  signed: false,
  signatures: [
    {
      id: '1',
      kind: 'attestation',
      signer: identity,
      predicateType: EVIL,
      sha256: '',
      verifiedAt: NOW,
      trusted: false,
      bundle: '{}',
    },
  ],
} as const;

let open: MadeSite;
let guarded: MadeSite;

beforeAll(async () => {
  const records = [recordOf('example.test/record-only', 'v1.0.0', 'computed')];
  open = await MadeSite.start({ versions, yanks, signatures, records });
  guarded = await MadeSite.start({ versions, gate: gateOf(access.authenticator, false) });
  open.noteIncident(P, 'v1.3.0', EVIL, `https://${EVIL}`);
});

afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
});

const TABS = ['', '?tab=versions', '?tab=packages', '?tab=dependencies', '?tab=files', '?tab=record'];

describe('the page of a module', () => {
  it('is of the newest version that is neither yanked nor retracted, or of the one asked for', async () => {
    expect((await open.page(`/ui/mod/${P}`)).text).toContain('<span class="version">v1.3.0</span>');
    const { text } = await open.page(`/ui/mod/${P}@v1.0.0`);
    expect(text).toContain('<span class="version">v1.0.0</span>');
    expect(text).toContain(`This is not the newest version held here: <a href="/ui/mod/${P}@v1.3.0">`);
  });

  it('says what was yanked, retracted and deprecated, and why', async () => {
    const yanked = (await open.page(`/ui/mod/${P}@v1.2.0`)).text;
    expect(yanked).toMatch(
      /<p class="alert">Yanked here <time .*<\/time>\n<span class="quiet">just now<\/span>: &lt;script/,
    );
    const { text } = await open.page(`/ui/mod/${P}@v1.1.5`);
    expect(text).toContain(`Retracted by its authors: ${SHOWN}`);
    expect(text).toContain(`Deprecated: use ${SHOWN}`);
    expect((await open.page(`/ui/mod/${P}@v1.0.0`)).text).not.toContain('Retracted');
  });

  it('shows record, provenance, signatures and incidents', async () => {
    const { text } = await open.page(`/ui/mod/${P}@v1.3.0?tab=record`);
    const { zip, mod } = recordOf(P, 'v1.3.0');
    for (const said of [zip, mod, 'proven by sum.golang.org', 'Record 3', 'a signature is demanded'])
      expect(text.toLowerCase()).toContain(said.toLowerCase());
    expect(text).toContain(`From</dt><dd>https://${SHOWN}`);
  });

  it('tells of a version that is only on record', async () => {
    const { status, text } = await open.page('/ui/mod/example.test/record-only@v1.0.0?tab=record');
    expect(status).toBe(200);
    expect(text).toContain('its zip is not held here');
    expect(text).toContain('computed here at first sight');
    expect((await open.page('/ui/mod/example.test/record-only')).status).toBe(404);
    // A path with a capital is another module.
    expect((await open.page('/ui/mod/example.test/none')).text).toContain(
      '<p>example.test/none is not held here',
    );
  });

  it('writes whatever comes out of a zip as text', async () => {
    const targets = [
      ...TABS.map((tab) => `/ui/mod/${P}@v1.2.0${tab}`),
      `/ui/src/${P}@v1.2.0/a/${encodeURIComponent(EVIL)}.go`,
    ];
    for (const target of targets) {
      const { status, text } = await open.page(target);
      expect([target, status]).toEqual([target, 200]);
      expect(text).not.toContain('<script>');
      expect(text).not.toContain('\u202e');
      expect(text).toContain('[U+202E]');
    }
  });

  it('names dependents that its reader may read only', async () => {
    const target = `/ui/mod/${P}?tab=dependencies`;
    expect((await open.page(target)).text).toContain('private.test/user');
    const { text } = await guarded.page(target, other);
    expect(text).toContain('example.test/user');
    expect(text).not.toContain('private.test/user');
  });

  it('has less than 50 kB, whatever the module holds', async () => {
    const targets = [
      ...TABS.map((tab) => `/ui/mod/example.test/long${tab}`),
      ...['README', 'one-line.go', 'lines.go'].map((name) => `/ui/src/example.test/long@v1.0.0/${name}`),
    ];
    for (const target of targets) {
      const started = performance.now();
      const { status, text } = await open.page(target);
      expect([target, status]).toEqual([target, 200]);
      expect(Buffer.byteLength(text), target).toBeLessThan(50_000);
      expect(performance.now() - started, target).toBeLessThan(2_000);
    }
  });

  it('leads through all of a long list', async () => {
    let target: string | undefined = '/ui/mod/example.test/long?tab=files';
    let rows = 0;
    for (let pages = 0; target !== undefined && pages < 1000; pages++) {
      const { text } = await open.page(target);
      rows += text.match(/<tr><th scope="row"/g)?.length ?? 0;
      target = /rel="next" href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
    }
    expect(rows).toBe(303);
  });
});

it('a go.mod of any size and with any number of retractions costs little', async () => {
  const retract = Array.from({ length: 9000 }, (_, n) => `retract v0.0.${n + 9000}\n`).join('');
  const many = Array.from({ length: 5000 }, (_, n) => ({
    path: 'example.test/many',
    version: `v0.0.${n}`,
    files: n === 4999 ? { 'go.mod': `module example.test/many\n${retract}` } : {},
  }));
  await using site = await MadeSite.start({ versions: many });
  const started = performance.now();
  expect((await site.page('/ui/mod/example.test/many?tab=versions')).status).toBe(200);
  expect(performance.now() - started).toBeLessThan(5_000);
});

describe('the source view', () => {
  it('numbers lines, which can be linked to', async () => {
    const { text } = await open.page(`/ui/src/${P}@v1.2.0/go.mod`);
    expect(text).toContain('<span class="l" id="L2"><a href="#L2">2</a>module example.test/Team/m\n');
  });

  it('goes on where a page ends, and shows no binary file', async () => {
    const { text } = await open.page('/ui/src/example.test/long@v1.0.0/lines.go?line=99990');
    expect(text).toContain('id="L100000"');
    expect(text).not.toContain('id="L99989"');
    expect((await open.page(`/ui/src/${P}@v1.2.0/bin`)).text).toContain('This is no text');
  });

  it('finds files of the zip by their whole name, and nothing else', async () => {
    for (const name of ['..%2f..%2fgo.mod', 'go.mod/', '', 'GO.MOD', '%00', 'a', '__proto__', 'constructor'])
      expect([name, (await open.page(`/ui/src/${P}@v1.2.0/${name}`)).status]).toEqual([name, 404]);
  });
});

describe('without the right', () => {
  const pages = (path: string) => [
    ...TABS.map((tab) => `/ui/mod/${path}${tab}`),
    `/ui/mod/${path}@v1.0.0`,
    `/ui/src/${path}@v1.0.0/secret.go`,
    `/ui/lookup/${path}@v1.0.0`,
  ];

  it('what exists and what does not are the same', async () => {
    for (const [headers, expected] of [
      [{}, 401],
      [other, 403],
    ] as const) {
      const bare = async (target: string) => {
        const { status, text } = await guarded.page(target, headers);
        return { status, text: text.replaceAll(/held|none/g, 'X') };
      };
      for (const [at, target] of pages('private.test/held').entries()) {
        const answer = await bare(target);
        expect([target, answer.status]).toEqual([target, expected]);
        expect(answer).toEqual(await bare(pages('private.test/none')[at]!));
        expect(answer.text).not.toContain('secret\n');
      }
    }
  });

  it('nothing is looked up', async () => {
    const found: string[] = [];
    const watched = new Proxy(
      {},
      {
        get:
          (_, name) =>
          (...a: unknown[]) =>
            found.push(`${String(name)} ${String(a[0])}`),
      },
    );
    await using site = await MadeSite.start({
      gate: gateOf(access.authenticator, false),
      parts: {
        catalogue: watched as never,
        zips: watched as never,
        hosted: watched as never,
        signing: watched as never,
      },
    });
    for (const target of pages('private.test/held')) await site.page(target, other);
    expect(found).toEqual([]);
  });

  it('nobody who has it is refused', async () => {
    for (const target of pages('private.test/held'))
      expect((await guarded.page(target, all)).status).toBe(200);
    expect((await guarded.page('/ui/mod/private.test/none', all)).status).toBe(404);
  });
});

it('addresses that name no module are 404', async () => {
  const wrong = [
    '',
    'example',
    'example.test/m@',
    'example.test/m@latest',
    'example.test/m@v1',
    '%ff',
    'example.test/m@v1.0.0@v2',
    'a.test/<',
    'é.test/x',
    'x'.repeat(5000),
  ];
  for (const rest of wrong)
    for (const kind of ['mod', 'src', 'lookup']) {
      const { status } = await open.page(`/ui/${kind}/${rest}`);
      expect([kind, rest, [400, 404].includes(status)]).toEqual([kind, rest, true]);
    }
});
