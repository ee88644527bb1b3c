/** What is documented of a package, in the order and grouping of `go doc -all`. Texts are attacker-controlled. */

/** A declaration, and where it stands. */
export interface Documented {
  /** As Go code, without bodies and what other packages do not see. */
  readonly code: string;
  /** The comment above it, without its markers. */
  readonly doc: string;
  /** Within the package's directory. */
  readonly file: string;
  readonly line: number;
}

export interface ValuesDocs extends Documented {
  readonly kind: 'const' | 'var';
  /** Exported ones. */
  readonly names: readonly string[];
}

export interface FuncDocs extends Documented {
  readonly kind: 'func';
  readonly name: string;
  /** The type whose method it is. */
  readonly receiver: string | undefined;
  /** On one line. */
  readonly short: string;
}

export interface TypeDocs extends Documented {
  readonly kind: 'type';
  readonly name: string;
  readonly short: string;
  readonly consts: readonly ValuesDocs[];
  readonly vars: readonly ValuesDocs[];
  /** Functions that make one. */
  readonly funcs: readonly FuncDocs[];
  readonly methods: readonly FuncDocs[];
}

export interface PackageDocs {
  /** As the package clause says. */
  readonly name: string;
  readonly doc: string;
  readonly consts: readonly ValuesDocs[];
  readonly vars: readonly ValuesDocs[];
  readonly funcs: readonly FuncDocs[];
  readonly types: readonly TypeDocs[];
  /** Import paths by the names that files of it use; those that files do not agree on are left out. */
  readonly imports: Readonly<Record<string, string>>;
  /** Which one its files were chosen for, such as `linux/amd64`. */
  readonly system: string;
  /** False where files, or parts of them, could not be read or were too many. */
  readonly whole: boolean;
}
