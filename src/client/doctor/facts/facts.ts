import type { GoproxyEntry } from './goproxy-list.ts';

/** Where a value comes from that go acts on. */
export type Origin =
  | { readonly kind: 'environment'; readonly profile?: ProfileSetting }
  | { readonly kind: 'goenv'; readonly file: string }
  | { readonly kind: 'go.env'; readonly file: string }
  | { readonly kind: 'derived'; readonly from: string }
  | { readonly kind: 'default' };

/** A variable of the go command, and what is said of it elsewhere to no effect. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly origin: Origin;
  /** Set there too, to something else, without effect. */
  readonly shadowed: readonly { readonly origin: Origin; readonly value: string }[];
}

/** A line of a profile that sets a variable for shells or sessions yet to come. */
export interface ProfileSetting {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly value: string;
  /** False where the value holds what only the shell can work out. */
  readonly literal: boolean;
}

/** The go command of this machine. */
export type GoCommand =
  | { readonly kind: 'absent' }
  | { readonly kind: 'refuses'; readonly said: string }
  | { readonly kind: 'runs'; readonly version: string };

export interface NetrcFact {
  readonly file: string;
  readonly state: 'absent' | 'unreadable' | 'read';
  readonly why: string | undefined;
  /** Permission bits; 0 where it was not read or they say nothing. */
  readonly mode: number;
  readonly machines: readonly {
    readonly machine: string;
    readonly username: string;
    readonly password: string;
  }[];
  /** Names of machines with something missing, which go skips. */
  readonly incomplete: readonly string[];
}

/** The newest tree head of GOSUMDB's database that go has kept here. */
export type RememberedHead =
  | { readonly kind: 'none' }
  | { readonly kind: 'head'; readonly file: string; readonly size: number; readonly note: Buffer }
  | { readonly kind: 'other key'; readonly file: string; readonly signedBy: readonly string[] }
  | { readonly kind: 'garbage'; readonly file: string };

/** What GOSUMDB says. */
export type SumdbFact =
  | { readonly kind: 'off' }
  | { readonly kind: 'bad'; readonly why: string }
  | {
      readonly kind: 'database';
      readonly name: string;
      readonly vkey: string;
      /** Where to reach it past GOPROXY. */
      readonly url: string | undefined;
    };

export interface MainModule {
  /** Absolute path of go.mod. */
  readonly file: string;
  readonly path: string | undefined;
  readonly go: string | undefined;
  readonly toolchain: string | undefined;
  readonly hasVendor: boolean;
  readonly requires: readonly { readonly path: string; readonly version: string }[];
}

export interface PlaceFact {
  readonly directory: string;
  /** Undefined where go can write there. */
  readonly problem: string | undefined;
  readonly onShare: string | undefined;
}

/** Everything that was found out without asking anybody else. */
export interface Facts {
  readonly platform: NodeJS.Platform;
  readonly now: number;
  readonly isCi: boolean;
  readonly go: GoCommand;
  /** By name: all that `go env` reports, and some that it does not. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Names that `go env -changed` reports; undefined where this go cannot say. */
  readonly changed: readonly string[] | undefined;
  readonly goproxy: readonly GoproxyEntry[];
  readonly sumdb: SumdbFact;
  readonly profiles: readonly ProfileSetting[];
  /** Names in the process environment that resemble Go's but are none of them, and where else they stand. */
  readonly myths: readonly { readonly name: string; readonly where: string }[];
  readonly netrc: NetrcFact;
  readonly git: { readonly caFile: string | undefined; readonly verifies: boolean };
  /** Files that other programs of this machine take their authorities from. */
  readonly otherCaFiles: readonly string[];
  readonly tls: {
    /** Files and directories that go reads its authorities from, as far as they are there. */
    readonly files: readonly string[];
    readonly missing: readonly string[];
    /** False where the system verifies for go, and files count for nothing. */
    readonly byFile: boolean;
  };
  readonly head: RememberedHead;
  readonly gocache: PlaceFact;
  readonly gomodcache: PlaceFact;
  readonly gopath: PlaceFact;
  readonly cgo: { readonly enabled: boolean; readonly cc: string; readonly found: boolean };
  readonly main: MainModule | undefined;
}

/** The value go acts on; empty where there is none. */
export function valueOf(facts: Pick<Facts, 'variables'>, name: string): string {
  return facts.variables.get(name)?.value ?? '';
}
