import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { GokeepError } from '../errors.ts';

interface GoauthOptions {
  readonly url?: string[];
  readonly tokenFile?: string;
}

/**
 * What `go help goauth` wants of a command: the addresses that the headers below them are for, an empty line, the headers,
 * an empty line.
 */
function answer(urls: readonly string[], token: string): string {
  return `${urls.join('\n')}\n\nAuthorization: Bearer ${token}\n\n`;
}

/** The addresses that may have the token; nobody else ever gets it. Throws bad_request. */
function addresses(options: GoauthOptions): string[] {
  const said = options.url ?? process.env['GOKEEP_URL']?.split(',') ?? [];
  const urls = said.map((text) => text.trim()).filter((text) => text !== '');
  if (urls.length === 0)
    throw new GokeepError(
      'bad_request',
      'say whose token this is: --url https://go.corp.example, or GOKEEP_URL',
    );
  // Neither does go send credentials by anything else.
  for (const url of urls)
    if (!URL.canParse(url) || new URL(url).protocol !== 'https:')
      throw new GokeepError(
        'bad_request',
        `${JSON.stringify(url)} is no https URL, and go sends credentials by https only`,
      );
  return urls;
}

/** From a file, which is read each time, so that it can be renewed; or from the environment, where CI systems put it. */
function readToken({ tokenFile }: GoauthOptions): string {
  const file = tokenFile ?? process.env['GOKEEP_TOKEN_FILE'];
  const text = (
    file === undefined || file === '' ? (process.env['GOKEEP_TOKEN'] ?? '') : contentOf(file)
  ).trim();
  if (text === '')
    throw new GokeepError(
      'bad_request',
      'there is no token: name its file with --token-file, or set GOKEEP_TOKEN',
    );
  // It becomes a header, and what is in a wrong file must not be printed.
  if (!/^[A-Za-z0-9._~+/=-]+$/.test(text))
    throw new GokeepError('bad_request', 'what is there for a token is none: it has to be one word');
  return text;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new GokeepError('bad_request', `${file}: the token cannot be read from there`, { cause: error });
  }
}

/** True where `asked` is one of ours, or lies below it. */
function isBelow(asked: string, url: string): boolean {
  if (!URL.canParse(asked)) return false;
  const [ours, theirs] = [new URL(url), new URL(asked)];
  const base = ours.pathname.replace(/\/$/, '');
  return (
    theirs.origin === ours.origin && (theirs.pathname === base || theirs.pathname.startsWith(`${base}/`))
  );
}

function goauth(asked: string | undefined, options: GoauthOptions): void {
  const urls = addresses(options);
  // go asks about every server that answered 4xx, so of others nothing is said, which is no error.
  if (asked !== undefined && !urls.some((url) => isBelow(asked, url))) return;
  process.stdout.write(answer(urls, readToken(options)));
}

const severalUrls = (value: string, before: string[] = []): string[] => [...before, value];

export function addGoauth(program: Command): void {
  program
    .command('goauth')
    .description('hand the token to go, which runs this as its GOAUTH says')
    .argument('[url]', 'what go was refused; added by go')
    .option('--url <url>', 'https address of the gokeep that the token is for (or GOKEEP_URL)', severalUrls)
    .option(
      '--token-file <file>',
      'file that holds the token (or GOKEEP_TOKEN_FILE; else GOKEEP_TOKEN is the token)',
    )
    .action((asked: string | undefined, options: GoauthOptions) => goauth(asked, options));
}
