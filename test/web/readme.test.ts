import { describe, expect, it } from 'vitest';
import { showReadme } from '../../src/web/readme.ts';

const HOME = { path: 'example.test/m', version: 'v1.0.0', name: 'README.md' };
const shown = (text: string, name = HOME.name) =>
  showReadme(Buffer.from(text), true, { ...HOME, name }).html.toString();

describe('a README', () => {
  it('is rendered where it is markdown, and shown as it is otherwise', () => {
    expect(shown('# A\n\n*b*')).toBe('<h3>A</h3>\n<p><em>b</em></p>\n');
    expect(shown('# A\n<b>', 'README.rst')).toBe('<pre class="plain" tabindex="0"># A\n&lt;b&gt;</pre>');
  });

  it('runs nothing: HTML in it is text', () => {
    const attacks = [
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '<svg onload=alert(1)>',
      '```"><script>\nx</script>\n```',
      '`<script>`',
      '# <iframe src=//x>',
      '| <style> |\n|---|\n| <base href=x> |',
      '&lt;script&gt;',
      '[a](x "<script>")',
      '![<script>](<script>)',
    ];
    for (const attack of attacks)
      expect(shown(attack)).not.toMatch(/<(?:script|img|svg|iframe|style|base|link|meta|form)\b/i);
  });

  it('links to http, https, mail and the files of its module, and nowhere else', () => {
    const to = (address: string) => /<a href="([^"]*)"/.exec(shown(`[x](${address})`))?.[1];
    expect(to('https://a.test/x?y=1&z')).toBe('https://a.test/x?y=1&amp;z');
    expect(to('HTTP://a.test')).toBe('HTTP://a.test');
    expect(to('mailto:a@b.test')).toBe('mailto:a@b.test');
    expect(to('docs/a%20b.md#part')).toBe('/ui/src/example.test/m@v1.0.0/docs/a%20b.md');
    expect(to('./x.go')).toBe('/ui/src/example.test/m@v1.0.0/x.go');
    expect(to('../../../etc/passwd')).toBe('/ui/src/example.test/m@v1.0.0/etc/passwd');
    expect(to('/x.go')).toBe('/ui/src/example.test/m@v1.0.0/x.go');
    // A browser would take these for another scheme or host: here they are odd names of files.
    for (const address of [
      'java&#x0A;script:alert(1)',
      '&#1;javascript:alert(1)',
      '\\\\\\\\evil.test',
      '/\\\\evil.test',
    ])
      expect(to(address)).toMatch(/^\/ui\/src\/example\.test\/m@v1\.0\.0\/[^:]+$/);
    const refused = [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      'data:text/html,<script>',
      'vbscript:x',
      'file:///etc/passwd',
      '//evil.test',
      '#part',
      'https://[',
      '%ff',
    ];
    for (const address of refused) expect([address, to(address)]).toEqual([address, undefined]);
  });

  it('shows images as links, so that nothing is fetched from elsewhere', () => {
    expect(shown('![a logo](https://a.test/x.png)')).toBe(
      '<p><a href="https://a.test/x.png" rel="nofollow noopener">a logo</a></p>\n',
    );
    expect(shown('![](data:image/svg+xml;base64,AAAA)')).toBe('<p>image</p>\n');
    expect(shown('[![badge](https://a.test/b.svg)](https://a.test)')).toBe(
      '<p><a href="https://a.test" rel="nofollow noopener">badge</a></p>\n',
    );
  });

  it('takes no ids, classes, styles or titles from it', () => {
    const text =
      '# A {#id .class}\n\n[a](b "title")\n\n| a |\n|--:|\n| b |\n\n```evil"class\nx\n```\n\n2. x\n';
    const tags = shown(text)
      .match(/<[^>]*>/g)!
      .join('');
    expect(tags).not.toMatch(/ (?:id|style|title)=/);
    expect(tags.match(/class="[^"]*"/g)).toEqual(['class="scroll"']);
  });

  it('has headings below those of the page, without gaps', () => {
    const levels = shown('### a\n\n# b\n\n###### c\n\n## d').match(/<h\d>/g);
    expect(levels).toEqual(['<h3>', '<h3>', '<h4>', '<h4>']);
  });

  it('shows what turns the direction of text', () => {
    expect(shown('a \u202e b `\u2066`')).toBe('<p>a [U+202E] b <code>[U+2066]</code></p>\n');
  });

  it('is cut where it is long, in little time', () => {
    const long = [
      'word '.repeat(400_000),
      '*'.repeat(2_000_000),
      '[a]('.repeat(300_000),
      '> '.repeat(500_000),
      '`'.repeat(1_000_000),
      '![['.repeat(300_000),
      '<'.repeat(1_000_000),
      '- '.repeat(500_000),
      '|a'.repeat(100_000) + '\n' + '|-'.repeat(100_000),
      '[a]: <x>\n'.repeat(100_000),
      '&'.repeat(1_000_000),
    ];
    const started = performance.now();
    for (const text of long) {
      const readme = showReadme(Buffer.from(text), true, HOME);
      expect(readme.whole).toBe(false);
      expect(readme.html.toString().length).toBeLessThanOrEqual(26 * 1024);
    }
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it('is whole where it is short', () => {
    expect(showReadme(Buffer.from('x'), true, HOME).whole).toBe(true);
    expect(showReadme(Buffer.from('x'), false, HOME).whole).toBe(false);
  });
});
