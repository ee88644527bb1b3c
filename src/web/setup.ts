import { oneLine } from '../client/setup/one-line.ts';
import { checkedSettings, type SetupSettings } from '../client/setup/settings.ts';
import type { SetupFile, Target } from '../client/setup/target.ts';
import { setupFiles, targetNamed } from '../client/setup/targets.ts';
import { sendPage } from './answer.ts';
import { copied, somethingWrong, tokenNote } from './copied.ts';
import { html, type Part } from './html.ts';
import { GROUPS, likelyTarget, runLine } from './setup-groups.ts';
import type { Site, Visit } from './site.ts';

/**
 * `/ui/setup` and `/ui/setup/<target>`: pick a system, copy its text, and take it back. Everybody may read it.
 *
 * @param rest name of the target; without one it is what the browser's system is likely to want
 * @throws not_found; bad_config where the settings cannot be written into scripts
 */
export function setupPage(site: Site, visit: Visit, rest: string): void {
  const settings = checkedSettings({ ...site.settings(), credentials: site.asksWho });
  const target = targetNamed(rest === '' ? likelyTarget(visit.request.headers['user-agent']) : rest);
  const { set, undo } = oneLine(settings);
  const how = html`<p class="below">For this user, in every shell and IDE, with nothing but <code>go</code>, which itself says so where a variable of the environment wins. Undo:</p>
<pre class="copy" tabindex="0" aria-label="Undo of the one line"><code>${undo}</code></pre>`;
  const main = html`<h1>Set up a client</h1>
<p class="lead">The texts have the address and key of this server in them. Each can be run again, and be taken back.</p>
<div class="cards">
${copied('one', 'One line, in any shell', set, how)}
</div>
<div class="note">${tokenNote(settings)}</div>
<div class="pick">
${picker(target.name)}
<div class="cards picked" id="picked">
${picked(target, settings)}
${somethingWrong(settings.url)}
</div>
</div>`;
  sendPage(site, visit, { title: `Set up ${labelOf(target.name)}`, main, place: 'setup' });
}

function picker(chosen: string): Part {
  const entry = (name: string, label: string) =>
    html`<li><a href="/ui/setup/${name}#picked"${name === chosen && html` aria-current="page"`}>${label}</a></li>`;
  return html`<nav class="systems" aria-label="Systems">
${GROUPS.map(
  ([title, choices]) => html`<div><h2>${title}</h2>
<ul>${choices.map(([name, label]) => entry(name, label))}</ul></div>
`,
)}</nav>`;
}

const labelOf = (name: string): string =>
  GROUPS.flatMap(([, choices]) => choices).find(([each]) => each === name)?.[1] ?? name;

function picked(target: Target, settings: SetupSettings): Part {
  const { name, title } = target;
  const run = runLine(name, settings.url);
  const files = setupFiles(target, settings);
  const undone = target.undo(settings);
  const what = title.slice(title.indexOf(':') + 1).trim();
  return html`<div><h2 class="picked-title">${labelOf(name)}</h2>
<p class="quiet">${what.charAt(0).toUpperCase()}${what.slice(1)}.</p></div>
${run !== undefined && copied('run', 'Run it', run)}
${files.map((file, at) => shown(file, at, `/setup/${name}${files.length === 1 ? '' : `/${file.name}`}`))}
${
  target.undoDrafts === undefined
    ? html`<section class="card" aria-labelledby="undo-title"><div class="card-head"><h2 id="undo-title">Undo</h2></div><p>${undone}</p></section>`
    : copied('undo', 'Undo', undone)
}`;
}

function shown({ name, text, sha256 }: SetupFile, at: number, address: string): Part {
  const id = `file-${at}`;
  return html`<section class="card" aria-labelledby="${id}"><div class="card-head"><h2 id="${id}" class="file">${name}</h2><a class="button plain" href="${address}" download="${name.split('/').at(-1)}" aria-label="Download ${name}">Download</a></div>
<pre class="script" tabindex="0" data-copy="${name}" aria-labelledby="${id}"><code>${text}</code></pre>
<p class="below quiet">SHA-256 of everything below the first line: <code>${sha256}</code></p></section>`;
}
