import { demandAll } from '../access/demand.ts';
import type { BundleDesk } from '../airgap/jobs/desk.ts';
import { fileName } from '../airgap/jobs/made-bundles.ts';
import { GokeepError } from '../errors.ts';
import { wishText } from '../proxy/wish-text.ts';
import { redirect } from './answer.ts';
import { bundlePage } from './bundle-page.ts';
import { importPage, inspectPage, sendImport, sendInspect } from './bundle-uploads.ts';
import { jobPage, jobState } from './bundle-job.ts';
import { makePage, sendMake } from './bundle-make.ts';
import { bundlesPage, BUNDLES, jobLink } from './bundle-list.ts';
import { wishesPage } from './bundle-wishes.ts';
import { sendFile } from './send-file.ts';
import { checkSameOrigin } from './same-origin.ts';
import type { Site, Visit } from './site.ts';

/** A page about bundles; `id` is what its address names. */
type Show = (site: Site, visit: Visit, desk: BundleDesk, id: string) => void | Promise<void>;

type Routes = readonly (readonly [address: RegExp, show: Show])[];

const PAGES: Routes = [
  [/^$/, bundlesPage],
  [/^\/make$/, makePage],
  [/^\/import$/, importPage],
  [/^\/inspect$/, inspectPage],
  [/^\/wishes$/, wishesPage],
  [/^\/wishes\.txt$/, wishFile],
  [/^\/jobs\/([0-9a-f]{32})$/, jobPage],
  [/^\/jobs\/([0-9a-f]{32})\/state$/, jobState],
  [/^\/([0-9a-f]{32})$/, bundlePage],
  [/^\/([0-9a-f]{32})\/file$/, (site, visit, desk, id) => sendMade(site, visit, desk, id, 'ui')],
];

const FORMS: Routes = [
  [/^\/make$/, sendMake],
  [/^\/import$/, sendImport],
  [/^\/inspect$/, sendInspect],
  [/^\/jobs\/([0-9a-f]{32})\/cancel$/, cancel],
  [/^\/([0-9a-f]{32})\/check$/, check],
  [/^\/([0-9a-f]{32})\/delete$/, remove],
];

/** `/ui/bundles` and all below it: for who administers everything, and for nobody else, whether there is anything or not. */
export async function bundlePages(site: Site, visit: Visit, rest: string): Promise<void> {
  demandAll(visit.principal, 'admin');
  const isForm = visit.request.method === 'POST';
  if (isForm) checkSameOrigin(site, visit.request);
  for (const [address, show] of isForm ? FORMS : PAGES) {
    const found = address.exec(rest);
    if (found === null || site.desk === undefined) continue;
    return show(site, visit, site.desk, found[1] ?? '');
  }
  throw new GokeepError('not_found', 'there is no page of this address');
}

/** The file of a bundle that was made here. */
export function sendMade(
  site: Site,
  visit: Visit,
  { o }: BundleDesk,
  id: string,
  kind: string,
): Promise<void> {
  const found = o.made.find(id);
  if (found === undefined)
    throw new GokeepError('not_found', 'this bundle does not wait here any more: have it made again');
  return sendFile(site, visit, kind, {
    file: o.made.file(found),
    name: `gokeep-${id}${fileName(found.compressed).slice('bundle'.length)}`,
    contentType: found.compressed ? 'application/zstd' : 'application/x-tar',
    etag: `"${found.sha256.slice(0, 32)}"`,
  });
}

async function wishFile(site: Site, visit: Visit, { o }: BundleDesk): Promise<void> {
  site.exchange.text(visit, {
    kind: 'ui',
    status: 200,
    contentType: 'text/plain; charset=utf-8',
    body: wishText(await o.wishes()),
    headers: ['Content-Disposition', 'attachment; filename="wishes.txt"', 'Cache-Control', 'no-store'],
  });
}

function cancel(site: Site, visit: Visit, { o }: BundleDesk, id: string): void {
  o.queue.cancel(id);
  redirect(site, visit, jobLink(id), []);
}

function check(site: Site, visit: Visit, desk: BundleDesk, id: string): void {
  redirect(site, visit, jobLink(desk.verifyMade(id, site.exchange.actor(visit)).id), []);
}

async function remove(site: Site, visit: Visit, { o }: BundleDesk, id: string): Promise<void> {
  await o.made.remove(id);
  redirect(site, visit, BUNDLES, []);
}
