import type { Type } from './syntax.ts';

/** A name that other packages see. */
export function isExported(name: string): boolean {
  return /^\p{Lu}/u.test(name);
}

export const PREDECLARED_TYPES: ReadonlySet<string> = new Set(
  (
    'any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 ' +
    'uint16 uint32 uint64 uintptr'
  ).split(' '),
);

export interface BaseType {
  readonly name: string;
  /** Of another package. */
  readonly imported: boolean;
}

/** The name of the type that another is made of (go/doc, baseTypeName); undefined where that has none. */
export function baseType(type: Type): BaseType | undefined {
  switch (type.kind) {
    case 'name':
      return { name: type.name, imported: false };
    case 'selector':
      return { name: type.name, imported: true };
    case 'generic':
    case 'pointer':
    case 'paren':
      return baseType(type.of);
    case 'array':
    case 'map':
    case 'func':
    case 'struct':
    case 'interface':
    case 'rest':
    case 'other':
      return undefined;
  }
}
