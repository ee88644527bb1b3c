import { TokenChanges } from '../audit/token-changes.ts';
import { TrailPages } from '../audit/trail-pages.ts';
import type { Config } from '../config/load.ts';
import type { TokenUses } from '../store/token-use-table.ts';
import type { Administration } from '../web/administration.ts';
import { openUpstreamReader } from './local-log.ts';
import { isLoopbackOnly } from './server-publishing.ts';
import type { ServedTrail } from './server-trail.ts';
import { tokensFile } from './token.ts';

export interface AdminParts {
  readonly audit: ServedTrail;
  /** Tokens have changed. */
  readonly onTokens: () => void;
  readonly onHiddenError: (error: unknown, what: string) => void;
}

/** What administrators look at and change, in a running server. */
export function openAdministration(
  config: Config,
  { audit, onTokens, onHiddenError }: AdminParts,
): Administration {
  const uses = (): TokenUses | undefined => {
    try {
      using upstream = openUpstreamReader(config);
      return upstream.tokenUses();
    } catch (error) {
      // Who wants to revoke one is shown them whatever is wrong here.
      onHiddenError(error, 'reading which tokens were used');
      return undefined;
    }
  };
  const { trail, reader, heads } = audit;
  return {
    tokens: new TokenChanges({ file: tokensFile(config), trail, uses, onChanged: onTokens, now: Date.now }),
    trail: new TrailPages(reader),
    heads,
    fromHereOnly: isLoopbackOnly(config),
  };
}
