import { GokeepError } from '../../errors.ts';

/** What somebody wants to have made. Every text in it is his word. */
export interface MakeRequest {
  /** Texts of go.mod and go.sum files, bills of materials and lists. */
  readonly inputs: readonly string[];
  readonly all: boolean;
  /** A day, as 2026-11-24. */
  readonly servedSince: string | undefined;
  readonly tests: boolean;
  readonly toolchains: readonly string[];
  readonly platforms: readonly string[];
  readonly vulndb: string | undefined;
  /** Ids of earlier bundles. */
  readonly since: readonly string[];
  readonly compressed: boolean;
  readonly skipMissing: boolean;
  readonly dryRun: boolean;
}

/** All inputs together, in characters. */
export const MOST_INPUT = 16 * 2 ** 20;
const MOST_NAMED = 64;
const MOST_URL = 2_000;

const FORMS = {
  day: /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/,
  toolchain: /^(?:auto|go1\.[0-9]{1,4}(?:\.[0-9]{1,4}|rc[0-9]{1,3}|beta[0-9]{1,3})?)$/,
  platform: /^[a-z0-9]{1,20}\/[a-z0-9]{1,20}$/,
  id: /^[0-9a-f]{32}$/,
} as const;

/** A file of a job's own directory that holds an input. */
export interface InputFile {
  /** Relative, and never begins with a dash. */
  readonly name: string;
  readonly text: string;
}

/**
 * Checks a request, and puts its texts into files.
 *
 * @throws bad_request with a sentence that says what to write instead
 */
export function inputFiles(request: MakeRequest): InputFile[] {
  const texts = request.inputs.filter((text) => text.trim() !== '');
  if (texts.reduce((sum, text) => sum + text.length, 0) > MOST_INPUT)
    throw new GokeepError('too_large', `the inputs have more than ${MOST_INPUT / 2 ** 20} MiB together`);
  check(texts.length <= MOST_NAMED, `at most ${MOST_NAMED} inputs go into one bundle`);
  const files: InputFile[] = [];
  for (const text of texts) {
    const base = inputName(text);
    const isTaken = files.some(({ name }) => name === base);
    files.push({ name: isTaken ? `${files.length + 1}/${base}` : base, text });
  }
  return files;
}

/**
 * What a text is, by what is in it. Nobody's file name is asked.
 *
 * @throws bad_request for a go.work, which names directories
 */
export function inputName(text: string): string {
  const plain = text.replace(/^\ufeff/, '');
  if (/^\s*\{/.test(plain) || /^\s*SPDXVersion:/.test(plain)) return 'bill';
  if (/^\S+ v\S+ h1:/m.test(plain)) return 'go.sum';
  if (/^[ \t]*module[ \t(]/m.test(plain)) return 'go.mod';
  if (/^[ \t]*use[ \t(]/m.test(plain))
    throw new GokeepError(
      'bad_request',
      'a go.work names directories, which are not here: give the go.mod of each of its modules',
    );
  return 'list';
}

/**
 * The options of `gokeep bundle create` for a request, each in one word with its value, so that no value is taken for an option.
 *
 * @param hasReceipt whether a bundle of that id was made or imported here
 * @throws bad_request with a sentence that says what to write instead
 */
export function makeOptions(request: MakeRequest, hasReceipt: (id: string) => boolean): string[] {
  const { servedSince, toolchains, platforms, vulndb, since } = request;
  check(servedSince === undefined || FORMS.day.test(servedSince), 'write the day as in 2026-11-24');
  for (const each of toolchains)
    check(
      FORMS.toolchain.test(each),
      'write a toolchain as in go1.26.9, or "auto" for those that the inputs ask for',
    );
  for (const each of platforms) check(FORMS.platform.test(each), 'write a platform as in linux/amd64');
  check(
    toolchains.length * Math.max(platforms.length, 1) <= MOST_NAMED,
    `at most ${MOST_NAMED} toolchains go into one bundle`,
  );
  check(since.length <= MOST_NAMED, `at most ${MOST_NAMED} earlier bundles can be named`);
  for (const id of since)
    check(
      FORMS.id.test(id) && hasReceipt(id),
      'the earlier bundle is none that was made or imported here: name one by its id',
    );
  const flags = [
    ['--all', request.all],
    ['--tests', request.tests],
    ['--skip-missing', request.skipMissing],
    ['--dry-run', request.dryRun],
  ] as const;
  return [
    ...flags.filter(([, isSet]) => isSet).map(([flag]) => flag),
    ...(servedSince === undefined ? [] : [`--served-since=${servedSince}`]),
    ...toolchains.map((each) => `--toolchain=${each}`),
    ...platforms.map((each) => `--platform=${each}`),
    ...(vulndb === undefined ? [] : [`--vulndb=${vulndbUrl(vulndb)}`]),
    ...since.map((id) => `--since=${id}`),
  ];
}

/** An address on the web: a path would be one of the server's. */
function vulndbUrl(text: string): string {
  const url = text.length <= MOST_URL && URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  check(
    isWeb && url?.username === '' && url?.password === '',
    'write the address of the vulnerability database as in https://vuln.example, without a login',
  );
  return url?.href ?? '';
}

function check(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new GokeepError('bad_request', sentence);
}
