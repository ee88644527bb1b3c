/**
 * Whether a Go file can belong to its package on any system (go/build/constraint), or is left out everywhere, as
 * `//go:build ignore` has it. Tags that name a system, an architecture or a toolchain may hold or not; all others, which somebody
 * has to pass on purpose, do not.
 */

/** What is known of a tag: undefined where it depends on the system. */
type Known = boolean | undefined;

const SYSTEMS = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const ARCHITECTURES = new Set(
  (
    '386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ppc64le ' +
    'riscv riscv64 s390 s390x sparc sparc64 wasm'
  ).split(' '),
);
const DEPENDS = new Set([...SYSTEMS, ...ARCHITECTURES, 'unix', 'cgo']);

/** Nobody nests deeper; the text is attacker-controlled. */
const DEEPEST = 100;

/** What is known of a tag. */
export type Tag = (name: string) => Known;

/** @param line what follows `//go:build`; one that cannot be read leaves the file out, as it does in Go */
export function mayHold(line: string, tag: Tag = onAnySystem): boolean {
  try {
    const reader = new Expression(line, tag);
    return reader.read() !== false;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** The same for the older `// +build`: a space is "or", a comma is "and". */
export function oldMayHold(line: string, tag: Tag = onAnySystem): boolean {
  const options = line.split(/\s+/).filter((option) => option !== '');
  return options.some((option) =>
    option.split(',').every((term) => {
      const value = tag(term.replace(/^!/, ''));
      return (term.startsWith('!') ? not(value) : value) !== false;
    }),
  );
}

function onAnySystem(name: string): Known {
  if (DEPENDS.has(name)) return undefined;
  return name === 'gc' || /^go1(?:\.|$)/.test(name);
}

/** A system that documentation is shown for. */
export interface System {
  readonly os: string;
  readonly arch: string;
}

/** Those that a package is looked at on, in this order, until one has files of it: as pkg.go.dev does. */
export const SHOWN_SYSTEMS: readonly [System, ...System[]] = [
  { os: 'linux', arch: 'amd64' },
  { os: 'windows', arch: 'amd64' },
  { os: 'darwin', arch: 'amd64' },
  { os: 'js', arch: 'wasm' },
];

/** The newest release of Go there is, 1.26: files for later ones are left out beside those for earlier ones. */
const NEWEST_GO = 26;

/** The tags that hold on a system, with cgo where it has that (go/build, matchTag). */
export function tagsOn({ os, arch }: System): Tag {
  const own = [
    os,
    arch,
    ...(os === 'js' ? [] : ['cgo']),
    ...(os === 'linux' || os === 'darwin' ? ['unix'] : []),
  ];
  return (name) => {
    const [, minor] = /^go1\.([0-9]{1,4})$/.exec(name) ?? [];
    if (minor !== undefined) return Number(minor) <= NEWEST_GO;
    return own.includes(name) || onAnySystem(name) === true;
  };
}

/** Whether a file goes into its package by its name: `name_windows.go` only does on Windows (go/build, goodOSArchFile). */
export function isNamedFor(system: System, file: string): boolean {
  const holds = tagsOn(system);
  const name = file.split('.')[0] ?? '';
  const elements = name.includes('_') ? name.slice(name.indexOf('_')).split('_') : [];
  const last = elements.at(-1) ?? '';
  const before = elements.at(-2) ?? '';
  if (SYSTEMS.has(before) && ARCHITECTURES.has(last)) return holds(before) === true && holds(last) === true;
  return (!SYSTEMS.has(last) && !ARCHITECTURES.has(last)) || holds(last) === true;
}

function not(value: Known): Known {
  return value === undefined ? undefined : !value;
}

/** or → and ("||" and)*, and → not ("&&" not)*, not → "!" not | "(" or ")" | tag */
class Expression {
  readonly #tokens: string[];
  readonly #tag: Tag;
  #at = 0;
  #depth = 0;

  constructor(text: string, tag: Tag) {
    this.#tag = tag;
    this.#tokens = text.match(/\|\||&&|[!()]|[\p{L}\p{Nd}_.]+|\S/gu) ?? [];
  }

  read(): Known {
    const value = this.#or();
    if (this.#at < this.#tokens.length) throw new SyntaxError('more behind the expression');
    return value;
  }

  #or(): Known {
    let value = this.#and();
    while (this.#take('||')) {
      const other = this.#and();
      value = value === true || other === true ? true : value === false ? other : undefined;
    }
    return value;
  }

  #and(): Known {
    let value = this.#not();
    while (this.#take('&&')) {
      const other = this.#not();
      value = value === false || other === false ? false : value === true ? other : undefined;
    }
    return value;
  }

  #not(): Known {
    if (++this.#depth > DEEPEST) throw new SyntaxError('nested too deeply');
    const value = this.#term();
    this.#depth--;
    return value;
  }

  #term(): Known {
    if (this.#take('!')) {
      if (this.#tokens[this.#at] === '!') throw new SyntaxError('negated twice');
      return not(this.#not());
    }
    if (this.#take('(')) {
      const value = this.#or();
      if (!this.#take(')')) throw new SyntaxError('a parenthesis is not closed');
      return value;
    }
    const token = this.#tokens[this.#at++] ?? '';
    if (!/^[\p{L}\p{Nd}_.]+$/u.test(token)) throw new SyntaxError('a tag is missing');
    return this.#tag(token);
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }
}
