import { NEWEST, WISH_KINDS, type Wish, type WishKind } from '../store/wish-table.ts';

const HEAD = [
  '# What clients asked this gokeep for and it does not hold: one module version, or query, a line.',
  '# Review it, take it to a gokeep with network, and hand it to `gokeep bundle create` there.',
  '# A leading ? marks what may be no module at all: go asks for every parent of a package path.',
];

/** What a list calls a wish. */
export const wishEntry = ({ path, query }: Pick<Wish, 'path' | 'query'>): string =>
  `${query === NEWEST ? '?' : ''}${path}@${query}`;

/** An input of `bundle create`. An entry ends at the first space: neither paths nor queries hold one, nor anything that a terminal acts on. */
export function wishText(wishes: readonly Wish[]): string {
  const lines = wishes.map((wish) => {
    const { asked, lastAsked } = wish;
    const only = isOnlyGoMod(wish) ? ', only for its go.mod' : '';
    const day = new Date(lastAsked).toISOString().slice(0, 10);
    return `${wishEntry(wish)}  # asked ${asked} time${asked === 1 ? '' : 's'}, last ${day}${only}`;
  });
  return `${[...HEAD, ...(lines.length === 0 ? ['# Nothing.'] : lines)].join('\n')}\n`;
}

/** A wish for programs. */
export function wishJson(wish: Wish) {
  const kinds = Object.keys(WISH_KINDS) as WishKind[];
  return {
    path: wish.path,
    version: wish.query,
    uncertain: wish.query === NEWEST,
    kinds: kinds.filter((kind) => (wish.kinds & WISH_KINDS[kind]) !== 0),
    asked: wish.asked,
    last: `${new Date(wish.lastAsked).toISOString().slice(0, 19)}Z`,
  };
}

/** Of a version in the module graph whose packages nobody needs, go reads the go.mod, and checks its hash. */
export function isOnlyGoMod({ kinds }: Pick<Wish, 'kinds'>): boolean {
  return (kinds & WISH_KINDS.mod) !== 0 && (kinds & ~(WISH_KINDS.mod | WISH_KINDS.lookup)) === 0;
}
