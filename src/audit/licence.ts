import { hash } from 'node:crypto';

/**
 * Licences whose whole text is known, by the SHA-256 of it as {@link words} gives it. The texts are those of the SPDX
 * licence list; of the BSD licences in the wordings that it takes for the same.
 */
const KNOWN: Readonly<Record<string, string>> = {
  '0cf21bdfd1964a97a8615e128534845826afbc887edc95aa5c925cbf64386b5c': 'MIT',
  '916103f069869e44bb00e6b1c23be487f2e1b640da8b2a4c0a6a3b127a2bb3bb': 'Apache-2.0',
  // Without "END OF TERMS AND CONDITIONS".
  '6242106da7e0f7c4a8b80f49236dd4cb41f780d8175c4f21b3dd10a3eea3f31e': 'Apache-2.0',
  '8403a35ce9fc298cc5cfdf4409fcc23cdd773c206bcb9ed6e71a26a589c9eb7c': 'BSD-3-Clause',
  '312ea33736a8c485e221afd61fb0daddefb5517d78cb2d80a94cb23bf274bf84': 'BSD-2-Clause',
  '217da0747cec63a2e734185db11cbaa819bcd9e5b83cd12f812128fffe66e26a': 'ISC',
  '7ae70f1d31192d21c7425488a02373ef17409fc3e492170fd7f031008f983157': 'MPL-2.0',
};

/**
 * The SPDX id of a licence file's text; undefined for any text that is not, word for word, one of few well-known licences
 * with nothing before or behind it: a wrong answer is worse than none. What may differ is what SPDX's matching guidelines
 * let differ: the copyright lines, the title, spaces and punctuation, and who is named in a BSD licence.
 */
export function licenceOf(text: string): string | undefined {
  return KNOWN[hash('sha256', words(text))];
}

/** A line that says who holds the copyright, and not one of a licence's own that begins with that word. */
const COPYRIGHT =
  /^\W*(?:portions )?(?:copyright\b|\(c\)|©)(?=.*(?:\d{4}|\(c\)|©|[[{]|\bauthors\b|\bcontributors\b\W*$))(?!\s+(?:notice|holders?|owners?|statement|laws?)\b)(?!.*licen[cs])/i;
const RESERVED = /^\W*all rights reserved\W*$/i;
const TITLE =
  /^(?:the )?(?:mit license(?: mit)?|isc license(?: isc)?|(?:new |modified |simplified |revised )?bsd (?:2|3) clause (?:license|"new" or "revised" license)|(?:bsd )?(?:2|3) clause bsd license|apache license version 2 0 january 2004(?: http www apache org licenses)?|mozilla public license version 2 0) /;
const WHO = /neither the name of .{1,120}? nor the names of (?:its|the|their) contributors/;
/** Apache's own directions for use, which are no part of the licence; with or without them filled in. */
const APPENDIX =
  / appendix how to apply the apache license to your work .{0,900} identification within third party archives(?= |$)/;
const NOTICE =
  / licensed under the apache license version 2 0 the license you may not use this file except in compliance with the license you may obtain a copy of the license at http www apache org licenses license 2 0 unless required by applicable law or agreed to in writing software distributed under the license is distributed on an as is basis without warranties or conditions of any kind either express or implied see the license for the specific language governing permissions and limitations under the license$/;

/** What is left to compare: words in lower case, a space between them. */
export function words(text: string): string {
  const own = text
    .split(/\r?\n/)
    .filter((line) => !COPYRIGHT.test(line) && !RESERVED.test(line))
    .join(' ')
    .toLowerCase()
    .replaceAll(/(?<=\s)(?:\(?[a-z0-9]\)|[a-z0-9]\.|[*•-])(?=\s)/g, ' ')
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .replaceAll(/\bhttps\b/g, 'http')
    .trim();
  return own
    .replace(TITLE, '')
    .replace(WHO, 'neither the name of the copyright holder nor the names of its contributors')
    .replaceAll(/copyright (?:owners?|holders?)(?= (?:and|or) contributors)/g, 'copyright holder')
    .replace(NOTICE, '')
    .replace(APPENDIX, '');
}
