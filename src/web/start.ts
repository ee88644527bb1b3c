import { settingsLines } from '../http/start-page.ts';
import { sendPage } from './answer.ts';
import { html, type Part } from './html.ts';
import { bytes, count } from './present.ts';
import type { Site, Visit } from './site.ts';

/** The start page for people: what to copy, whether a token is needed, and what is here. Everybody may read it. */
export function startPage(site: Site, visit: Visit): void {
  const settings = site.settings();
  const lines = settingsLines(settings);
  const main = html`<section class="hero">
<h1>Go modules, verified.</h1>
<p class="lead">This server is a module proxy and a checksum database. Set two variables, and <code>go</code> checks everything it downloads, private modules too.</p>
</section>
<div class="cards two">
${copied('bash', 'bash, zsh', lines.bash)}
${copied('powershell', 'PowerShell', lines.powershell)}
</div>
<div class="note">
<p>Leave <code>GOPRIVATE</code>, <code>GONOPROXY</code> and <code>GONOSUMDB</code> unset: private modules come through here too, and are verified.</p>
<p><a href="/setup">Other shells, CI systems and containers</a></p>
${site.asksWho ? token(settings.url) : html`<p><strong>No token is needed.</strong> Whoever reaches this server may read everything on it.</p>`}
</div>
${looked(site, visit)}`;
  sendPage(site, visit, { title: 'Go module proxy and checksum database', main, hasSearch: true });
}

/** The script adds a button that copies; without it the lines can be selected in one go. */
function copied(id: string, title: string, lines: readonly string[]): Part {
  return html`<section class="card" aria-labelledby="${id}-title"><div class="card-head"><h2 id="${id}-title">${title}</h2></div>
<pre class="copy" tabindex="0" data-copy="${title}" aria-labelledby="${id}-title"><code>${lines.join('\n')}</code></pre></section>`;
}

function token(url: string): Part {
  const host = URL.canParse(url) ? new URL(url).host : '<this host>';
  return html`<p><strong>A token is needed.</strong> Your operator makes one with <code>gokeep token create</code>. It goes into <code>~/.netrc</code>, on Windows <code>%USERPROFILE%\\_netrc</code>:</p>
<pre class="copy" tabindex="0"><code>machine ${host} login token password &lt;token&gt;</code></pre>`;
}

function looked(site: Site, visit: Visit): Part {
  // How much there is, is about modules that not everybody may read.
  const counts = visit.principal.mayAll('read') ? site.catalogue.counts() : undefined;
  return html`<section class="look" aria-labelledby="look-title">
<h2 id="look-title">What is here</h2>
<form class="big-find" role="search" aria-label="Modules" action="/ui/search">
<label class="hidden" for="q">Search by path, package or synopsis</label>
<input id="q" type="search" name="q" placeholder="Search by path, package or synopsis" maxlength="200" autocomplete="off" spellcheck="false">
<button class="button">Search</button>
</form>
${
  counts !== undefined &&
  html`<dl class="counts">
<div><dt>Modules</dt><dd><a href="/ui/modules">${count(counts.modules)}</a></dd></div>
<div><dt>Versions</dt><dd>${count(counts.versions)}</dd></div>
<div><dt>Held</dt><dd>${bytes(counts.bytes)}</dd></div>
<div><dt>Records in the log</dt><dd><a href="/ui/log">${count(logSize(site))}</a></dd></div>
</dl>`
}
</section>`;
}

/** A replica that nothing was imported into has no head. */
function logSize({ reader }: Site): number {
  try {
    return reader.head.size;
  } catch {
    return 0;
  }
}
