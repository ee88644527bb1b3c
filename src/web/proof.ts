import { formatLookup } from '../module/request-path.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import { html, type Part } from './html.ts';
import { PREFIX } from './links.ts';
import type { Site } from './site.ts';

/**
 * Where the script shows its own proof that a record is in the log. It fetches what `go` fetches, and computes the rest.
 *
 * @param steps also shows what it computed, at its end: nothing below is moved by what is found
 * @param above what stands between the two
 */
export function proofBox(site: Site, record: LoggedRecord, steps: boolean, above?: Part): Part {
  const { path, version, zip, mod } = record;
  const database = `/sumdb/${site.name}`;
  // No cookie goes beyond /ui: who needs it for the lookup gets the same answer there.
  const lookup = site.gate.anonymous.may('read', path)
    ? `${database}/lookup/${formatLookup(path, version)}`
    : `${PREFIX.lookup}${formatLookup(path, version)}`;
  return html`<div class="proof" data-module="${path}" data-version="${version}" data-zip="${zip}" data-mod="${mod}" data-key="${site.settings().vkey}" data-lookup="${lookup}" data-database="${database}">
<p class="state" role="status">Not checked by your browser${steps && ': that needs JavaScript'}.</p>
${above}
${steps && html`<ol hidden></ol>`}
</div>`;
}

/** How to check it without trusting this page, which came from the same server. */
export function checkYourself(site: Site, { path, version }: LoggedRecord): Part {
  const { url, vkey } = site.settings();
  const lines = [`export GOPROXY=${url}`, `export GOSUMDB="${vkey}"`, `go mod download ${path}@${version}`];
  return html`<p>This page comes from the server that it judges. Who wants to rely on nothing but the key has <code>go</code> check the same:</p>
<pre class="copy" tabindex="0"><code>${lines.join('\n')}</code></pre>
<p>On the server, <code>gokeep log prove ${path}@${version}</code> writes the proof to a file that anybody can verify later.</p>`;
}
