import type { FoundModule, FoundModules } from '../catalogue/catalogue.ts';
import { sendPage } from './answer.ts';
import { html, type Part } from './html.ts';
import { moduleLink, withQuery } from './links.ts';
import { counted } from './present.ts';
import type { Site, Visit } from './site.ts';

const A_PAGE = 40;
/** The longest query, in characters: nobody types more, and a search costs what it is long. */
export const LONGEST_QUERY = 200;
/** Out of zips: a synopsis may be a page long. */
const LONGEST_SYNOPSIS = 240;

export function asksFor({ query }: Visit): string {
  return (query.get('q') ?? '').trim().slice(0, LONGEST_QUERY);
}

/** `/ui/search?q=`: what fits, best first. */
export function searchPage(site: Site, visit: Visit): void {
  const q = asksFor(visit);
  const found: FoundModules =
    q === ''
      ? { modules: [], total: 0, next: undefined }
      : site.catalogue.search(q, { mayRead: visit.mayRead, limit: A_PAGE, after: after(visit) });
  const said = q === '' ? 'What are you looking for?' : html`Modules for <q>${q}</q>`;
  const none =
    q === ''
      ? 'Search by module path, package or synopsis.'
      : 'No module that is held here and that you may read fits. Modules come here when somebody builds with them.';
  sendPage(site, visit, {
    title: q === '' ? 'Search' : `${q}: search`,
    main: html`<div class="head"><h1>${said}</h1>${q !== '' && total(found)}</div>
${listed(found, none)}
${pager('/ui/search', { q }, visit, found.next)}`,
    searched: q,
  });
}

/** `/ui/modules`: all there are, by path. */
export function modulesPage(site: Site, visit: Visit): void {
  const found = site.catalogue.list({ mayRead: visit.mayRead, limit: A_PAGE, after: after(visit) });
  sendPage(site, visit, {
    title: 'Modules',
    place: 'modules',
    main: html`<div class="head"><h1>Modules</h1>${total(found)}</div>
${listed(found, emptyHere(site, visit))}
${pager('/ui/modules', {}, visit, found.next)}`,
  });
}

function emptyHere({ asksWho }: Site, { signedIn }: Visit): Part {
  if (asksWho && !signedIn)
    return html`Nothing here may be read without credentials. <a href="/ui/sign-in?next=${encodeURIComponent('/ui/modules')}">Sign in</a>`;
  return 'No module is held here yet. They come when somebody builds with them.';
}

/** Where the last page ended, as its link says; the client's. */
export const after = ({ query }: Visit): string | undefined =>
  query.get('after')?.slice(0, 1024) || undefined;

const total = (found: FoundModules): Part => html`<p class="quiet">${counted(found.total, 'module')}</p>`;

function listed({ modules }: FoundModules, none: Part): Part {
  if (modules.length === 0) return html`<p class="empty">${none}</p>`;
  return html`<ul class="list">${modules.map(row)}</ul>`;
}

function row({ path, version, synopsis, packages }: FoundModule): Part {
  const below = packages.filter((importPath) => importPath !== path);
  return html`<li><a class="path" href="${moduleLink(path)}">${path}</a> <span class="quiet">${version}</span>
${synopsis !== '' && html`<p>${cut(synopsis)}</p>`}
${below.length > 0 && html`<p class="packages">${below.map((importPath, at) => html`${at > 0 && ', '}<code>${importPath}</code>`)}</p>`}</li>
`;
}

export const cut = (synopsis: string): string =>
  synopsis.length > LONGEST_SYNOPSIS ? `${synopsis.slice(0, LONGEST_SYNOPSIS)}…` : synopsis;

/** Forward by link; back by the browser, and to the beginning by a link. */
export function pager(
  address: string,
  query: Readonly<Record<string, string | undefined>>,
  visit: Visit,
  next: string | undefined,
): Part {
  const started = after(visit) !== undefined;
  if (!started && next === undefined) return undefined;
  return html`<nav class="pager" aria-label="More">
${started && html`<a href="${withQuery(address, query)}">From the beginning</a>`}
${next !== undefined && html`<a class="button" rel="next" href="${withQuery(address, { ...query, after: next })}">More</a>`}
</nav>`;
}
