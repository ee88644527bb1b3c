/**
 * HTML out of templates. Whatever is put into one is escaped, unless it is {@link Html} itself, so that no page has to think of
 * it: module paths, READMEs, reasons and names of files are all somebody else's.
 */

/** Text that is HTML already. */
export class Html {
  readonly #text: string;

  /** @param text HTML of ours, or of what renders READMEs: nothing else makes one */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template. Nothing is written for undefined and false, so that a part can be left out. */
export type Part = Html | string | number | false | undefined | readonly Part[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Controls, which no page needs, and what turns the direction of text, with which source code is made to look like other code. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Shows characters that would hide others, or themselves, by their number. */
export function visible(text: string): string {
  return text.replace(
    HIDDEN,
    (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
  );
}

/** Text for between tags and for quoted attributes. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

/** A template whose values are escaped. Attributes have to be quoted. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  let text = strings[0] ?? '';
  for (const [at, value] of values.entries()) text += written(value) + (strings[at + 1] ?? '');
  return new Html(text);
}

/** Parts one after the other, with something between them. */
export function join(parts: readonly Part[], between: Part): Html {
  return new Html(parts.map(written).join(written(between)));
}

function written(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.toString();
  if (typeof part === 'object') return part.map(written).join('');
  return escapeHtml(String(part));
}
