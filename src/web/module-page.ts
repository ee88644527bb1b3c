import { demand } from '../access/demand.ts';
import type { ModuleVulnerabilities } from '../catalogue/known-vulnerabilities.ts';
import { GokeepError } from '../errors.ts';
import { sendPage } from './answer.ts';
import { cut } from './found.ts';
import { graphTab } from './graph-tab.ts';
import { html, type Part } from './html.ts';
import { moduleLink, PREFIX, parseModule } from './links.ts';
import { filesTab, packagesTab } from './module-content.ts';
import { overview } from './module-overview.ts';
import { recordTab } from './module-record.ts';
import { dependenciesTab, versionsTab } from './module-relations.ts';
import {
  type ChosenVersion,
  type ModuleView,
  type ModuleVisit,
  viewModule,
  viewVersion,
} from './module-view.ts';
import { vulnerabilitiesTab, vulnerableTag } from './module-vulnerabilities.ts';
import { ago } from './present.ts';
import type { Site, Visit } from './site.ts';

const TABS: Readonly<
  Record<string, readonly [name: string, show: (m: ModuleVisit) => Part | Promise<Part>]>
> = {
  '': ['Overview', overview],
  versions: ['Versions', versionsTab],
  packages: ['Packages', packagesTab],
  dependencies: ['Dependencies', dependenciesTab],
  graph: ['Graph', graphTab],
  vulnerabilities: ['Vulnerabilities', vulnerabilitiesTab],
  files: ['Files', filesTab],
  record: ['Record', recordTab],
};

/** `/ui/mod/<path>` and `/ui/mod/<path>@<version>`: everything that is known here of a module. */
export async function modulePage(site: Site, visit: Visit, rest: string): Promise<void> {
  const { path, version } = parseModule(rest);
  demand(visit.principal, 'read', path);
  const module = await viewModule(site, path);
  const wanted = version ?? module.newest;
  const chosen = wanted === undefined ? undefined : viewVersion(site, module, wanted);
  if (chosen === undefined) throw absent(path, version);
  const tab = visit.query.get('tab') ?? '';
  const [, show] = (Object.hasOwn(TABS, tab) ? TABS[tab] : undefined) ?? ['', overview];
  const address = `${PREFIX.module}${rest}`;
  const known = await site.vulnerabilities.of(path);
  const shown = await show({ site, visit, module, chosen, known, address });
  sendPage(site, visit, {
    title: `${path} ${chosen.version}`,
    place: 'modules',
    main: html`${head(site, module, chosen, known)}
<nav class="tabs" aria-label="About this module">${Object.entries(TABS).map(([name, [title]]) => html`<a href="${moduleLink(path, version, name === '' ? undefined : name)}"${(name === tab || (name === '' && !Object.hasOwn(TABS, tab))) && html` aria-current="page"`}>${title}</a>`)}</nav>
${shown}`,
  });
}

export function absent(path: string, version: string | undefined): GokeepError {
  const what = version === undefined ? path : `${path}@${version}`;
  return new GokeepError(
    'not_found',
    `${what} is not held here, and is not on record; it comes here when somebody builds with it`,
  );
}

function head(site: Site, module: ModuleView, chosen: ChosenVersion, known: ModuleVulnerabilities): Part {
  const { path } = module;
  const { version, held, facts } = chosen;
  const synopsis = facts?.synopsis ?? '';
  return html`<div class="module-head">
<h1>${path} <span class="version">${version}</span></h1>
${synopsis !== '' && html`<p class="lead">${cut(synopsis)}</p>`}
<p class="tags">${site.isPrivate(path) && html`<span class="tag">private</span>`}
${version === module.newest && html`<span class="tag good">newest here</span>`}
${held?.yank !== undefined && html`<span class="tag bad">yanked</span>`}
${held?.retracted !== undefined && html`<span class="tag bad">retracted</span>`}
${module.deprecated !== '' && html`<span class="tag warn">deprecated</span>`}
${vulnerableTag(known, path, version)}
${chosen.incidents.length > 0 && html`<span class="tag bad">incident</span>`}</p>
${alerts(site, module, chosen)}
</div>`;
}

function alerts(site: Site, module: ModuleView, { version, held, incidents }: ChosenVersion): Part {
  const { path, newest, deprecated } = module;
  const parts: Part[] = [];
  if (incidents.length > 0)
    parts.push(
      html`<p class="alert">Something else than what is on record was seen of this module, and refused. <a href="${moduleLink(path, version, 'record')}">What was seen</a></p>`,
    );
  if (held?.yank !== undefined)
    parts.push(
      html`<p class="alert">Yanked here ${ago(held.yank.yankedAt, site.now())}: ${held.yank.reason}</p>`,
    );
  if (held?.retracted !== undefined)
    parts.push(
      html`<p class="alert">Retracted by its authors${held.retracted === '' ? '.' : `: ${held.retracted}`}</p>`,
    );
  if (deprecated !== '') parts.push(html`<p class="alert warn">Deprecated: ${deprecated}</p>`);
  if (held === undefined)
    parts.push(
      html`<p class="alert warn">On record, but its zip is not held here: nobody has asked for it yet.</p>`,
    );
  if (newest !== undefined && newest !== version && held !== undefined)
    parts.push(
      html`<p class="alert warn">This is not the newest version held here: <a href="${moduleLink(path, newest)}">${newest}</a></p>`,
    );
  return parts.length > 0 && html`<div class="alerts">${parts}</div>`;
}
