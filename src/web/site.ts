import type { BundleDesk } from '../airgap/jobs/desk.ts';
import type { Catalogue, PackageReader, ZipFiles } from '../catalogue/catalogue.ts';
import type { KnownVulnerabilities } from '../catalogue/known-vulnerabilities.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Gate } from '../http/gate.ts';
import type { Asked } from '../http/handler.ts';
import type { ClientSettings } from '../http/start-page.ts';
import type { Signing } from '../publish/signing.ts';
import type { HostedTables } from '../store/hosted-tables.ts';
import type { DatabaseReader } from '../sumdb/reader.ts';
import type { Administration } from './administration.ts';
import type { Assets } from './assets.ts';
import type { Attempts } from './attempts.ts';
import type { People } from './people.ts';
import type { Sessions } from './sessions.ts';
import type { Status } from './status.ts';

/** What pages are made of. */
export interface SiteParts {
  readonly exchange: Exchange;
  readonly gate: Gate;
  /** Clients need credentials. */
  readonly asksWho: boolean;
  /** Known only once the server listens. */
  readonly settings: () => ClientSettings;
  /** Name of our checksum database. */
  readonly name: string;
  readonly catalogue: Catalogue;
  readonly zips: ZipFiles;
  readonly packages: PackageReader;
  readonly vulnerabilities: Pick<KnownVulnerabilities, 'of'>;
  readonly reader: DatabaseReader;
  readonly hosted: Pick<HostedTables, 'yanks'>;
  readonly signing: Pick<Signing, 'show'>;
  /** The go.mod that is held of a version. */
  readonly goMod: (path: string, version: string) => Promise<Buffer | undefined>;
  readonly isPrivate: (path: string) => boolean;
  /** Where bundles are made, looked at and imported; undefined where that is done by nobody. */
  readonly desk: BundleDesk | undefined;
  readonly status: Status;
  readonly now: () => number;
  /** Undefined where nobody administers anything. */
  readonly admin: Administration | undefined;
  /** Signs people in at a provider; undefined: by token only. */
  readonly people: People | undefined;
}

export interface Site extends SiteParts {
  readonly assets: Assets;
  readonly sessions: Sessions;
  readonly attempts: Attempts;
}

/** A request for a page: its path, without query, and what the query says. */
export interface Visit extends Asked {
  readonly query: URLSearchParams;
  /** Whether the cookie of a session came, and it holds. */
  readonly signedIn: boolean;
  /** What somebody calls himself who signed in at a provider. */
  readonly called?: string | undefined;
  readonly mayRead: (modulePath: string) => boolean;
}
