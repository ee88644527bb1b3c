import { VERSION } from '../version.ts';
import { isAdministrator } from './administration.ts';
import { type Html, html, type Part } from './html.ts';
import type { Site, Visit } from './site.ts';

export interface Page {
  /** Of the window; what it is about comes first. */
  readonly title: string;
  readonly main: Part;
  /** Which entry of the navigation it belongs to. */
  readonly place?: 'modules' | 'log' | 'status' | 'setup' | 'bundles' | 'admin' | undefined;
  /** What stands in the search box. */
  readonly searched?: string | undefined;
  /** Seconds until a browser without the script asks for it again. */
  readonly refresh?: number | undefined;
  /** It has what the script about bundles is for. */
  readonly script?: true;
  /** It has a search box of its own. */
  readonly hasSearch?: boolean;
  /** Where it goes on to by itself, at once; its own address is nobody's to know. */
  readonly goesOnTo?: string | undefined;
}

/** The house style of every page: where one is, where one can go, and a search box. Works without the script. */
export function layout(site: Site, visit: Visit, page: Page): Html {
  const { style, script, bundles, icon } = site.assets;
  const here = (place: Page['place']) => page.place === place && html` aria-current="page"`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${page.title} · gokeep</title>
<meta name="description" content="${describe(page.title)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${page.goesOnTo !== undefined && html`<meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url=${page.goesOnTo}">`}
<link rel="stylesheet" href="${style.url}">
<link rel="icon" href="${icon.url}" type="image/svg+xml">
<link rel="search" type="text/html" href="/ui/search">
<script type="module" src="${script.url}"></script>
${page.script === true && html`<script type="module" src="${bundles.url}"></script>`}
${page.refresh !== undefined && html`<noscript><meta http-equiv="refresh" content="${page.refresh}"></noscript>`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="bar">
<div class="bar-in">
<a class="brand" href="/ui/"><img src="${icon.url}" alt="" width="26" height="26"><span>gokeep</span></a>
<nav aria-label="Pages"><a href="/ui/modules"${here('modules')}>Modules</a><a href="/ui/log"${here('log')}>Log</a><a href="/ui/status"${here('status')}>Status</a><a href="/ui/setup"${here('setup')}>Set up</a>${visit.principal.mayAll('admin') && html`<a href="/ui/bundles"${here('bundles')}>Bundles</a>`}${isAdministrator(site, visit) && html`<a href="/ui/admin/tokens"${here('admin')}>Admin</a>`}</nav>
${page.hasSearch !== true && search(page.searched ?? '')}
${signIn(site, visit)}
</div>
</header>
<main id="main" tabindex="-1">
${page.main}
</main>
<footer class="foot">
<p>Checksum database <code>${site.name}</code></p>
<p><a href="/api/v1/openapi.json">API</a> <span class="quiet">gokeep ${VERSION}</span></p>
</footer>
</body>
</html>
`;
}

/** What a search engine or a chat shows of a page: at most so long. */
function describe(title: string): string {
  const about =
    'on a Go module proxy and checksum database that has go verify every module, private ones too.';
  return `${title.length > 90 ? `${title.slice(0, 90)}…` : title}: ${about}`;
}

function search(searched: string): Part {
  return html`<form class="find" role="search" action="/ui/search">
<label class="hidden" for="bar-q">Search modules</label>
<input id="bar-q" type="search" name="q" value="${searched}" placeholder="Search modules" maxlength="200" autocomplete="off" spellcheck="false">
<button>Search</button>
</form>`;
}

function signIn({ asksWho }: Site, { signedIn, principal, called }: Visit): Part {
  if (!asksWho) return undefined;
  if (!signedIn) return html`<p class="who"><a href="/ui/sign-in">Sign in</a></p>`;
  return html`<form class="who" method="post" action="/ui/sign-out"><span class="name" title="${principal.name}">${called ?? principal.name.replace(/^token:/, '')}</span><button class="plain">Sign out</button></form>`;
}
