import { expect, test } from 'vitest';
import { checkRecordText, formatRecord, parseRecord } from '../../src/tlog/record.ts';
import { fromBase64, golden } from './golden.ts';

interface Golden {
  parsed: { msg: string; id?: number; text?: string; rest?: string }[];
  formatted: { text: string; msg?: string }[];
}
const { parsed, formatted } = golden('record') as Golden;
const badRecord = expect.objectContaining({ code: 'bad_record' });

test.each(parsed.map((v) => ({ ...v, shown: fromBase64(v.msg).toString() })))(
  'record $shown is judged as by x/mod',
  ({ msg, id, text = '', rest = '' }) => {
    if (id === undefined) {
      expect(() => parseRecord(fromBase64(msg))).toThrow(badRecord);
    } else {
      expect(parseRecord(fromBase64(msg))).toEqual({ id, text: fromBase64(text), rest: fromBase64(rest) });
    }
  },
);

test.each(formatted.map((v) => ({ ...v, shown: fromBase64(v.text).toString() })))(
  'record text $shown is judged as by x/mod',
  ({ text, msg }) => {
    if (msg === undefined) {
      expect(() => formatRecord(42, fromBase64(text))).toThrow(badRecord);
    } else {
      expect(formatRecord(42, fromBase64(text))).toEqual(fromBase64(msg));
    }
  },
);

test.each(['+5\na\n\n', '05\na\n\n', '-5\na\n\n', '-0\na\n\n', '9007199254740992\na\n\n', '5\n\na\n\n'])(
  'record %j, which x/mod lets pass, is refused',
  (msg) => {
    expect(() => parseRecord(Buffer.from(msg))).toThrow(badRecord);
  },
);

test('a text that begins with a blank line is refused', () => {
  expect(() => checkRecordText(Buffer.from('\na\n'))).toThrow(badRecord);
});

test.each([-1, 0.5, 2 ** 53])('record number %d is refused', (id) => {
  expect(() => formatRecord(id, Buffer.from('a\n'))).toThrow(badRecord);
});
