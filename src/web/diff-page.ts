import { demand } from '../access/demand.ts';
import { sendPage } from './answer.ts';
import { compareVersions, type FileChange, isCompared, unified } from './changes.ts';
import { html, type Part } from './html.ts';
import { diffLink, moduleLink, parseDiff } from './links.ts';
import { absent } from './module-page.ts';
import { counted } from './present.ts';
import { rowsOf, rowsPager, table } from './rows.ts';
import type { Site, Visit } from './site.ts';

/** Of diffs so much is shown on the page of all changes, in characters of HTML; of one file's on its own page. */
const MOST_TOGETHER = 14_000;
const MOST_OF_ONE = 38_000;
const FILES = 120;
/** On the page of all changes so many files are compared line by line, in so many milliseconds: most need none. */
const COMPARED = 40;
const COMPARED_MS = 150;

const KINDS: Readonly<Record<FileChange['kind'], readonly [tag: string, name: string]>> = {
  added: ['good', 'added'],
  removed: ['bad', 'removed'],
  changed: ['warn', 'changed'],
  unknown: ['', 'not compared'],
};

/** `/ui/diff/<path>/<v1>...<v2>`: what changed from one version to another; `?file=` shows all of one file's. */
export async function diffPage(site: Site, visit: Visit, rest: string): Promise<void> {
  const { path, from, to } = parseDiff(rest);
  demand(visit.principal, 'read', path);
  const changes = await compareVersions(site.zips, path, from, to);
  if ('missing' in changes) throw absent(path, changes.missing);
  const file = visit.query.get('file');
  const one = file === null ? undefined : changes.files.find(({ name }) => name === file);
  const title = `${path}: ${from} to ${to}`;
  const main = html`<p class="crumb"><a href="${moduleLink(path, to, 'versions')}">${path}</a>${one !== undefined && html` / <a href="${diffLink(path, from, to)}">all changes</a>`}</p>
<h1 class="diff-title">${one === undefined ? html`Changes from <a href="${moduleLink(path, from)}">${from}</a> to <a href="${moduleLink(path, to)}">${to}</a>` : one.name}</h1>
${one === undefined ? await all(site, visit, path, from, to, changes) : await single(site, path, from, to, one)}`;
  sendPage(site, visit, { title, place: 'modules', main });
}

async function all(
  site: Site,
  visit: Visit,
  path: string,
  from: string,
  to: string,
  { files, same }: { files: readonly FileChange[]; same: number },
): Promise<Part> {
  const rows = rowsOf(files, visit, FILES, ({ name, kind }) => {
    const [tag, said] = KINDS[kind];
    return html`<tr><td><span class="tag ${tag}">${said}</span></td><th scope="row" class="any"><a href="${diffLink(path, from, to, name)}">${name}</a></th></tr>
`;
  });
  const parts: Part[] = [];
  const until = performance.now() + COMPARED_MS;
  let length = rows.rows.join('').length / 2;
  if (rows.from === 0)
    for (const change of files.filter(isCompared).slice(0, COMPARED)) {
      if (length > MOST_TOGETHER || performance.now() > until) break;
      const made = await block(site, path, from, to, change, MOST_TOGETHER - length);
      if (made === undefined) continue;
      length += made.toString().length;
      parts.push(html`<section><h2 class="file">${change.name}</h2>${made}</section>`);
    }
  const unknown = files.filter((change) => !isCompared(change)).length;
  return html`<p class="quiet">${counted(files.length - unknown, 'file')} differ, ${counted(same, 'file')} do not.${unknown > 0 && ` ${counted(unknown, 'file')} of the same size were not compared here, since there are so many; each is on its own page.`}</p>
${files.length > 0 && table('Changed files', ['State', 'File'], rows.rows)}
${rowsPager(rows, diffLink(path, from, to))}
${parts}`;
}

async function single(site: Site, path: string, from: string, to: string, change: FileChange): Promise<Part> {
  const made = await block(site, path, from, to, change, MOST_OF_ONE);
  return (
    made ??
    html`<p class="empty">This file is no text, or is too large or too different to be compared here.</p>`
  );
}

/** Undefined where there is nothing to be shown line by line. */
async function block(
  { zips }: Site,
  path: string,
  from: string,
  to: string,
  change: FileChange,
  most: number,
) {
  const lines = await unified(zips, path, from, to, change);
  if (lines === undefined) return undefined;
  const shown: Part[] = [];
  let length = 0;
  for (const line of lines) {
    const kind = line.startsWith('@@')
      ? 'at'
      : line.startsWith('+')
        ? 'add'
        : line.startsWith('-')
          ? 'del'
          : 'same';
    const made = html`<span class="${kind}">${line.length > 600 ? `${line.slice(0, 600)}…` : line}
</span>`;
    length += made.toString().length;
    if (shown.length > 0 && length > most) break;
    shown.push(made);
  }
  const cut = shown.length < lines.length;
  return html`<pre class="diff" tabindex="0" aria-label="Changes of ${change.name}"><code>${shown}</code></pre>
${cut && html`<p class="quiet">${counted(lines.length - shown.length, 'more line')}. <a href="${diffLink(path, from, to, change.name)}">This file alone</a></p>`}`;
}
