import type { Facts } from './facts/facts.ts';
import { valueOf } from './facts/facts.ts';
import { decode } from './facts/goproxy-list.ts';

type Env = Readonly<Record<string, string | undefined>>;

const REDACTED = '[redacted]';
/** Names of variables whose values nobody else is to read. */
const SECRET_NAME = /TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE_KEY|API_?KEY|ACCESS_?KEY|AUTH$|COOKIE/i;
/** Shorter ones are words that stand anywhere. */
const SHORTEST = 5;

/** What is secret on this machine, as far as it was read. */
export function secretsOf(env: Env, facts: Facts): string[] {
  const fromEnv = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && SECRET_NAME.test(name) && name !== 'GOAUTH' ? [value] : [],
  );
  const fromUrls = [...Object.values(env), ...[...facts.variables.values()].map(({ value }) => value)]
    .filter((value): value is string => value !== undefined)
    .flatMap(passwordsIn);
  const inProfiles = facts.profiles.flatMap(({ value }) => passwordsIn(value));
  return [...fromEnv, ...fromUrls, ...inProfiles, ...facts.netrc.machines.map(({ password }) => password)];
}

/** Passwords of the URLs in a text, as they stand there and decoded. */
function passwordsIn(text: string): string[] {
  return [...text.matchAll(/[a-z][a-z0-9+.-]*:\/\/([^\s/@"'|,]*)@/gi)].flatMap(([, userinfo = '']) => {
    const password = userinfo.slice(userinfo.indexOf(':') + 1);
    return [userinfo, password, decode(password)];
  });
}

/** Takes out of texts what must not be shown: known secrets, and whatever looks like one. */
export class Redactor {
  readonly #secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    const long = secrets.map((each) => each.trim()).filter((each) => each.length >= SHORTEST);
    const all = long.flatMap((each) => [each, encodeURIComponent(each), JSON.stringify(each).slice(1, -1)]);
    this.#secrets = [...new Set(all)].sort((a, b) => b.length - a.length);
  }

  text(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, REDACTED);
    return (
      clean
        .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'|,]*@/gi, '$1')
        .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s"'?|,]*)\?[^\s"'|,]*/gi, `$1?${REDACTED}`)
        // What was no URL may have been meant as one.
        .replaceAll(/\?[\w.%-]+=[^\s"'|,]*/g, `?${REDACTED}`)
        .replaceAll(/\b((?:Basic|Bearer)\s+)[A-Za-z0-9._~+/=-]{6,}/gi, `$1${REDACTED}`)
        .replaceAll(
          /\b((?:authorization|cookie|x-[\w-]*token|private-token)\s*[:=]\s*)\S[^\r\n]*/gi,
          `$1${REDACTED}`,
        )
        .replaceAll(/\b(login\s+\S+\s+password\s+|password\s*[=:]\s*)(?!%s|<)[^\s\\]+/gi, `$1${REDACTED}`)
        .replaceAll(/\b(?:gokeep_|ghp_|gho_|github_pat_|glpat-|xox[abp]-)[A-Za-z0-9_-]{6,}/g, REDACTED)
    );
  }

  /** A copy of a value, with every string in it treated so. */
  value<T>(value: T): T {
    return this.#any(value) as T;
  }

  #any(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((each) => this.#any(each));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.text(key), this.#any(each)]));
  }
}

/** The settings that a report shows. */
export function shownSettings(facts: Facts): { name: string; value: string }[] {
  return SHOWN.flatMap((name) => {
    const value = valueOf(facts, name);
    return value === '' ? [] : [{ name, value }];
  });
}

const SHOWN = [
  'GOPROXY',
  'GOSUMDB',
  'GONOSUMDB',
  'GONOPROXY',
  'GOPRIVATE',
  'GOINSECURE',
  'GOAUTH',
  'GOFLAGS',
  'GO111MODULE',
  'GOTOOLCHAIN',
  'CGO_ENABLED',
  'GOVCS',
  'GOENV',
  'GOPATH',
  'GOMODCACHE',
  'GOCACHE',
];
