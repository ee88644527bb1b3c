import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';
import { parseSettings } from '../../src/config/parse.ts';
import { bytes, milliseconds } from '../../src/config/units.ts';

/** The sentence with which a text below `version = 1` is refused. */
function refusal(text: string): string {
  try {
    parseSettings(`version = 1\n${text}`, 'gokeep.toml');
  } catch (error) {
    return (error as Error).message.replace(/^gokeep\.toml: /, '');
  }
  return 'taken';
}

describe('what a configuration file may not say', () => {
  it.each([
    ['listen = 5', 'listen must be string'],
    ['listen = ""', 'listen must not be empty'],
    ['private = "corp.example/*"', 'private must be array'],
    ['private = ["a", 1]', 'private[1] must be string'],
    ['offline = "true"', 'offline must be boolean'],
    ['[http]\nmax_connections = 0', 'http.max_connections must be >= 1'],
    ['[http]\nmax_connections = 1.5', 'http.max_connections must be integer'],
    ['[http]\ntrust_proxy = [""]', 'http.trust_proxy[0] must not be empty'],
    ['[direct]\nconcurrency = 65', 'direct.concurrency must be <= 64'],
    ['[tls]\ncert = "a.pem"', 'tls must have required properties key'],
    ['log = 1', 'log must be object'],
    ['[log]\nlevel = "loud"', 'log.level must be one of "trace", "debug", "info", "warn", "error", "silent"'],
    ['[refresh]\nttl = "60"', 'refresh.ttl must be a number with a unit (ms, s, m, h), such as "30s"'],
    ['[refresh]\nttl = "-1s"', 'refresh.ttl must be a number with a unit (ms, s, m, h), such as "30s"'],
    ['[refresh]\nttl = 60', 'refresh.ttl must be string'],
    [
      '[cache]\nmemory = "64 MB"',
      'cache.memory must be a number with a unit (B, kB, MB, GB, KiB, MiB, GiB), such as "64MiB"',
    ],
    ['[upstream]\nproxy = 1', 'upstream.proxy must be string'],
    ['[[upstream]]\nproxy = "a"\n[[upstream]]\nproxy = 1', 'upstream[1].proxy must be string'],
    ['upstream = 3', 'upstream must be object'],
  ])('%j', (text, sentence) => {
    expect(refusal(text)).toBe(sentence);
  });

  it.each([
    ['privat = []', 'unknown key privat; did you mean private?'],
    ['Listen = "a:1"', 'unknown key Listen; did you mean listen?'],
    ['[upstreams]\nproxy = "a"', 'unknown key upstreams; did you mean upstream?'],
    ['[upstream]\nprxy = "a"', 'unknown key upstream.prxy; did you mean upstream.proxy?'],
    [
      '[[upstream]]\nproxy = "a"\n[[upstream]]\nmach = []',
      'unknown key upstream[1].mach; did you mean upstream[1].match?',
    ],
    ['[http]\nmetrics-listen = "a:1"', 'unknown key http.metrics-listen; did you mean http.metrics_listen?'],
    ['[cache]\nzzzzzzzzz = 1', 'unknown key cache.zzzzzzzzz'],
    ['__proto__ = 1', 'unknown key __proto__'],
    ['constructor = 1', 'unknown key constructor'],
    ['[http]\n"a.b" = 1', 'unknown key http.a.b'],
  ])('%j: an unknown key is named with its path and the nearest known one', (text, sentence) => {
    expect(refusal(text)).toBe(sentence);
  });

  it.each([
    ['', 'the file begins with the line `version = 1`'],
    ['listen = "a:1"', 'the file begins with the line `version = 1`'],
    ['version = 2', 'version = 2 is not one this program reads; it reads version = 1'],
    ['version = "1"', 'version = "1" is not one this program reads; it reads version = 1'],
    ['version = 1\nx = [', 'line 2: not readable as TOML: unfinished array'],
  ])('%j as the whole file', (text, sentence) => {
    expect(() => parseSettings(text, 'gokeep.toml')).toThrow(`gokeep.toml: ${sentence}`);
  });

  it('a key that once existed is explained, wherever it stands', () => {
    const retired = { 'cache.size': 'write cache.memory', 'upstream.url': 'write upstream.proxy' };
    expect(() => parseSettings('version = 1\n[cache]\nsize = "1GB"', 'f', retired)).toThrow(
      'f: cache.size is no longer read: write cache.memory',
    );
    expect(() => parseSettings('version = 1\n[upstream]\nurl = "x"', 'f', retired)).toThrow(
      'f: upstream.url is no longer read: write upstream.proxy',
    );
  });
});

describe('what it may say', () => {
  it('[upstream] is one [[upstream]]', () => {
    const single = parseSettings('version = 1\n[upstream]\nproxy = "a"', 'f');
    const table = parseSettings('version = 1\n[[upstream]]\nproxy = "a"', 'f');
    expect(single).toEqual(table);
    expect(single.upstream).toEqual([{ proxy: 'a' }]);
  });
});

describe('units', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['0s', 0],
  ])('%s is %d ms', (text, expected) => {
    expect(milliseconds(text, 'k')).toBe(expected);
  });

  it.each([
    ['1B', 1],
    ['2kB', 2_000],
    ['2MB', 2_000_000],
    ['2GB', 2e9],
    ['2KiB', 2_048],
    ['64MiB', 67_108_864],
    ['1.5GiB', 1_610_612_736],
  ])('%s is %d bytes', (text, expected) => {
    expect(bytes(text, 'k')).toBe(expected);
  });

  it.each(['', '5', 's', '5 s', '5S', '1e3s', '-1s', '5toString'])('%j is no duration', (text) => {
    expect(() => milliseconds(text, 'refresh.ttl')).toThrow(/^refresh\.ttl: /);
  });
});

describe('the nearest name', () => {
  it.each([
    ['lisen', 'listen'],
    ['LISTEN', 'listen'],
    ['sumbd', 'sumdb'],
    ['bananas', undefined],
    ['', undefined],
  ])('%s → %s', (name, expected) => {
    expect(nearest(name, ['listen', 'private', 'sumdb', 'offline'])).toBe(expected);
  });
});
