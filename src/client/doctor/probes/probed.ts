import type { Failure } from '../net/failure.ts';

/** What an entry of GOPROXY, or --url, said when it was asked who it is. */
export interface EntryProbe {
  /** Without userinfo and query. */
  readonly url: string;
  readonly identity:
    | { readonly kind: 'gokeep'; readonly database: string; readonly traces?: true }
    | { readonly kind: 'other'; readonly status: number; readonly isHtml: boolean }
    | { readonly kind: 'unreached'; readonly failure: Failure };
  /** How far this machine's clock is ahead of the server's, in milliseconds; undefined where it names no date. */
  readonly clockAhead: number | undefined;
}

/** What our server says to the credentials that go would send. */
export type AccessProbe =
  | { readonly kind: 'open' }
  | { readonly kind: 'limited' }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly said: string;
      /** Where the credentials came from that were sent. */
      readonly sent: CredentialSource | undefined;
    }
  | { readonly kind: 'unreached'; readonly failure: Failure };

export type CredentialSource = 'GOPROXY' | 'netrc' | 'GOAUTH';

export type DatabaseProbe =
  | { readonly kind: 'not asked'; readonly why: string }
  /** GOSUMDB names a database that our server does not serve. */
  | { readonly kind: 'unsupported'; readonly name: string; readonly status: number }
  | { readonly kind: 'unreached'; readonly failure: Failure }
  /** It answered a question about a module with an error. */
  | { readonly kind: 'refused'; readonly said: string }
  /** Signed by another key than GOSUMDB's. */
  | { readonly kind: 'other key'; readonly signedBy: readonly string[] }
  /** A head, a tile or a record that does not prove what it says. */
  | { readonly kind: 'false'; readonly said: string }
  /** It contradicts the head that go remembers here. */
  | {
      readonly kind: 'fork';
      readonly said: string;
      readonly remembered: number;
      readonly size: number | undefined;
    }
  /** It is smaller than what go has seen of it; `agrees`: it is how the remembered one begins. */
  | { readonly kind: 'shrunk'; readonly remembered: number; readonly size: number; readonly agrees: boolean }
  | {
      readonly kind: 'proven';
      readonly size: number;
      /** Size of the remembered head that it is consistent with. */
      readonly remembered: number | undefined;
      readonly lookup: string | undefined;
    };

export type DownloadProbe =
  | { readonly kind: 'not tried'; readonly why: string }
  | { readonly kind: 'downloaded'; readonly module: string; readonly ms: number }
  | { readonly kind: 'failed'; readonly module: string; readonly said: string; readonly timedOut: boolean };

/** Everything that was found out by asking the network. */
export interface Probed {
  readonly entries: readonly EntryProbe[];
  /** The server that this is about: --url, else the first entry of GOPROXY that is a gokeep, else the first that is ours to ask. */
  readonly target: EntryProbe | undefined;
  /** The GOSUMDB line that the server's own page shows. */
  readonly gosumdbLine: string | undefined;
  readonly access: AccessProbe | undefined;
  readonly database: DatabaseProbe;
  readonly download: DownloadProbe;
  /** Credentials that were sent: a server may say them back. */
  readonly secrets: readonly string[];
  readonly ms: number;
}
