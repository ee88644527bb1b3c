import { array, assert, property, string, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { errorBody, wrap } from '../../src/http/error-body.ts';

/** The go command's own rule (cmd/go/internal/web, readErrorDetail): what breaks it is not shown at all. */
function goShowsAllOf(body: string): boolean {
  const lines = body.split('\n');
  return (
    Buffer.byteLength(body) <= 8 * 81 &&
    lines.length <= 8 &&
    lines.every((line) => line !== '') &&
    /^[\p{L}\p{M}\p{N}\p{P}\p{S} \n]*$/u.test(body)
  );
}

describe('wrap', () => {
  it('gives what go shows, whatever the text', () => {
    assert(
      property(string({ unit: 'binary', minLength: 1, maxLength: 2_000 }), (text) => {
        const body = wrap(text);
        return body === '' || goShowsAllOf(body);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps every word of a short text, in order', () => {
    assert(
      property(array(stringMatching(/^[a-z@/.]{1,40}$/), { minLength: 1, maxLength: 10 }), (words) => {
        expect(wrap(words.join(' ')).split(/\s/)).toEqual(words);
      }),
    );
  });

  it('leaves a long module path in one piece', () => {
    const module = `example.test/${'deep/'.repeat(40)}module@v1.0.0`;
    expect(wrap(`Nothing is known of ${module} here, sorry.`).split('\n')).toContain(module);
  });

  it.each([
    ['one word of three-byte characters', 'モ'.repeat(300)],
    ['one endless word', 'x'.repeat(5_000)],
    ['many lines', 'a\n\n\nb '.repeat(100)],
    ['escape sequences', '\x1b[31mred\x1b[0m \x9b2J\u202Ereversed'],
    ['half a surrogate pair', 'a\ud800b \udc00'],
  ])('%s', (_what, text) => {
    expect(wrap(text)).not.toBe('');
    expect(goShowsAllOf(wrap(text))).toBe(true);
  });
});

describe('errorBody', () => {
  it('says nothing of an error that is not ours', () => {
    const secret = new Error('SELECT password FROM /var/lib/gokeep');
    expect(errorBody(secret)).toBe('the gokeep server failed; its log says why');
    expect(errorBody('a string')).toBe('the gokeep server failed; its log says why');
  });

  it('says the sentence and neither detail nor cause', () => {
    const error = new GokeepError('upstream_failed', 'a.test/m: upstream failed', {
      detail: 'https://user:secret@host',
      cause: new Error('secret'),
    });
    expect(errorBody(error)).toBe('a.test/m: upstream failed');
  });

  it('passes on an authentic absence with nothing in front', () => {
    expect(errorBody(new GokeepError('gone', 'unused', { verbatim: 'gone: \n\n as upstream said' }))).toBe(
      'gone: \n\n as upstream said',
    );
  });
});
