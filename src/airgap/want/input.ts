/** What a person named, read and classified. Everything in it that came out of a file is that file's author's word. */

import type { GoSumLine } from '../../modfile/go-sum.ts';
import type { ModFile } from '../../modfile/mod-file.ts';
import type { WorkFile } from '../../modfile/work-file.ts';
import type { Skipped } from './wanted.ts';

/** The go.mod of a directory that stands for a module, or why it was not read. */
export type LocalModule = { readonly file: ModFile } | { readonly missing: string };

/** The directories that a file's `replace` lines name, by the path as written there. */
export type LocalModules = ReadonlyMap<string, LocalModule>;

/** A go.mod on disk, read strictly. */
export interface MainModule {
  /** What to call it in a sentence: the file as the person would name it. */
  readonly name: string;
  readonly file: ModFile;
  readonly local: LocalModules;
}

export interface MainModuleInput extends MainModule {
  readonly kind: 'main';
  /**
   * It is here because a go.work uses it, and may not be meant to be built outside that workspace: a requirement that
   * nobody knows is then no failure.
   */
  readonly inWorkspace: boolean;
}

/** A go.work and the modules that it uses, which are inputs of their own as well. */
export interface WorkspaceInput {
  readonly kind: 'workspace';
  readonly name: string;
  readonly file: WorkFile;
  readonly local: LocalModules;
  readonly modules: readonly MainModule[];
}

export interface GoSumInput {
  readonly kind: 'sum';
  readonly name: string;
  readonly lines: readonly GoSumLine[];
}

/** `module@query`, as an argument or on a line of a list. */
export interface QueryInput {
  readonly kind: 'query';
  readonly name: string;
  readonly path: string;
  /** A version, `latest`, `v1`, a branch or a commit. */
  readonly query: string;
  /** When upstream does not know it, it is left out. */
  readonly isWish: boolean;
}

/** A software bill of materials. */
export interface SbomInput {
  readonly kind: 'sbom';
  readonly name: string;
  /** Versions are canonical, or commits. */
  readonly components: readonly { readonly path: string; readonly version: string }[];
  readonly skipped: readonly Skipped[];
}

export type Input = MainModuleInput | WorkspaceInput | GoSumInput | QueryInput | SbomInput;
