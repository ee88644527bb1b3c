import type { StoredToken } from '../store/token-table.ts';
import { adminTabs } from './administration.ts';
import { html, type Html, type Part } from './html.ts';
import { day } from './present.ts';
import type { Site } from './site.ts';
import { rights } from './token-rights.ts';

/** A token that was just made: the only time that it is shown. */
export function madePage(site: Site, stored: StoredToken, token: string): Html {
  const { url } = site.settings();
  const host = URL.canParse(url) ? new URL(url).host : '<this host>';
  return html`${adminTabs('tokens')}
<h1 class="made">Token <strong>${stored.name}</strong></h1>
<p class="alert warn" role="status">Copy it now. Nothing can show it again: what is kept is its SHA-256.</p>
<div class="cards made">
${copied('token', 'The token', token)}
${copied('netrc', 'For ~/.netrc, on Windows %USERPROFILE%\\_netrc', `machine ${host} login token password ${token}`)}
<section class="card" aria-labelledby="goauth-title"><div class="card-head"><h2 id="goauth-title">Without a file in the home directory</h2></div>
<p>Put the token into a file that only its reader can read, and have <code>go</code> ask for it:</p>
<pre class="copy" tabindex="0" data-copy="GOAUTH" aria-labelledby="goauth-title"><code>export GOAUTH="npx gokeep goauth --url ${url} --token-file /run/secrets/gokeep"</code></pre></section>
</div>
<dl class="facts card made"><div><dt>May</dt><dd>${rights(stored)}</dd></div>
<div><dt>Expires</dt><dd>${stored.expires === undefined ? 'never' : day(stored.expires)}</dd></div></dl>
<p class="pager"><a href="/ui/admin/tokens">All tokens</a></p>`;
}

function copied(id: string, title: string, text: string): Part {
  return html`<section class="card" aria-labelledby="${id}-title"><div class="card-head"><h2 id="${id}-title">${title}</h2></div>
<pre class="copy" tabindex="0" data-copy="${title}" aria-labelledby="${id}-title"><code>${text}</code></pre></section>`;
}
