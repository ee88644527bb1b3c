import { html, type Html } from './html.ts';

const LIVES = [
  ['12h', 'for 12 hours'],
  ['7d', 'for 7 days'],
  ['30d', 'for 30 days'],
  ['90d', 'for 90 days'],
  ['365d', 'for a year'],
  ['never', 'until it is revoked'],
] as const;

const RIGHTS = [
  ['read', 'May read', 'Private modules, and public ones where everybody needs a pattern.'],
  ['publish', 'May publish', 'Publish, yank and sign versions.'],
  ['admin', 'May administer', 'With * these pages, bundles, and by making tokens everything else.'],
] as const;

/**
 * What makes a token.
 *
 * @param filled what stood in it when it was sent
 * @param problem why it was not taken
 */
export function tokenForm(filled: URLSearchParams, problem: string | undefined): Html {
  const lives = filled.get('expires') ?? '90d';
  return html`<section class="make" aria-labelledby="make-title"><h2 id="make-title">New token</h2>
<form method="post" action="/ui/admin/tokens" class="card fields">
${problem !== undefined && html`<p class="alert" id="problem" role="alert">${problem}</p>`}
<div class="field"><label for="name">Name</label>
<input id="name" name="name" required maxlength="64" pattern="[A-Za-z0-9][A-Za-z0-9._@\\/\\-]*" title="Letters and digits, and after the first one also . _ @ / and -" autocomplete="off" spellcheck="false" value="${filled.get('name') ?? ''}" aria-describedby="name-hint">
<p class="quiet small" id="name-hint">Who or what uses it, as lists and logs will call it: <code>alice</code>, <code>ci/release</code>.</p></div>
<div class="field"><label for="expires">Valid</label>
<select id="expires" name="expires">${LIVES.map(([value, said]) => html`<option value="${value}"${value === lives && html` selected`}>${said}</option>`)}</select></div>
${RIGHTS.map(
  ([right, label, hint]) => html`<div class="field"><label for="${right}">${label}</label>
<input id="${right}" name="${right}" autocomplete="off" spellcheck="false" value="${filled.get(right) ?? ''}" aria-describedby="${right}-hint">
<p class="quiet small" id="${right}-hint">${hint}</p></div>
`,
)}
<p class="quiet">Patterns are those of <code>GOPRIVATE</code>, with commas between them: <code>corp.example/*</code> is everything below that host, <code>corp.example/team</code> that path and what is below it, <code>*</code> every module. What is left empty is not allowed.</p>
<p><button class="button">Make the token</button></p>
</form></section>`;
}
