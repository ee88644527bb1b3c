import type { WholeEntry } from '../audit/trail-pages.ts';
import { GokeepError } from '../errors.ts';
import { kindTag, recordLink, subject } from './admin-audit.ts';
import { type Administration, adminTabs, demandAdministrator } from './administration.ts';
import { sendUnkept } from './answer.ts';
import { html, type Part } from './html.ts';
import { ago, hash, moment } from './present.ts';
import type { Site, Visit } from './site.ts';

/** An entry may be long, where a configuration has many rules, and a page stays small. */
const MOST_SHOWN = 8_000;

/** `/ui/admin/audit/<number>`: an entry, its place in the chain, and where the log has recorded that. */
export function entryPage(site: Site, visit: Visit, rest: string): void {
  const admin = demandAdministrator(site, visit);
  const n = /^[1-9][0-9]{0,14}$/.test(rest) ? Number(rest) : 0;
  const found = admin.trail.entry(n);
  if (found === undefined) throw new GokeepError('not_found', 'the audit trail has no entry of this number');
  const { entry } = found;
  const main = html`${adminTabs('audit')}
<p class="crumb"><a href="/ui/admin/audit">Audit trail</a></p>
<h1>Entry ${n} ${entry !== undefined && kindTag(entry.kind)}</h1>
<div class="split entry">
<section class="card" aria-labelledby="said-title"><h2 id="said-title">What it says</h2>${said(site, found)}</section>
<section class="card" aria-labelledby="chain-title"><h2 id="chain-title">Its place in the chain</h2>${chain(site, admin, found)}</section>
</div>
<section aria-labelledby="bytes-title"><h2 id="bytes-title">The bytes that are hashed</h2>
<pre class="copy" tabindex="0" aria-labelledby="bytes-title"><code>${cut(found.text)}</code></pre></section>
<nav class="pager" aria-label="Entries">
${n > 1 && html`<a rel="prev" href="/ui/admin/audit/${n - 1}">Entry ${n - 1}</a>`}
${n < admin.trail.head().n && html`<a rel="next" href="/ui/admin/audit/${n + 1}">Entry ${n + 1}</a>`}
</nav>`;
  sendUnkept(site, visit, { title: `Entry ${n} of the audit trail`, place: 'admin', main });
}

function said(site: Site, { entry }: WholeEntry): Part {
  if (entry === undefined)
    return html`<p class="alert">It is damaged: what is stored is no entry. Run <code>gokeep audit verify</code>.</p>`;
  const about = subject(entry);
  const facts = Object.entries(entry.facts ?? {});
  return html`<dl class="facts">
<div><dt>When</dt><dd>${moment(Date.parse(entry.at), site.now())}</dd></div>
<div><dt>Who</dt><dd>${entry.who}</dd></div>
${entry.from !== undefined && html`<div><dt>From</dt><dd>${entry.from}</dd></div>`}
${about !== '' && html`<div><dt>Module</dt><dd>${about}</dd></div>`}
${facts.map(
  ([name, value]) => html`<div><dt>${name}</dt><dd>${shown(value)}</dd></div>
`,
)}</dl>`;
}

function shown(value: unknown): Part {
  if (typeof value === 'string') return value === '' ? html`<span class="quiet">empty</span>` : cut(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value) && value.every((each) => typeof each === 'string'))
    return value.length === 0 ? html`<span class="quiet">none</span>` : cut(value.join(', '));
  return html`<code class="hash">${cut(JSON.stringify(value) ?? '')}</code>`;
}

function chain(site: Site, { heads }: Administration, found: WholeEntry): Part {
  const { n, hash: own, before, isChained } = found;
  const covering = heads?.covering(n);
  return html`${
    isChained
      ? html`<p class="fits">✓ Its hash fits it and the entry before.</p>`
      : html`<p class="alert">${before === undefined ? 'The entry before it is missing.' : 'Its hash does not fit it and the entry before: one of them is not what it was.'} Run <code>gokeep audit verify</code>.</p>`
  }
<dl class="facts">
<div><dt>Hash</dt><dd>${hash(own.toString('base64'))}</dd></div>
<div><dt>Hash before it</dt><dd>${before === undefined ? 'missing' : hash(before.toString('base64'))}</dd></div>
<div><dt>In the log</dt><dd>${inLog()}</dd></div></dl>`;

  function inLog(): Part {
    if (heads === undefined) return 'A replica signs no log, so it is recorded nowhere.';
    if (covering === undefined) return 'Not yet: the chain is recorded every five minutes.';
    const link = html`<a href="${recordLink(covering)}">${covering.path}@${covering.version}</a>`;
    const when = covering.at !== undefined && html`, ${ago(covering.at * 1000, site.now())}`;
    if (covering.n > n)
      return html`Covered by the record of entry ${covering.n}, which is chained to it: ${link}${when}`;
    if (covering.hash.equals(own)) return html`${link}${when}`;
    return html`<span class="tag bad">other hash</span> ${link} has another one: this entry is not what it was.`;
  }
}

const cut = (text: string): string => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);
