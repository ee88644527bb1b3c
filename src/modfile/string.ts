/** Strings in go.mod: bare words, or Go string literals in double quotes. */

import { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  '"': 34,
};

/**
 * What a token stands for (modfile's parseString).
 *
 * @throws bad_mod_file without a line number, which the caller knows
 */
export function parseString(token: string): string {
  if (token.startsWith('"')) return unquote(token);
  if (/["'`]/.test(token)) throw badString(token, 'has a quote in it, but is not in double quotes');
  return token;
}

/** strconv.Unquote for a string in double quotes. */
function unquote(token: string): string {
  if (token.length < 2 || !token.endsWith('"')) throw badString(token, 'is not closed');
  const body = token.slice(1, -1);
  if (!body.includes('\\')) {
    if (/["\n]/.test(body)) throw badString(token, 'is malformed');
    return body;
  }
  // Escapes such as \xff give bytes, which need not be characters: collect bytes.
  const parts: Buffer[] = [];
  for (let i = 0; i < body.length; ) {
    const backslash = body.indexOf('\\', i);
    const end = backslash < 0 ? body.length : backslash;
    const plain = body.slice(i, end);
    if (/["\n]/.test(plain)) throw badString(token, 'is malformed');
    parts.push(Buffer.from(plain));
    if (backslash < 0) break;
    const escape = readEscape(body, backslash + 1);
    if (escape === undefined) throw badString(token, 'has an unknown escape');
    parts.push(escape.bytes);
    i = escape.end;
  }
  return Buffer.concat(parts).toString();
}

function readEscape(body: string, start: number): { bytes: Buffer; end: number } | undefined {
  const letter = body[start] ?? '';
  const simple = simpleEscapes[letter];
  if (simple !== undefined) return { bytes: Buffer.of(simple), end: start + 1 };
  if (letter >= '0' && letter <= '7') {
    const digits = body.slice(start, start + 3);
    const value = /^[0-7]{3}$/.test(digits) ? Number.parseInt(digits, 8) : 256;
    return value > 255 ? undefined : { bytes: Buffer.of(value), end: start + 3 };
  }
  const length = { x: 2, u: 4, U: 8 }[letter];
  if (length === undefined) return undefined;
  const end = start + 1 + length;
  const digits = body.slice(start + 1, end);
  if (digits.length !== length || !/^[0-9A-Fa-f]+$/.test(digits)) return undefined;
  const value = Number.parseInt(digits, 16);
  if (letter === 'x') return { bytes: Buffer.of(value), end };
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return undefined;
  return { bytes: Buffer.from(String.fromCodePoint(value)), end };
}

function badString(token: string, problem: string): GokeepError {
  return new GokeepError('bad_mod_file', `the string ${quote(token)} ${problem}`);
}
