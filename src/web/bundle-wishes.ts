import type { BundleDesk } from '../airgap/jobs/desk.ts';
import { isOnlyGoMod, wishEntry, wishText } from '../proxy/wish-text.ts';
import { NEWEST } from '../store/wish-table.ts';
import { sendPage } from './answer.ts';
import { BUNDLES } from './bundle-list.ts';
import { html } from './html.ts';
import { ago, count, counted } from './present.ts';
import { rowsOf, rowsPager, table, unseen } from './rows.ts';
import type { Site, Visit } from './site.ts';

const A_PAGE = 100;
/** A longer list is downloaded: a page stays small. */
const MOST_COPIED = 8_000;

/** `/ui/bundles/wishes`: what was asked for here and is not there. */
export async function wishesPage(site: Site, visit: Visit, { o }: BundleDesk): Promise<void> {
  const wishes = await o.wishes();
  const times = html`<th scope="col" class="number">Asked</th>`;
  const shown = rowsOf(
    wishes,
    visit,
    A_PAGE,
    (
      wish,
    ) => html`<tr><th scope="row" class="any">${wishEntry(wish)}</th><td>${wish.query === NEWEST ? html`<span class="quiet">maybe no module</span>` : isOnlyGoMod(wish) && html`<span class="quiet">its go.mod only</span>`}</td><td class="number">${counted(wish.asked, 'time')}</td><td>${ago(wish.lastAsked, site.now())}</td></tr>
`,
  );
  const text = wishText(wishes);
  sendPage(site, visit, {
    title: 'Wish list',
    place: 'bundles',
    main: html`<p class="crumb"><a href="${BUNDLES}">Bundles</a></p>
<div class="head"><h1>Wish list</h1><p class="quiet">${counted(wishes.length, 'wish', 'wishes')}</p></div>
<p class="lead">What clients asked for here and is not there. It is what the next bundle is made from.</p>
${
  wishes.length === 0
    ? html`<p class="empty">${o.offline ? 'Nothing: whatever was asked for is here.' : 'Nothing: this server has a network, and fetches what is asked for.'}</p>`
    : html`<div class="actions"><a class="button" href="${BUNDLES}/wishes.txt" download>Download wishes.txt</a></div>
<p class="under">Review it, and take it to the connected side: paste it there into <strong>Make a bundle</strong>, or name it to <code>gokeep bundle create --output next.tar wishes.txt</code>.</p>
${table('Wishes', ['Module and version', unseen('What of it'), times, 'Last asked'], shown.rows)}${rowsPager(shown, `${BUNDLES}/wishes`)}
${text.length <= MOST_COPIED && html`<section class="card spaced" aria-labelledby="copy-title"><div class="card-head"><h2 id="copy-title">As text</h2></div><pre class="copy" tabindex="0" data-copy="the wish list" aria-labelledby="copy-title"><code>${text}</code></pre></section>`}`
}
${wishes.length > A_PAGE && html`<p class="quiet">${count(wishes.length)} in all; the file has them all.</p>`}`,
  });
}
