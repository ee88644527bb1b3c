import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { MadeAccess } from '../access/made-access.ts';
import type { MadeVersion } from './made-catalogue.ts';
import { MadeSite } from './made-site.ts';

const P = 'example.test/Team/m';
const EVIL = '<script>alert(1)</script>\u202e"\'';
const many = Array.from(
  { length: 3000 },
  (_, n) => `// F${n} does what [F${(n + 1) % 3000}] does not.\nfunc F${n}(${'a'.repeat(n % 50)}x int) {}\n`,
);
const versions: MadeVersion[] = [
  {
    path: P,
    version: 'v1.0.0',
    requires: [{ path: 'example.test/dep', version: 'v1.1.0', indirect: false }],
    files: {
      'm.go': `// Package m links to [T], [T.Field], [T.Do], [dep.X], [example.test/dep/sub], [private.test/x], [fmt.Println] and ${EVIL}.
//
// # A heading
package m

import (
	"example.test/dep"
	"fmt"
)

const (
	A = 1 // ${EVIL}
	B = "${EVIL.replaceAll('"', '')}"
)

// T is a type.
type T struct {
	Field int
	hidden int
}

// New makes one.
//
// Deprecated: use T{}.
func New() *T { return nil }

func (t *T) Do() { dep.X(); fmt.Println() }
`,
      'internal/i/i.go': 'package i\n\nfunc I() {}\n',
      'cmd/tool/main.go': '// Tool is a program.\npackage main\n\nfunc Main() {}\n',
      'large/l.go': `package large\n\n${many.join('\n')}`,
      'wide/w.go': `package wide\n\n// ${'日本語 '.repeat(20_000)}\ntype W struct {\n${'\t// 日本語\n\tA int\n'.repeat(20_000)}}\n`,
      'fields/f.go': `package fields\n\n// T has [T.Last].\n//\n// And ${many.map((_, n) => `[T.X${n}]`).join(' ')}\ntype T struct {\n${`\tA${'a'.repeat(100)} int\n`.repeat(9_000)}\tB, Last int\n}\n`,
      'broken/b.go': 'package broken\n\nfunc F( {\n\nfunc G() {}\n',
      'none/README': '',
    },
  },
  { path: 'example.test/dep', version: 'v1.1.0' },
  { path: 'private.test/x', version: 'v1.0.0', files: { 'x.go': 'package x\n' } },
];

const access = new MadeAccess();
const some = { authorization: `Bearer ${access.add('some')}` };
let site: MadeSite;
let guarded: MadeSite;
const at = (rest: string) => site.page(`/ui/doc/${P}@v1.0.0${rest}`);

beforeAll(async () => {
  site = await MadeSite.start({ versions });
  guarded = await MadeSite.start({ versions, gate: gateOf(access.authenticator, false) });
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
});

describe('the page of a package', () => {
  it('has an index, its declarations with anchors, and links to their source', async () => {
    const { status, text } = await at('');
    expect(status).toBe(200);
    expect(text).toContain('<h1>Package m <span class="version">v1.0.0</span></h1>');
    expect(text).toContain('<li><a href="#T">type T struct{ ... }</a></li>');
    expect(text).toContain(
      '<li class="below"><a href="#New">func New() *T</a> <span class="tag warn">deprecated</span></li>',
    );
    expect(text).toContain('<li class="below"><a href="#T.Do">func (t *T) Do()</a></li>');
    for (const id of ['A', 'B', 'T', 'New', 'T.Do']) expect(text.split(`id="${id}"`)).toHaveLength(2);
    expect(text).toContain(`/ui/src/${P}@v1.0.0/m.go?line=14#L17`);
    expect(text).toContain('// Has unexported fields.');
    expect(text).not.toContain('hidden int');
    expect(text).toContain('<h3>A heading</h3>');
  });

  it('links names to where they are: here, in another module that is held, or nowhere', async () => {
    const { text } = await at('');
    expect(text).toContain('<a href="#T">T</a>, <a href="#T">T.Field</a>, <a href="#T.Do">T.Do</a>');
    expect(text).toContain('<a href="/ui/doc/example.test/dep@v1.1.0#X">dep.X</a>');
    expect(text).toContain('<a href="/ui/doc/example.test/dep@v1.1.0/sub">example.test/dep/sub</a>');
    expect(text).toContain(', private.test/x, fmt.Println and');
  });

  it('lets nothing of a module be HTML', async () => {
    const { text } = await at('');
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).not.toContain('\u202e');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]');
  });

  it('looks at the fields of a type once, however many a comment names', async () => {
    await at('/fields');
    const before = process.cpuUsage();
    const { text } = await at('/fields');
    expect(text).toContain('<a href="#T">T.Last</a>');
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(0.4);
  });

  it('of a command is its comment alone, and of an internal package says so', async () => {
    const command = await at('/cmd/tool');
    expect(command.text).toContain('Command tool');
    expect(command.text).toContain(`go install ${P}/cmd/tool@v1.0.0`);
    expect(command.text).not.toContain('func Main');
    expect((await at('/internal/i')).text).toContain('<span class="tag">internal</span>');
    expect((await at('/broken')).text).toContain('could not be read');
  });

  it('stays small and leads on, whatever is in the package, and every name is found', async () => {
    for (const rest of [
      '/large',
      '/large?at=F10',
      '/large?tab=index',
      '/large?tab=index&from=200',
      '/wide',
      '/wide?at=W',
    ]) {
      const { status, text } = await at(rest);
      expect([rest, status]).toEqual([rest, 200]);
      expect([rest, Buffer.byteLength(text) < 50_000]).toEqual([rest, true]);
    }
    const first = (await at('/large')).text;
    const [, link = ''] =
      /href="([^"]*at=F1234#F1234)"/.exec((await at('/large?tab=index&from=238')).text) ?? [];
    expect((await site.page(link.split('#')[0]!)).text).toContain('id="F1234"');
    const [, next = ''] = /rel="next" href="([^"]*)"/.exec(first) ?? [];
    expect((await site.page(next)).text).toContain(`id="${next.split('at=')[1]}"`);
  });

  it('is not there for what is no package, and refuses by the path alone', async () => {
    for (const rest of ['/none', '/m.go', '/../m', '/%2e%2e', '/%00'])
      expect([rest, (await at(rest)).status]).toEqual([rest, 404]);
    expect((await site.page(`/ui/doc/${P}`)).status).toBe(404);
    expect((await guarded.page(`/ui/doc/${P}@v1.0.0`)).status).toBe(401);
    for (const path of ['private.test/x', 'private.test/none'])
      expect((await guarded.page(`/ui/doc/${path}@v1.0.0`, some)).status).toBe(403);
  });

  it('does not say that a module is held to who may not read it', async () => {
    const made: MadeVersion[] = [
      {
        path: 'example.test/a',
        version: 'v1.0.0',
        requires: [{ path: 'private.test/x', version: 'v1.0.0', indirect: false }],
        files: { 'a.go': '// Package a: [private.test/x.Name].\npackage a\n' },
      },
      ...versions.slice(2),
    ];
    await using both = await MadeSite.start({ versions: made, gate: gateOf(access.authenticator, false) });
    const { text } = await both.page('/ui/doc/example.test/a@v1.0.0', some);
    expect(text).toContain('Package a: private.test/x.Name.');
  });
});
