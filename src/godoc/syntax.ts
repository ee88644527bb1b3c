import type { CommentGroup } from './scanner.ts';

/** What is kept of Go's syntax: as much as its documentation shows. Offsets are those in the file's text. */

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly endLine: number;
}

export interface Ident extends Span {
  readonly name: string;
}

export type TypeForm =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'selector'; readonly name: string }
  | { readonly kind: 'pointer' | 'paren' | 'rest'; readonly of: Type }
  | { readonly kind: 'generic'; readonly of: Type; readonly args: readonly Type[] }
  | { readonly kind: 'array'; readonly length: string; readonly of: Type }
  | { readonly kind: 'map'; readonly key: Type; readonly of: Type }
  | { readonly kind: 'func'; readonly signature: Signature }
  | Fields
  /** Channels, unions and approximations: nothing is asked of them. */
  | { readonly kind: 'other' };

export type Type = Span & TypeForm;

export interface Fields {
  readonly kind: 'struct' | 'interface';
  readonly fields: readonly Field[];
  /** Of its braces. */
  readonly open: Span;
  readonly close: Span;
}

export interface Field extends Span {
  /** None for what is embedded. */
  readonly names: readonly Ident[];
  readonly type: Type;
  readonly tag: Span | undefined;
  readonly doc: CommentGroup | undefined;
  /** Behind it on its line. */
  readonly comment: CommentGroup | undefined;
}

export interface Parameter {
  readonly names: readonly string[];
  readonly type: Type;
}

export interface Signature {
  readonly typeParameters: readonly Parameter[];
  readonly parameters: readonly Parameter[];
  readonly results: readonly Parameter[];
  /** More than one result, or one with a name. */
  readonly end: number;
}

export interface ValueSpec extends Span {
  readonly names: readonly Ident[];
  readonly type: Type | undefined;
  readonly values: readonly Span[];
  readonly doc: CommentGroup | undefined;
  readonly comment: CommentGroup | undefined;
}

export interface ValueDeclaration {
  readonly kind: 'const' | 'var';
  readonly file: SourceFile;
  readonly line: number;
  readonly doc: CommentGroup | undefined;
  readonly grouped: boolean;
  /** Where the parenthesis opens. */
  readonly openLine: number;
  /** And where it closes. */
  readonly closeLine: number;
  readonly specs: readonly ValueSpec[];
}

export interface TypeDeclaration {
  readonly kind: 'type';
  readonly file: SourceFile;
  readonly name: Ident;
  readonly line: number;
  readonly doc: CommentGroup | undefined;
  /** Behind it on its line. */
  readonly comment: CommentGroup | undefined;
  readonly parameters: readonly Parameter[];
  /** From its name to before the type itself: type parameters. */
  readonly head: { readonly start: number; readonly end: number };
  readonly isAlias: boolean;
  readonly type: Type;
  /** It stands in parentheses, indented. */
  readonly grouped: boolean;
}

export interface FuncDeclaration {
  readonly kind: 'func';
  readonly file: SourceFile;
  readonly name: string;
  readonly line: number;
  readonly doc: CommentGroup | undefined;
  readonly receiver: Parameter | undefined;
  readonly signature: Signature;
  /** From `func` to before its body. */
  readonly start: number;
  readonly end: number;
  /** Around the receiver's type, which embedding replaces. */
  readonly receiverType: { readonly start: number; readonly end: number } | undefined;
}

export type Declaration = ValueDeclaration | TypeDeclaration | FuncDeclaration;

export interface SourceFile {
  /** Within the package's directory. */
  readonly name: string;
  readonly text: string;
  readonly packageName: string;
  readonly doc: CommentGroup | undefined;
  readonly imports: readonly { readonly name: string | undefined; readonly path: string }[];
  readonly declarations: readonly Declaration[];
  /** Structs and interfaces anywhere in its types, in the order in which they begin. */
  readonly blocks: readonly (Type & Fields)[];
  /** Something in it could not be read. */
  readonly broken: boolean;
}
