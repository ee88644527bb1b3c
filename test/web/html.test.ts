import { describe, expect, it } from 'vitest';
import { html, join } from '../../src/web/html.ts';

const text = (value: Parameters<typeof html>[1]) => html`<p title="${value}">${value}</p>`.toString();

describe('a template', () => {
  it('escapes whatever is put into it, between tags and in quotes', () => {
    expect(text(`<script>alert("1" + '2')</script>&amp;`)).toBe(
      '<p title="&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;)&lt;/script&gt;&amp;amp;">&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;)&lt;/script&gt;&amp;amp;</p>',
    );
  });

  it('leaves templates inside it as they are', () => {
    expect(html`<ul>${['<a>', 'b'].map((each) => html`<li>${each}</li>`)}</ul>`.toString()).toBe(
      '<ul><li>&lt;a&gt;</li><li>b</li></ul>',
    );
    expect(join([html`<b>1</b>`, '<2>'], html`<br>`).toString()).toBe('<b>1</b><br>&lt;2&gt;');
  });

  it('writes nothing for what is not there, and zero as zero', () => {
    expect(html`${undefined}${false}${0}${''}`.toString()).toBe('0');
  });

  it('shows what turns the direction of text, and other characters that nobody sees', () => {
    expect(html`${'a\u202eb\u2066c\u0000\u001b[31m'}`.toString()).toBe(
      'a[U+202E]b[U+2066]c[U+0000][U+001B][31m',
    );
  });

  it('leaves text of every language alone', () => {
    for (const said of ['שלום', 'مرحبا', '日本語', 'e\u0301', '👩‍💻', 'a\tb\nc'])
      expect(html`${said}`.toString()).toBe(said);
  });

  it('does not take an object for HTML that only looks like it', () => {
    const forged = { toString: () => '<script>' } as unknown as string;
    expect(() => html`${forged}`.toString()).toThrow(TypeError);
  });
});
