import { VERSION } from '../version.ts';
import { type Html, html, type Part } from './html.ts';
import type { Site, Visit } from './site.ts';

export interface Page {
  /** Of the window; what it is about comes first. */
  readonly title: string;
  readonly main: Part;
  /** Which entry of the navigation it belongs to. */
  readonly place?: 'modules' | 'log' | 'status' | undefined;
  /** What stands in the search box. */
  readonly searched?: string | undefined;
  /** It has a search box of its own. */
  readonly hasSearch?: boolean;
}

/** The house style of every page: where one is, where one can go, and a search box. Works without the script. */
export function layout(site: Site, visit: Visit, page: Page): Html {
  const { style, script, icon } = site.assets;
  const here = (place: Page['place']) => page.place === place && html` aria-current="page"`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${page.title} · gokeep</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="${style.url}">
<link rel="icon" href="${icon.url}" type="image/svg+xml">
<link rel="search" type="text/html" href="/ui/search">
<script type="module" src="${script.url}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="bar">
<div class="bar-in">
<a class="brand" href="/ui/"><img src="${icon.url}" alt="" width="26" height="26"><span>gokeep</span></a>
<nav aria-label="Pages"><a href="/ui/modules"${here('modules')}>Modules</a><a href="/ui/log"${here('log')}>Log</a><a href="/ui/status"${here('status')}>Status</a><a href="/setup">Set up</a></nav>
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

function search(searched: string): Part {
  return html`<form class="find" role="search" action="/ui/search">
<label class="hidden" for="bar-q">Search modules</label>
<input id="bar-q" type="search" name="q" value="${searched}" placeholder="Search modules" maxlength="200" autocomplete="off" spellcheck="false">
<button>Search</button>
</form>`;
}

function signIn({ asksWho }: Site, { signedIn, principal }: Visit): Part {
  if (!asksWho) return undefined;
  if (!signedIn) return html`<p class="who"><a href="/ui/sign-in">Sign in</a></p>`;
  return html`<form class="who" method="post" action="/ui/sign-out"><span class="name" title="${principal.name}">${principal.name.replace(/^token:/, '')}</span><button class="plain">Sign out</button></form>`;
}
