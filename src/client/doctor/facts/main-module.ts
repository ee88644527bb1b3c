import path from 'node:path';
import type { Machine } from '../machine.ts';
import type { MainModule } from './facts.ts';

/** The go.mod that a `go` started here would find, read leniently: what is wrong in it go says itself. */
export function readMainModule(machine: Machine): MainModule | undefined {
  for (let at = machine.cwd; ; at = path.dirname(at)) {
    const file = path.join(at, 'go.mod');
    const state = machine.read(file);
    if (state.kind === 'file') return fromText(file, state.text, machine.list(at).includes('vendor'));
    if (path.dirname(at) === at) return undefined;
  }
}

function fromText(file: string, text: string, hasVendor: boolean): MainModule {
  const word = (directive: string) => new RegExp(`^${directive}\\s+(\\S+)`, 'm').exec(text)?.[1];
  const blocks = [...text.matchAll(/^require\s*\(([^]*?)^\)/gm)].map(([, block = '']) => block);
  const single = [...text.matchAll(/^require\s+([^(].*)$/gm)].map(([, line = '']) => line);
  const requires = [...blocks.join('\n').split('\n'), ...single].flatMap((line) => {
    const [, name, version] = /^\s*([^\s/"][^\s"]*)\s+(v[^\s"]+)/.exec(line) ?? [];
    return name === undefined || version === undefined ? [] : [{ path: name, version }];
  });
  return { file, path: word('module'), go: word('go'), toolchain: word('toolchain'), hasVendor, requires };
}
