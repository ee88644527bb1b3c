import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { licenceOf } from '../../src/audit/licence.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8');

const APACHE = read('LICENSE');
const MIT = read('node_modules/fastify/LICENSE');
const UNTITLED = read('node_modules/ipaddr.js/LICENSE');
const NOTICE = read('NOTICE');
const BSD3 = NOTICE.slice(NOTICE.indexOf('Copyright 2009'));
const [HEAD = '', TAIL = ''] = BSD3.split(/ {3}\* Neither[^]*?permission\.\n/);
const BSD2 = HEAD + TAIL;

describe('the licence of a file', () => {
  it.each([
    ['Apache-2.0', APACHE],
    ['MIT', MIT],
    ['MIT', UNTITLED],
    ['BSD-3-Clause', BSD3],
    ['BSD-2-Clause', BSD2],
  ])('is %s, word for word', (id, text) => {
    expect(licenceOf(text)).toBe(id);
  });

  it('is the same whoever holds the copyright, and however its lines are broken', () => {
    const body = MIT.slice(MIT.indexOf('Permission'));
    for (const holder of [
      'Copyright (c) 2012-2026 Somebody <a@b.example> and others',
      'Copyright © Somebody',
      '(c) 2020 Somebody\nAll rights reserved.',
      'Copyright 2020 The Something Authors. All rights reserved.',
    ]) {
      for (const title of ['', 'MIT License\n\n', 'The MIT License (MIT)\n\n'])
        expect(licenceOf(`${title}${holder}\n\n${body.replaceAll(/\s+/g, '\r\n')}`)).toBe('MIT');
    }
    expect(licenceOf(BSD3.replace('Google LLC', 'Somebody, Inc.'))).toBe('BSD-3-Clause');
    expect(licenceOf(APACHE.slice(0, APACHE.indexOf('APPENDIX')))).toBe('Apache-2.0');
    expect(licenceOf(APACHE.replace(/Copyright \[yyyy\].*/, 'Copyright 2020 Somebody'))).toBe('Apache-2.0');
  });

  it.each([
    ['no licence', 'All rights reserved.'],
    ['nothing', ''],
    ['a condition more', `${MIT}\nThe Software shall be used for Good, not Evil.\n`],
    ['a word less', MIT.replace('without restriction', '')],
    ['a second licence behind it', `${APACHE}\n${BSD3}`],
    ['a second licence before it', `${MIT}\n${APACHE}`],
    ['words before it', `Everything but the logo:\n\n${MIT}`],
    [
      'a condition in the copyright line',
      MIT.replace(/^Copyright.*$/m, '$&, other licenses apply to vendor/'),
    ],
    ['a name alone', 'MIT License'],
    ['a reference', 'Licensed under the Apache License, Version 2.0'],
  ])('is not guessed from %s', (_, text) => {
    expect(licenceOf(text)).toBeUndefined();
  });
});
