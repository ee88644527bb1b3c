import type { Grants } from '../access/principal.ts';
import { html, type Part } from './html.ts';

/** Each right and its patterns, in a line of its own. */
export function rights({ read, publish, admin }: Grants): Part {
  const lines = Object.entries({ read, publish, administer: admin }).filter(
    ([, patterns]) => patterns.length > 0,
  );
  if (lines.length === 0) return html`<span class="quiet">what everybody may who is known</span>`;
  return html`<ul class="rights">${lines.map(([right, patterns]) => html`<li>${right} ${patterns.map((pattern, at) => html`${at > 0 && ', '}<code>${pattern}</code>`)}</li>`)}</ul>`;
}
