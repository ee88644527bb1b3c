import type { FuncDeclaration, Parameter, Signature, SourceFile, Type, TypeDeclaration } from './syntax.ts';

/** Declarations on one line each, as `go doc -short` has them (cmd/doc, oneLineNode). */

const DEEPEST = 10;
const WIDEST = 80;

export function funcOnOneLine({ file, name, receiver, signature }: FuncDeclaration): string {
  const line = new Line(file);
  const before = receiver === undefined ? '' : `(${line.parameter(receiver, DEEPEST - 2)}) `;
  return `func ${before}${name}${line.signature(signature, DEEPEST - 2)}`;
}

export function typeOnOneLine({ file, name, parameters, isAlias, type }: TypeDeclaration): string {
  const line = new Line(file);
  const own = parameters.length === 0 ? '' : `[${line.parameters(parameters, DEEPEST - 1)}]`;
  return `type ${name.name}${own}${isAlias ? ' = ' : ' '}${line.type(type, DEEPEST - 1)}`;
}

class Line {
  readonly #file: SourceFile;

  constructor(file: SourceFile) {
    this.#file = file;
  }

  type(type: Type, depth: number): string {
    if (depth <= 0) return '...';
    const below = depth - 1;
    switch (type.kind) {
      case 'struct':
      case 'interface':
        return type.fields.length === 0 ? `${type.kind}{}` : `${type.kind}{ ... }`;
      case 'array':
        return `[${type.length}]${this.type(type.of, below)}`;
      case 'map':
        return `map[${this.type(type.key, below)}]${this.type(type.of, below)}`;
      case 'func':
        return `func${this.signature(type.signature, below)}`;
      case 'name':
        return type.name;
      case 'pointer':
      case 'paren':
      case 'rest':
      case 'generic':
      case 'selector':
      case 'other': {
        const text = this.#file.text.slice(type.start, type.end);
        return text.includes('\n') ? '...' : text;
      }
    }
  }

  signature({ typeParameters, parameters, results }: Signature, depth: number): string {
    const own = typeParameters.length === 0 ? '' : `[${this.parameters(typeParameters, depth)}]`;
    const taken = `${own}(${this.parameters(parameters, depth)})`;
    if (results.length === 0) return taken;
    const given = this.parameters(results, depth);
    const isAlone = results.length === 1 && results[0]?.names.length === 0;
    return `${taken} ${isAlone ? given : `(${given})`}`;
  }

  parameters(list: readonly Parameter[], depth: number): string {
    return joined(list.map((each) => this.parameter(each, depth)));
  }

  parameter({ names, type }: Parameter, depth: number): string {
    const shown = this.type(type, depth);
    return names.length === 0 ? shown : `${joined(names)} ${shown}`;
  }
}

function joined(parts: readonly string[]): string {
  let length = 0;
  for (const [at, part] of parts.entries()) {
    length += Buffer.byteLength(part) + 2;
    if (length > WIDEST) return [...parts.slice(0, at), '...'].join(', ');
  }
  return parts.join(', ');
}
