import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { docBlocks } from '../../src/godoc/doc-blocks.ts';
import { docText } from '../../src/godoc/doc-text.ts';
import { showComment } from '../../src/web/doc-comment.ts';

interface Vector {
  readonly comment: string;
  readonly blocks: readonly unknown[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../testdata/golden/godoc/comments.json', import.meta.url), 'utf8'),
) as readonly Vector[];

const own = ['Type', 'Func', 'Type.Method'];
const standard = ['fmt', 'strings'];
const places = {
  has: (name: string) => own.includes(name),
  imported: (name: string) =>
    name === 'custom' ? 'example.test/custom/v2' : standard.includes(name) ? name : undefined,
  link: (importPath: string, name: string) => `/at/${importPath}#${name}`,
};

function blocksOf(comment: string): unknown[] {
  const { blocks, links } = docBlocks(comment);
  const texts = (text: string) =>
    docText(text, { ...places, links }).map((each) => {
      if (each.kind !== 'doc') return each;
      const { importPath, name, ...rest } = each;
      return { ...rest, ...(importPath !== '' && { importPath }), ...(name !== '' && { name }) };
    });
  return blocks.map((block) => {
    if (block.kind === 'code') return { kind: 'code', code: block.text };
    if (block.kind === 'heading') return { kind: 'heading', text: [{ kind: 'plain', text: block.text }] };
    if (block.kind === 'paragraph') return { kind: 'paragraph', text: texts(block.text) };
    return {
      kind: 'list',
      numbers: block.items.map(({ number }) => number),
      items: block.items.map(({ paragraphs }) => paragraphs.map(texts)),
    };
  });
}

describe('a doc comment', () => {
  it('is taken apart as go/doc/comment does', () => {
    expect(vectors.length).toBeGreaterThan(1500);
    for (const { comment, blocks } of vectors)
      expect([comment, blocksOf(comment)]).toEqual([comment, blocks]);
  });

  it('becomes HTML in which nothing runs, and no link leads to a script', () => {
    const evil =
      '# <b>\n\n<script>alert(1)</script> "[Type]" \u202e [x] https://a.test/"onclick=\n\n\t<pre>\n\nand\n\n - <li>\n\n[x]: file:///etc/passwd';
    const { html } = showComment(evil, places, 3, 10_000);
    expect(html.toString()).toBe(
      '<h3>&lt;b&gt;</h3>\n' +
        '<p>&lt;script&gt;alert(1)&lt;/script&gt; &quot;<a href="/at/#Type">Type</a>&quot; [U+202E] x <a href="https://a.test/" rel="nofollow noopener noreferrer">https://a.test/</a>&quot;onclick=</p>\n' +
        '<pre tabindex="0"><code>&lt;pre&gt;</code></pre>\n<p>and</p>\n' +
        '<ul><li>&lt;li&gt;</li></ul>\n',
    );
  });

  it('is cut where it is longer than a page, and costs little time whatever is in it', () => {
    const before = process.cpuUsage();
    for (const piece of [
      '[',
      '[a',
      '] ',
      'http://a',
      '- a\n',
      '\t\n',
      'a\n\n',
      "''",
      '[Type] ',
      'a {\n\tb\n',
      '[a]: http://b\n',
      'http://a(',
      `http://a${'.'.repeat(59_000)}a `,
      ' ',
    ]) {
      const { html, whole } = showComment(piece.repeat(Math.ceil(200_000 / piece.length)), places, 3, 9_000);
      expect(whole).toBe(piece.trim() === '' ? whole : false);
      expect(html.toString().length).toBeLessThan(9_500);
    }
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(4);
  });
});
