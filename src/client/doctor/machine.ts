/** What the doctor may look at: one machine, so that what is made of it can be tried on made ones. */

/** A file that was looked for. `text` is at most as long as was asked for. */
export type FileState =
  | { readonly kind: 'file'; readonly text: string; readonly mode: number; readonly uid: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly why: string };

/** A command that has ended, or was ended. */
export interface Ran {
  /** -1 where it could not be started, or was ended by its deadline. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
  readonly timedOut: boolean;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly deadline: number;
}

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  /** Of this process; undefined on Windows. */
  readonly uid: number | undefined;
  now(): number;
  read(file: string, most?: number): FileState;
  /** Names in a directory; none where it cannot be read. */
  list(directory: string): readonly string[];
  /** Undefined where files can be written there, or where it could be made; else why not. Leaves nothing behind. */
  writeProblem(directory: string): string | undefined;
  /** Kind of file system that holds a path, as the kernel calls it; undefined where that is not known. */
  fileSystem(path: string): string | undefined;
  /** Whether a program is found on PATH, or by its path. */
  hasProgram(name: string): boolean;
  /** Never rejects. */
  run(command: string, args: readonly string[], o: RunOptions): Promise<Ran>;
  /** A directory for this run alone. */
  scratch(): Promise<{ readonly directory: string; remove(): Promise<void> }>;
  write(file: string, bytes: Uint8Array): void;
}
