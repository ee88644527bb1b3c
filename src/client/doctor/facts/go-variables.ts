import path from 'node:path';
import type { Machine } from '../machine.ts';
import type { GoCommand, Origin, ProfileSetting, Variable } from './facts.ts';

/** Where go falls back on GOPRIVATE: these are empty, or not set, and still have its value. */
const FROM_GOPRIVATE: ReadonlySet<string> = new Set(['GONOPROXY', 'GONOSUMDB']);
/**
 * All that is looked at. Without names `go env` also works out flags for a C compiler, for which it needs the build cache: that
 * is slow, and where the cache is what is broken it says nothing else.
 */
const ASKED = [
  'CC',
  'CGO_ENABLED',
  'GO111MODULE',
  'GOAUTH',
  'GOCACHE',
  'GOENV',
  'GOFLAGS',
  'GOINSECURE',
  'GOMODCACHE',
  'GONOPROXY',
  'GONOSUMDB',
  'GOPATH',
  'GOPRIVATE',
  'GOPROXY',
  'GOROOT',
  'GOSUMDB',
  'GOTOOLCHAIN',
  'GOVCS',
  'GOVERSION',
];
const DEADLINE = 6_000;

export interface GoVariables {
  readonly go: GoCommand;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly changed: readonly string[] | undefined;
}

/**
 * Asks go for what it acts on, and finds where each value comes from as cmd/go's cfg.Getenv does: the process environment,
 * where it is not empty, before the file of `go env -w`, and that before $GOROOT/go.env.
 *
 * `go` is kept from changing to another toolchain meanwhile, since that would be a download.
 */
export async function readGoVariables(
  machine: Machine,
  profiles: readonly ProfileSetting[],
): Promise<GoVariables> {
  const env = { ...machine.env, GOTOOLCHAIN: 'local' };
  const [asked, changedAnswer] = await Promise.all([
    machine.run('go', ['env', '-json', ...ASKED], { env, deadline: DEADLINE }),
    machine.run('go', ['env', '-changed', '-json'], { env, deadline: DEADLINE }),
  ]);
  if (asked.missing) return { go: { kind: 'absent' }, variables: new Map(), changed: undefined };
  const said = readJson(asked.stdout);
  const ownFile = said['GOENV'] ?? machine.env['GOENV'] ?? defaultGoenv(machine);
  const own = fileLayer(machine, ownFile, 'goenv');
  const shipped = fileLayer(machine, path.join(said['GOROOT'] ?? '/usr/local/go', 'go.env'), 'go.env');
  const sources = { machine, profiles, layers: [own, shipped] };
  // A go that refuses its settings reports none: what can be read of them is read by ourselves then.
  const names = new Set([...Object.keys(said), ...own.values.keys(), ...shipped.values.keys()]);
  for (const name of Object.keys(machine.env)) if (/^(?:GO[A-Z0-9]+|CGO_[A-Z]+)$/.test(name)) names.add(name);
  const variables = new Map<string, Variable>();
  for (const name of [...names].sort())
    variables.set(name, variableOf(name, name === 'GOTOOLCHAIN' ? undefined : said[name], sources));
  for (const name of FROM_GOPRIVATE) derive(name, variables);
  const changed = changedAnswer.code === 0 ? Object.keys(readJson(changedAnswer.stdout)) : undefined;
  const version = said['GOVERSION'] ?? '';
  const why = asked.timedOut ? 'it did not answer in time' : asked.stderr.trim();
  const go: GoCommand =
    asked.code === 0 && version !== '' ? { kind: 'runs', version } : { kind: 'refuses', said: why };
  return { go, variables, changed };
}

interface Layer {
  readonly origin: Origin;
  readonly values: ReadonlyMap<string, string>;
}

interface Sources {
  readonly machine: Machine;
  readonly profiles: readonly ProfileSetting[];
  readonly layers: readonly Layer[];
}

function variableOf(
  name: string,
  said: string | undefined,
  { machine, profiles, layers }: Sources,
): Variable {
  const inEnvironment = machine.env[name] ?? '';
  const profile = profiles.find((each) => each.name === name && each.value === inEnvironment);
  const environment: Origin = { kind: 'environment', ...(profile === undefined ? {} : { profile }) };
  const settings = [
    { origin: environment, value: inEnvironment },
    ...layers.map((layer) => ({ origin: layer.origin, value: layer.values.get(name) ?? '' })),
  ].filter(({ value }) => value !== '');
  const [first, ...rest] = settings;
  const value = said ?? first?.value ?? '';
  // go.env holds what Go was shipped with: that something else stands before it is no news.
  const shadowed = rest.filter((each) => each.value !== value && each.origin.kind !== 'go.env');
  return { name, value, origin: first?.origin ?? { kind: 'default' }, shadowed };
}

function derive(name: string, variables: Map<string, Variable>): void {
  const own = variables.get(name);
  const from = variables.get('GOPRIVATE')?.value ?? '';
  if (own?.origin.kind !== 'default' || from === '') return;
  variables.set(name, { ...own, value: from, origin: { kind: 'derived', from: 'GOPRIVATE' } });
}

/** A file of `KEY=value` lines, as cmd/go's readEnvFile reads it. */
function fileLayer(machine: Machine, file: string, kind: 'goenv' | 'go.env'): Layer {
  const values = new Map<string, string>();
  const state: ReturnType<Machine['read']> = file === 'off' ? { kind: 'absent' } : machine.read(file);
  if (state.kind === 'file')
    for (const line of state.text.split('\n')) {
      const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*?)\r?$/.exec(line.trim()) ?? [];
      if (name !== undefined && value !== undefined) values.set(name, value);
    }
  return { origin: { kind, file }, values };
}

function defaultGoenv(machine: Machine): string {
  const { env, home, platform } = machine;
  if (platform === 'win32') return path.join(env['AppData'] ?? env['APPDATA'] ?? home, 'go', 'env');
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'go', 'env');
  return path.join(env['XDG_CONFIG_HOME'] || path.join(home, '.config'), 'go', 'env');
}

function readJson(text: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, string>) : {};
  } catch {
    return {};
  }
}
