import type { SetupSettings } from './settings.ts';

/** A file as it is handed out; the first line of its text is the checksum line. */
export interface SetupFile {
  /** Relative, with `/`. */
  readonly name: string;
  readonly text: string;
  /** SHA-256 in hexadecimal of the text below its first line. */
  readonly sha256: string;
}

/** How a language writes a comment of one line. */
export interface Comment {
  readonly open: string;
  readonly close?: string;
  /** The ends of lines; a batch file wants its own. */
  readonly newline?: '\r\n';
}

export const HASH: Comment = { open: '# ' };
export const SLASHES: Comment = { open: '// ' };
export const XML: Comment = { open: '<!-- ', close: ' -->' };

/** A file of a target before its checksum line. */
export interface Draft {
  readonly name: string;
  readonly comment: Comment;
  readonly body: string;
}

/** One way to set up a client. */
export interface Target {
  /** As `--for` and the path below `/setup/` name it. */
  readonly name: string;
  readonly title: string;
  readonly drafts: (settings: SetupSettings) => readonly Draft[];
  /** How to undo it, in a sentence or two. */
  readonly undo: (settings: SetupSettings) => string;
  /** The text that undoes it, where it is a script. */
  readonly undoDrafts?: (settings: SetupSettings) => readonly Draft[];
}
