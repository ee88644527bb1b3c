import { oneLine } from '../client/setup/one-line.ts';
import { checkedSettings, type SetupSettings } from '../client/setup/settings.ts';
import { settingsLines } from '../http/start-page.ts';
import { sendPage } from './answer.ts';
import { copied, somethingWrong, tokenNote } from './copied.ts';
import { html, type Part } from './html.ts';
import { bytes, count } from './present.ts';
import type { Site, Visit } from './site.ts';

/** The start page for people: what to copy, whether a token is needed, and what is here. Everybody may read it. */
export function startPage(site: Site, visit: Visit): void {
  const settings = site.settings();
  const lines = settingsLines(settings);
  const whole = { ...settings, credentials: site.asksWho };
  const briefly = html`<p class="below quiet">For this terminal only.</p>`;
  const main = html`<section class="hero">
<h1>Go modules, verified.</h1>
<p class="lead">This server is a module proxy and a checksum database. Paste one line, and <code>go</code> checks everything it downloads, private modules too.</p>
</section>
${inOneLine(whole)}
<div class="cards two">
${copied('bash', 'bash, zsh', lines.bash.join('\n'), briefly)}
${copied('powershell', 'PowerShell', lines.powershell.join('\n'), briefly)}
</div>
<div class="note">
<p>Leave <code>GOPRIVATE</code> unset, and <code>GONOPROXY</code> and <code>GONOSUMDB</code> unset or <code>none</code>: private modules come through here too, and are verified.</p>
${tokenNote(whole)}
</div>
<div class="cards wrong">${somethingWrong(settings.url)}</div>
${looked(site, visit)}`;
  sendPage(site, visit, { title: 'Go module proxy and checksum database', main, hasSearch: true });
}

/** Undefined for an address that cannot be written into scripts; the two lines below can still be mended by hand. */
function inOneLine(settings: SetupSettings): Part {
  let line: ReturnType<typeof oneLine>;
  try {
    line = oneLine(checkedSettings(settings));
  } catch {
    return undefined;
  }
  const below = html`<p class="below">Kept for later shells too. Take it back: <code>${line.undo}</code></p>
<p class="below"><a href="/ui/setup">Pick your system: shells, CI, containers, Windows fleets</a></p>`;
  return html`<div class="cards first">
${copied('one', 'One line, in any shell', line.set, below)}
</div>`;
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
