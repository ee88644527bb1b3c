import { expect, test } from 'vitest';
import { EMPTY_ROOT } from '../../src/tlog/hash.ts';
import { formatTree, parseTree } from '../../src/tlog/tree-note.ts';
import { fromBase64, golden } from './golden.ts';

const { heads } = golden('record') as { heads: { text: string; size?: number; root?: string }[] };
const badNote = expect.objectContaining({ code: 'bad_note' });

test.each(heads.map((v) => ({ ...v, shown: fromBase64(v.text).toString().slice(0, 60) })))(
  'tree head $shown is judged as by x/mod',
  ({ text, size, root = '' }) => {
    const decoded = fromBase64(text).toString();
    if (size === undefined) {
      expect(() => parseTree(decoded)).toThrow(badNote);
      return;
    }
    const head = parseTree(decoded);
    expect(head).toEqual({ size, root: fromBase64(root) });
    expect(decoded.startsWith(formatTree(head))).toBe(true);
  },
);

test.each(['4503599627370497', '9007199254740993', '1'.padEnd(400, '0')])(
  'size %s cannot be counted with',
  (size) => {
    expect(() => parseTree(`go.sum database tree\n${size}\n${EMPTY_ROOT.toString('base64')}\n`)).toThrow(
      badNote,
    );
  },
);

test('lines after the third do not change what a head says (threat 53)', () => {
  const head = { size: 5, root: EMPTY_ROOT };
  expect(parseTree(`${formatTree(head)}6\n${Buffer.alloc(32).toString('base64')}\n`)).toEqual(head);
});

test('a text of over a million characters is refused', () => {
  expect(() => parseTree(formatTree({ size: 5, root: EMPTY_ROOT }) + 'x'.repeat(1e6))).toThrow(badNote);
});

test.each([-1, 0.5, 2 ** 52 + 1])('a head of size %d is not written', (size) => {
  expect(() => formatTree({ size, root: EMPTY_ROOT })).toThrow(badNote);
});

test('a head with a short root is not written', () => {
  expect(() => formatTree({ size: 1, root: Buffer.alloc(31) })).toThrow(badNote);
});
