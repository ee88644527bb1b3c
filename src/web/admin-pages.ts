import { auditPage } from './admin-audit.ts';
import { entryPage } from './admin-audit-entry.ts';
import { makeToken, revokePage, revokeToken, tokensPage } from './admin-tokens.ts';
import { redirect } from './answer.ts';
import type { Site, Visit } from './site.ts';

type Show = (site: Site, visit: Visit, rest: string) => void | Promise<void>;

/** What administrators look at, for the table of pages. */
export const ADMIN_PAGES: readonly (readonly [address: string, show: Show])[] = [
  ['/ui/admin', (site, visit) => redirect(site, visit, '/ui/admin/tokens')],
  ['/ui/admin/tokens', tokensPage],
  ['/ui/admin/tokens/revoke', revokePage],
  ['/ui/admin/audit', auditPage],
  ['/ui/admin/audit/', entryPage],
];

export const ADMIN_FORMS: readonly (readonly [address: string, show: Show])[] = [
  ['/ui/admin/tokens', makeToken],
  ['/ui/admin/tokens/revoke', revokeToken],
];
