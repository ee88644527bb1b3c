import { credentialsLines } from '../client/setup/credentials.ts';
import type { SetupSettings } from '../client/setup/settings.ts';
import { html, type Part } from './html.ts';

/** A card with a text to copy. The script adds a button that copies; without it the text can be selected in one go. */
export function copied(id: string, title: string, text: string, below?: Part): Part {
  return html`<section class="card" aria-labelledby="${id}-title"><div class="card-head"><h2 id="${id}-title">${title}</h2></div>
<pre class="copy" tabindex="0" data-copy="${title}" aria-labelledby="${id}-title"><code>${text}</code></pre>${below}</section>`;
}

/** What a visitor adds where access is required, or that nothing has to be. */
export function tokenNote(settings: SetupSettings): Part {
  if (!settings.credentials)
    return html`<p><strong>No token is needed.</strong> Whoever reaches this server may read everything on it.</p>`;
  const line = URL.canParse(settings.url)
    ? credentialsLines(settings).at(-1)?.trim()
    : 'machine <this host> login token password <token>';
  return html`<p><strong>A token is needed.</strong> Your operator makes one with <code>gokeep token create</code>. It goes into <code>~/.netrc</code>, readable by you alone; on Windows into <code>%USERPROFILE%\\_netrc</code>:</p>
<pre class="copy" tabindex="0"><code>${line}</code></pre>`;
}

/** Where somebody goes whose `go` still does not work. */
export function somethingWrong(url: string): Part {
  const curl = `curl -fsSO ${url}/doctor.mjs && node doctor.mjs`;
  return html`<section class="card" aria-labelledby="wrong-title"><div class="card-head"><h2 id="wrong-title">Something is wrong?</h2></div>
<p>The doctor looks at this machine, changes nothing, and says what is wrong and how to mend it. It needs Node and installs nothing: <a href="/doctor.mjs">doctor.mjs</a>. Without Node: <a href="/doctor.sh">doctor.sh</a>, <a href="/doctor.ps1">doctor.ps1</a>.</p>
<pre class="copy" tabindex="0" data-copy="the doctor" aria-labelledby="wrong-title"><code>${curl}</code></pre></section>`;
}
