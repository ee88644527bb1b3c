import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_LIFETIME, NEVER, parseLifetime, stateOf, wantedToken } from '../access/new-token.ts';
import { EVERY_PATH, type Grants } from '../access/principal.ts';
import { tokenEnded, tokenMade } from '../audit/token-events.ts';
import { useOf } from '../audit/token-use.ts';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { type StoredToken, TokenReader, TokenWriter } from '../store/token-table.ts';
import type { TokenUses } from '../store/token-use-table.ts';
import { ACCESS_DATABASE, UPSTREAM_DATABASE } from './data-files.ts';
import { openUpstreamReader } from './local-log.ts';
import { recordLocally } from './local-trail.ts';
import { exitFound, isoTime, printJson, printLines } from './output.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

export const tokensFile = ({ data }: Config): string => path.join(data, ACCESS_DATABASE);

interface CreateOptions extends SharedOptions {
  readonly name?: string;
  readonly read?: string[];
  readonly publish?: string[];
  readonly admin?: string[];
  /** Milliseconds. */
  readonly expires?: number | typeof NEVER;
  readonly json?: true;
}

function create(options: CreateOptions): void {
  const { name, read = [], publish = [], admin = [], expires = DEFAULT_LIFETIME, json } = options;
  const config = loadLocal(options);
  const wanted = { name, grants: { read, publish, admin }, lifetime: expires };
  const { token, stored } = wantedToken(wanted, Date.now());
  mkdirSync(config.data, { recursive: true, mode: 0o750 });
  using writer = new TokenWriter(tokensFile(config));
  writer.add(stored, () => recordLocally(config, tokenMade(stored)));
  if (json === true) {
    printJson({ token, ...shown(stored) });
    return;
  }
  printLines([token]);
  const until = stored.expires === undefined ? 'never expires' : `expires ${isoTime(stored.expires)}`;
  // Beside the token, so that a script can take standard output as it is.
  console.error(
    [
      `${stored.name} (${stored.id}) ${until}; it ${rightsOf(stored)}`,
      'this is the only time that the token is shown: what is kept is its SHA-256',
      ...(config.access.required ? [] : ['access is not required by this configuration, so nobody needs it']),
    ].join('\n'),
  );
}

function rightsOf({ read, publish, admin }: Grants): string {
  const said = [
    ...(read.length > 0 ? [`may read ${read.join(', ')}`] : []),
    ...(publish.length > 0 ? [`may publish ${publish.join(', ')}`] : []),
    ...(admin.length > 0 ? [`may administer ${admin.join(', ')}`] : []),
  ];
  return said.length > 0 ? said.join('; ') : 'gives no rights beyond those of everybody who is known';
}

function shown(token: StoredToken) {
  const { id, name, read, publish, admin, created, expires, revoked } = token;
  const time = (ms: number | undefined) => (ms === undefined ? null : isoTime(ms));
  return {
    id,
    name,
    state: stateOf(token, Date.now()),
    read,
    publish,
    admin,
    created: isoTime(created),
    expires: time(expires),
    revoked: time(revoked),
  };
}

/** All tokens, oldest first; none where none was ever made. */
export function storedTokens(config: Config): readonly StoredToken[] {
  const file = tokensFile(config);
  if (!existsSync(file)) return [];
  using reader = new TokenReader(file);
  return reader.all();
}

/** When tokens were used; undefined where no server has noted that. Who wants to revoke one is shown them whatever is wrong here. */
function knownUses(config: Config): TokenUses | undefined {
  if (!existsSync(path.join(config.data, UPSTREAM_DATABASE))) return undefined;
  try {
    using upstream = openUpstreamReader(config);
    return upstream.tokenUses();
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    console.error(`gokeep: when tokens were last used is not known: ${error.message}`);
    return undefined;
  }
}

function useText(token: StoredToken, uses: TokenUses | undefined): string {
  if (uses === undefined) return '';
  const { lastUsed, usesNotedSince } = useOf(token, uses);
  if (lastUsed !== null) return `, last used ${lastUsed}`;
  return token.created >= uses.since ? ', never used' : `, not used since ${usesNotedSince}`;
}

function list(options: SharedOptions & { readonly json?: true }): void {
  const config = loadLocal(options);
  const tokens = storedTokens(config);
  const uses = knownUses(config);
  if (options.json === true) {
    printJson(tokens.map((token) => ({ ...shown(token), ...useOf(token, uses) })));
    return;
  }
  if (tokens.length === 0) printLines(['there are no tokens']);
  for (const token of tokens) {
    const { id, name, state, expires, revoked } = shown(token);
    const when = revoked !== null ? ` ${revoked}` : expires === null ? '' : `, expires ${expires}`;
    printLines([`${id}  ${name}  ${state}${when}${useText(token, uses)}; ${rightsOf(token)}`]);
  }
}

function revoke(idsOrNames: readonly string[], options: SharedOptions): void {
  const config = loadLocal(options);
  const file = tokensFile(config);
  if (!existsSync(file)) throw new GokeepError('bad_request', 'there are no tokens in this data directory');
  using writer = new TokenWriter(file);
  for (const idOrName of idsOrNames) {
    const record = (token: { id: string; name: string }) =>
      recordLocally(config, tokenEnded('revoked', token));
    if (writer.revoke(idOrName, Date.now(), record)) {
      printLines([`${idOrName} is revoked; a running server refuses it within a second`]);
    } else {
      console.error(`gokeep: there is no token ${JSON.stringify(idOrName)} that could be revoked`);
      exitFound();
    }
  }
}

/** Patterns, of an option that may be given several times and each time with several, as GOPRIVATE has them. */
const patternsOption = (value: string, before: string[] = []): string[] => [...before, ...value.split(',')];

function expiresOption(value: string): number | typeof NEVER {
  const lifetime = parseLifetime(value);
  if (lifetime === undefined)
    throw new InvalidArgumentError(`Say days or hours, such as 90d or 12h, or ${NEVER}.`);
  return lifetime;
}

export function addToken(program: Command): void {
  const token = program.command('token').description('tokens of clients; also beside a running server');
  withSharedOptions(token.command('create'))
    .description('make a token, and print it: nothing can show it again')
    .option('--name <name>', 'what to call it in lists and logs')
    .option(
      '--read <patterns>',
      'module paths that it may read, as in GOPRIVATE; "*" is every path',
      patternsOption,
    )
    .option('--publish <patterns>', 'module paths that it may publish', patternsOption)
    .option(
      '--admin [patterns]',
      'module paths that it may administer; all of them without a pattern',
      patternsOption,
    )
    .option(
      '--expires <time>',
      `days or hours from now, such as 90d, or ${NEVER} (default: 90d)`,
      expiresOption,
    )
    .option('--json', 'print one JSON document')
    .action((options: Omit<CreateOptions, 'admin'> & { admin?: string[] | true }) =>
      create({ ...options, admin: adminOf(options.admin) }),
    );
  withSharedOptions(token.command('list'))
    .description('print what is known of the tokens, which is not the tokens themselves')
    .option('--json', 'print one JSON document')
    .action((options: SharedOptions & { json?: true }) => list(options));
  withSharedOptions(token.command('revoke'))
    .description('end tokens now')
    .argument('<id-or-name...>', 'as list prints them')
    .action((idsOrNames: string[], options: SharedOptions) => revoke(idsOrNames, options));
}

/** Without a pattern, of which commander makes `true`, the option means all paths. */
function adminOf(said: string[] | true | undefined): string[] {
  return said === true ? [EVERY_PATH] : (said ?? []);
}
