import { isExported } from './names.ts';
import { Printer, type ShownSpec } from './printer.ts';
import type {
  FuncDeclaration,
  SourceFile,
  Type,
  TypeDeclaration,
  ValueDeclaration,
  ValueSpec,
} from './syntax.ts';

/** A function without its body. @param receiver in the place of its own, for a method that came with an embedded type */
export function printFunc({ file, start, end, receiverType }: FuncDeclaration, receiver?: string): string {
  const printer = new Printer(file, 0);
  if (receiver === undefined || receiverType === undefined) printer.range(start, end);
  else {
    printer.range(start, receiverType.start);
    printer.out.write(receiver);
    printer.range(receiverType.end, end);
  }
  return printer.toString();
}

/** A type, without its unexported fields or methods. */
export function printType({ file, name, head, isAlias, type, grouped, comment }: TypeDeclaration): string {
  const printer = new Printer(file, grouped ? 1 : 0);
  printer.out.write(`type ${name.name}`);
  printer.range(head.start, head.end);
  printer.out.write(isAlias ? ' = ' : ' ');
  if (type.kind === 'struct' || type.kind === 'interface') printer.fields(type, true);
  else printer.range(type.start, type.end);
  printer.trailing(comment);
  return printer.toString();
}

/** Constants or variables, those that have an exported name. Empty where none has. */
export function printValues({ file, kind, grouped, openLine, closeLine, specs }: ValueDeclaration): string {
  const shown = exportedSpecs(file, specs);
  const [first] = shown;
  if (first === undefined) return '';
  const printer = new Printer(file, 0);
  const { out } = printer;
  out.write(`${kind} `);
  if (!grouped) {
    printer.spec(first, ' ', false);
    return printer.toString();
  }
  out.write('(');
  printer.line = openLine;
  out.indent = 1;
  out.newline(1, true);
  const keep = keptTypes(shown);
  for (const [at, spec] of shown.entries()) {
    printer.goTo(spec, at === 0);
    printer.spec(spec, shown.length === 1 ? ' ' : '\t', keep[at] ?? false);
  }
  out.indent = 0;
  printer.close(closeLine, shown.at(-1)?.comment);
  out.write(')');
  return printer.toString();
}

function exportedSpecs({ text }: SourceFile, specs: readonly ValueSpec[]): ShownSpec[] {
  const shown: ShownSpec[] = [];
  let carried: Type | undefined;
  for (const spec of specs) {
    if (spec.type !== undefined) carried = spec.type;
    if (!spec.names.some(({ name }) => isExported(name))) continue;
    const takes = spec.type === undefined && spec.values.length === 0 && carried !== undefined;
    shown.push({
      ...spec,
      carried: takes && carried !== undefined ? text.slice(carried.start, carried.end) : undefined,
    });
    carried = undefined;
  }
  return shown;
}

/** Which values leave room for a type (go/printer, keepTypeColumn). */
function keptTypes(specs: readonly ShownSpec[]): boolean[] {
  const kept: boolean[] = specs.map(() => false);
  let run = -1;
  let keeps = false;
  const end = (to: number) => {
    if (run >= 0 && keeps) kept.fill(true, run, to);
    run = -1;
  };
  for (const [at, { type, carried, values }] of specs.entries()) {
    if (values.length > 0) {
      if (run < 0) {
        run = at;
        keeps = false;
      }
    } else end(at);
    if (type !== undefined || carried !== undefined) keeps = true;
  }
  end(specs.length);
  return kept;
}
