import type { Incident } from '../store/log-records.ts';
import { html, type Html, type Part } from './html.ts';
import type { ShownSignature } from '../publish/signing.ts';
import { signerText } from './module-overview.ts';
import { type ModuleVisit, provenanceText } from './module-view.ts';
import { ago, count, hash } from './present.ts';
import { checkYourself, proofBox } from './proof.ts';
import type { Site } from './site.ts';

/** The record in the log, its proof, its signatures, and what else was seen. */
export function recordTab({ site, module: { path }, chosen }: ModuleVisit): Html {
  const { version, record, provenance, incidents } = chosen;
  if (record === undefined)
    return html`<p class="empty">This version is not on record here, so it is not served.</p>${seen(site, incidents)}`;
  return html`<div class="cards">
<section class="card" aria-labelledby="record-title"><h2 id="record-title">Record ${count(record.id)}</h2>
<dl class="facts">
<div><dt>Hash of the zip</dt><dd>${hash(record.zip)}</dd></div>
<div><dt>Hash of go.mod</dt><dd>${hash(record.mod)}</dd></div>
${
  provenance !== undefined &&
  html`<div><dt>Where it came from</dt><dd>${provenanceText(provenance)}${provenance.evidence !== undefined && html` <span class="quiet">(${provenance.evidence})</span>`}</dd></div>
<div><dt>First seen</dt><dd>${ago(provenance.firstSeen * 1000, site.now())}</dd></div>`
}
</dl></section>
<section class="card" aria-labelledby="signatures-title"><h2 id="signatures-title">Signatures</h2>
${signatures(site, path, version)}</section>
${seen(site, incidents)}
<section class="card stack" aria-labelledby="proof-title"><h2 id="proof-title">Proof</h2>
${proofBox(site, record, true, html`<div class="stack yourself">${checkYourself(site, record)}</div>`)}</section>
</div>`;
}

function signatures(site: Site, path: string, version: string): Part {
  const { required, signed, signatures } = site.signing.show(path, version);
  const verdict = signed
    ? html`<p><span class="tag good">signed</span> by somebody whom this server trusts for this module.</p>`
    : required &&
      html`<p><span class="tag bad">missing</span> A signature is demanded of this module, and none of a trusted signer is here.</p>`;
  if (signatures.length === 0 && verdict === false)
    return html`<p class="quiet">None, and none is demanded.</p>`;
  return html`${verdict}${
    signatures.length > 0 && html`<ul>${signatures.slice(0, 20).map((each) => signature(site, each))}</ul>`
  }`;
}

function signature(site: Site, { kind, predicateType, signer, verifiedAt, trusted }: ShownSignature): Html {
  const what = kind === 'signature' ? 'Signature' : html`Attestation ${predicateType}`;
  if (signer.kind === 'unknown' || verifiedAt === undefined)
    return html`<li>${what} that came in a bundle <span class="tag warn">not verified here</span></li>`;
  const when = ago(verifiedAt, site.now());
  return html`<li>${what} of ${signerText(signer)}, verified ${when}${!trusted && html` <span class="tag warn">no longer trusted</span>`}</li>`;
}

function seen(site: Site, incidents: readonly Incident[]): Part {
  if (incidents.length === 0) return undefined;
  return html`<section class="card" aria-labelledby="incidents-title"><h2 id="incidents-title">Incidents</h2>
<p>Something else than what is on record was seen. Nothing of it was stored or served.</p>
<ul class="incidents">${incidents.map((each) => incident(site, each))}</ul></section>`;
}

/** @param named says of which module it is */
export function incident(
  site: Site,
  { at, kind, path, version, recorded, seen, source }: Incident,
  named = false,
): Html {
  return html`<li><span class="tag bad">${kind}</span> ${named && `${path} `}${version} ${ago(at, site.now())}
<dl class="facts"><div><dt>On record</dt><dd>${hash(recorded)}</dd></div><div><dt>Seen</dt><dd>${hash(seen)}</dd></div><div><dt>From</dt><dd>${source}</dd></div></dl></li>`;
}
