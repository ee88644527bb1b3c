import type { Signer } from '../signing/rule.ts';
import { html, type Html, type Part } from './html.ts';
import { docLink, moduleLink, sourceLink } from './links.ts';
import { type ModuleVisit, provenanceText } from './module-view.ts';
import { affecting, vulnerabilitiesCard } from './module-vulnerabilities.ts';
import { ago, bytes, count } from './present.ts';
import { proofBox } from './proof.ts';
import { MOST_READ, showReadme } from './readme.ts';

/** The README, and the facts beside it. */
export async function overview(m: ModuleVisit): Promise<Html> {
  // What is wrong comes before the facts, and that nothing is known behind them.
  const isAffected = affecting(m.known, m.chosen.version).length > 0;
  return html`<div class="split">
<section class="card" aria-labelledby="readme-title"><h2 id="readme-title">README</h2>
${await readme(m)}</section>
<div class="cards">
${isAffected && vulnerabilitiesCard(m)}
<section class="card" aria-labelledby="facts-title"><h2 id="facts-title">Facts</h2>
${facts(m)}</section>
${record(m)}
${!isAffected && vulnerabilitiesCard(m)}
</div>
</div>`;
}

async function readme({ site, module: { path }, chosen: { version, facts } }: ModuleVisit): Promise<Part> {
  const name = facts?.readme;
  const found = name === undefined ? undefined : await site.zips.read(path, version, name, MOST_READ);
  if (found === undefined || name === undefined) return html`<p class="quiet">This module has no README.</p>`;
  const shown = showReadme(found.bytes, found.whole, { path, version, name });
  return html`<div class="readme">${shown.html}</div>
${!shown.whole && html`<p class="quiet">This is its beginning. <a href="${sourceLink(path, version, name)}">The whole file</a></p>`}`;
}

function facts({ site, module: { path }, chosen: { version, facts, held } }: ModuleVisit): Part {
  const rows: (readonly [string, Part])[] = [
    ['Use it', html`<pre class="copy" tabindex="0"><code>go get ${path}@${version}</code></pre>`],
  ];
  if (held?.time !== undefined) rows.push(['Made', ago(held.time, site.now())]);
  if (facts !== undefined)
    rows.push(['Licence', facts.licence ?? html`<span class="quiet">not known</span>`]);
  if (held !== undefined) rows.push(['Zip', bytes(held.size)]);
  if (facts !== undefined) {
    rows.push([
      'Packages',
      html`<a href="${moduleLink(path, version, 'packages')}">${count(facts.packages.length)}</a>`,
    ]);
    const root = facts.packages.find(({ importPath }) => importPath === path);
    if (root !== undefined && held !== undefined)
      rows.push(['Documentation', html`<a href="${docLink(path, version, '')}">package ${root.name}</a>`]);
    rows.push([
      'Requires',
      html`<a href="${moduleLink(path, version, 'dependencies')}">${count(facts.requires.length)}</a>`,
    ]);
  }
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function record({ site, module: { path }, chosen: { version, record, provenance } }: ModuleVisit): Part {
  if (record === undefined) return undefined;
  const { required, signed } = site.signing.show(path, version);
  return html`<section class="card" aria-labelledby="record-title"><h2 id="record-title">Record</h2>
<dl class="facts">
<div><dt>In the log</dt><dd><a href="${moduleLink(path, version, 'record')}">number ${count(record.id)}</a>${provenance !== undefined && `, ${provenanceText(provenance)}`}</dd></div>
${(signed || required) && html`<div><dt>Signature</dt><dd>${signed ? html`<span class="tag good">by somebody trusted</span>` : html`<span class="tag bad">missing</span>`}</dd></div>`}
</dl>
${proofBox(site, record, false)}</section>`;
}

/** Whoever signed, in words; an identity is what a certificate says. */
export function signerText(signer: Signer): Html {
  return signer.kind === 'key'
    ? html`key ${signer.name} <code class="hash">${signer.fingerprint}</code>`
    : html`<code class="hash">${signer.subject}</code>, as ${signer.issuer} says`;
}
