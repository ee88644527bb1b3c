import { expect, test } from 'vitest';
import { formatGoSumRecord, parseGoSumRecord } from '../../src/tlog/go-sum-record.ts';

const PATH = 'golang.org/x/mod';
const VERSION = 'v0.42.0';
const ZIP = 'h1:ICeL3t2L30ljSPHHxDnR4fqVcBt/zR2zJAb9juavmQg=';
const MOD = 'h1:u5fzIrRInkL8MaO1cbRkUHT64v303YIT5KEqpNr7jRs=';
const ZIP_LINE = `${PATH} ${VERSION} ${ZIP}\n`;
const MOD_LINE = `${PATH} ${VERSION}/go.mod ${MOD}\n`;
const badRecord = expect.objectContaining({ code: 'bad_record' });

function parse(text: string): unknown {
  return parseGoSumRecord(Buffer.from(text), PATH, VERSION);
}

test('a record is the two lines of go.sum', () => {
  const text = formatGoSumRecord(PATH, VERSION, ZIP, MOD);
  expect(text.toString()).toBe(ZIP_LINE + MOD_LINE);
  expect(parseGoSumRecord(text, PATH, VERSION)).toEqual({ zip: ZIP, mod: MOD });
});

test.each([
  ['in the other order', MOD_LINE + ZIP_LINE],
  ['beside another module', `rsc.io/quote v1.5.2 ${ZIP}\n${ZIP_LINE}${MOD_LINE}`],
  ['beside a hash of another kind', `${ZIP_LINE}${PATH} ${VERSION} h2:xyzzy\n${MOD_LINE}`],
])('both lines are found %s', (_, text) => {
  expect(parse(text)).toEqual({ zip: ZIP, mod: MOD });
});

test.each([
  ['nothing at all', ''],
  ['an empty line', '\n'],
  ['another module only', `rsc.io/quote v1.5.2 ${ZIP}\nrsc.io/quote v1.5.2/go.mod ${MOD}\n`],
  ['another version only', `${PATH} v0.42.1 ${ZIP}\n${PATH} v0.42.1/go.mod ${MOD}\n`],
  ['a longer path only', `x${ZIP_LINE}x${MOD_LINE}`],
  ['no zip line', MOD_LINE],
  ['no go.mod line', ZIP_LINE],
  ['the zip line twice', ZIP_LINE + ZIP_LINE + MOD_LINE],
  ['two different zip lines', `${ZIP_LINE}${PATH} ${VERSION} ${MOD}\n${MOD_LINE}`],
  ['two different go.mod lines', `${ZIP_LINE}${MOD_LINE}${PATH} ${VERSION}/go.mod ${ZIP}\n`],
  ['a hash of another kind only', `${PATH} ${VERSION} h2:xyzzy\n${MOD_LINE}`],
  ['a short hash', ZIP_LINE.replace('CeL3', '') + MOD_LINE],
  ['a hash without its padding', ZIP_LINE.replace('=', '') + MOD_LINE],
  ['a hash with a stray last bit', ZIP_LINE.replace('Qg=', 'Qh=') + MOD_LINE],
  ['a hash in URL base64', ZIP_LINE.replace('/', '_') + MOD_LINE],
  ['a word after the hash', ZIP_LINE.replace('=\n', '= x\n') + MOD_LINE],
  ['two spaces before the hash', ZIP_LINE.replace(' h1', '  h1') + MOD_LINE],
  ['a carriage return', (ZIP_LINE + MOD_LINE).replaceAll('\n', '\r\n')],
  ['no newline at the end', (ZIP_LINE + MOD_LINE).slice(0, -1)],
  ['a blank line between', `${ZIP_LINE}\n${MOD_LINE}`],
])('a record with %s verifies nothing (CVE-2026-42501)', (_, text) => {
  expect(() => parse(text)).toThrow(badRecord);
});

test.each([
  ['', MOD],
  [ZIP, 'h1:short'],
  [ZIP.slice(3), MOD],
  [`${ZIP}\nx`, MOD],
])('a record is not made of %j and %j', (zip, mod) => {
  expect(() => formatGoSumRecord(PATH, VERSION, zip, mod)).toThrow(badRecord);
});

test.each(['bad\npath', 'bad\tpath'])('a record is not made for %j', (path) => {
  expect(() => formatGoSumRecord(path, VERSION, ZIP, MOD)).toThrow(badRecord);
});
