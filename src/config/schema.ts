import { type Static, type TSchema, Type } from 'typebox';

/**
 * The one schema of `gokeep.toml`: it checks the file, types the program and knows every legal key.
 *
 * Durations are strings with a unit ("500ms", "30s", "5m", "1h"), sizes likewise ("64MiB", "2GB"). Secrets are
 * never values: a setting that needs one takes the path of a file.
 */

const table = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });
const optional = Type.Optional;
const text = (description: string) => Type.String({ minLength: 1, description });
export const DURATION_PATTERN = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$';
const duration = (description: string) => Type.String({ pattern: DURATION_PATTERN, description });
const size = (description: string) =>
  Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(B|kB|MB|GB|KiB|MiB|GiB)$', description });
const patterns = (description: string) => Type.Array(Type.String({ minLength: 1 }), { description });

const Upstream = table({
  proxy: optional(text('GOPROXY syntax: where modules come from')),
  sumdb: optional(text('GOSUMDB syntax: the database that proves public modules, or "off"')),
  match: optional(patterns('GOPRIVATE patterns of the module paths that this entry serves')),
  private: optional(Type.Boolean({ description: 'may private paths be sent here' })),
  ca: optional(text('PEM file of further certificate authorities')),
  client_cert: optional(text('PEM file of a client certificate')),
  client_key: optional(text('PEM file of its key')),
  egress: optional(
    text('http://, https:// or socks5:// proxy to go out through; "none" ignores HTTPS_PROXY'),
  ),
  netrc: optional(text('netrc file with credentials')),
  allow_addresses: optional(patterns('CIDRs of internal addresses that redirects may lead to')),
});

const Git = table({
  host: text('host of module paths and https addresses; host:port where the port is not 443'),
  path: optional(text('only what lies below this folder of the host')),
  url: optional(text('what git asks instead of https://host/path/')),
  user: optional(text('user name that goes with the token; "oauth2" unless told otherwise')),
  token_file: optional(text('file whose first line is a token, or a password')),
  helper: optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'git credential helper: the program and its arguments',
    }),
  ),
  ssh_key: optional(text('ssh identity file for this host')),
  ssh_known_hosts: optional(text('ssh known_hosts file for this host')),
});

const rights = {
  read: optional(patterns('GOPRIVATE patterns of the modules that may be read')),
  publish: optional(patterns('GOPRIVATE patterns of the modules that may be published')),
  admin: optional(patterns('GOPRIVATE patterns of the modules that may be administered')),
};

const Access = table({
  required: optional(Type.Boolean({ description: 'do clients have to say who they are' })),
  public: optional(
    Type.Union(
      ['anonymous', 'authenticated', 'granted'].map((who) => Type.Literal(who)),
      { description: 'who reads modules that are not private' },
    ),
  ),
  client_ca: optional(text('PEM file of the authorities of client certificates')),
  certificate: optional(
    Type.Array(table({ subject: text('all attributes: CN=ci,O=Corp'), ...rights }), {
      description: 'what the bearers of client certificates may do',
    }),
  ),
  oidc: optional(
    Type.Array(
      table({
        issuer: text('issuer of JWTs, as they spell it'),
        audience: text('what their aud has to name'),
        claims: optional(
          Type.Record(
            Type.String(),
            Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })]),
            {
              description: 'claims that have to hold, each with its value or several to choose from',
            },
          ),
        ),
        keys: optional(text('JSON Web Key Set file, where the issuer cannot be reached')),
        ca: optional(text('PEM file of further certificate authorities')),
        ...rights,
      }),
      { description: "what the bearers of CI systems' JWTs, and people who sign in, may do" },
    ),
  ),
  sign_in: optional(
    table({
      name: optional(text('what people call the provider; stands on the button')),
      issuer: text('issuer of the provider that people sign in at, as it spells it'),
      client_id: text(
        'what the provider calls this gokeep; the audience of the access.oidc entries for people',
      ),
      client_secret_file: optional(text('file whose first line is the secret of this client')),
      scopes: optional(patterns('what is asked for, beside openid')),
    }),
  ),
});

const Identity = table({
  issuer: text('the OpenID issuer, whole'),
  subject: optional(text('the subject of the certificate, whole')),
  subject_pattern: optional(text('an anchored regular expression for it')),
});

const Signing = table({
  match: patterns('GOPRIVATE patterns of the module paths that this rule is for'),
  required: optional(
    Type.Boolean({ description: 'refuse to publish what is not signed; so unless told otherwise' }),
  ),
  keys: optional(patterns('PEM files of public keys that may sign')),
  identities: optional(Type.Array(Identity)),
  trusted_root: optional(text('JSON file of the sigstore trusted root that identities are verified against')),
});

export const Settings = table({
  version: Type.Literal(1),
  listen: optional(text('host:port')),
  data: optional(text('directory of everything that is kept')),
  url: optional(text('the address that clients use, when it is not the one we listen on')),
  private: optional(patterns('GOPRIVATE patterns: paths that never leave')),
  access: optional(Access),
  offline: optional(Type.Boolean({ description: 'never go out; what is not held does not exist' })),
  replica: optional(
    Type.Boolean({ description: 'serve the log of the gokeep whose bundles are imported, without its key' }),
  ),
  bundles: optional(
    table({
      trust: optional(patterns('verifier keys of the gokeeps whose bundles may be imported')),
      made_size: optional(size('how much of bundles that were made over the network may wait to be fetched')),
      made_age: optional(duration('how long they wait')),
    }),
  ),
  upstream: optional(Type.Array(Upstream)),
  signing: optional(Type.Array(Signing)),
  timeouts: optional(
    table({
      connect: optional(duration('until a connection stands')),
      head: optional(duration('until upstream begins to answer')),
      body: optional(duration('for a whole answer other than a zip')),
      direct: optional(duration('for one run of the go command')),
      min_rate: optional(size('bytes a second below which a zip download is given up')),
      rate_window: optional(duration('how long a zip download may stay below that')),
    }),
  ),
  refresh: optional(
    table({
      ttl: optional(duration('how old list, @latest and queries may be')),
    }),
  ),
  direct: optional(
    table({
      ssh_key: optional(text('ssh identity file')),
      ssh_known_hosts: optional(text('ssh known_hosts file')),
      ca: optional(text('PEM file of further certificate authorities')),
      go: optional(text('the go command to run; otherwise the one on PATH')),
      gitconfig: optional(text('git configuration file, for url.insteadOf and the like')),
      netrc: optional(text('netrc file for version control over https')),
      insecure: optional(patterns('GOINSECURE patterns')),
      protocols: optional(patterns('git transports allowed; https and ssh unless told otherwise')),
      concurrency: optional(Type.Integer({ minimum: 1, maximum: 64 })),
      max_repository: optional(size('largest file that git may write: the history of a repository is one')),
    }),
  ),
  git: optional(Type.Array(Git)),
  monitor: optional(
    table({
      every: optional(duration('how often private repositories are compared with the log')),
      webhook: optional(text('https URL that is told of new incidents')),
      webhook_token_file: optional(text('file whose first line is sent to it as a bearer token')),
      webhook_key_file: optional(text('file whose first line is the key that signs what is sent to it')),
    }),
  ),
  sumdb: optional(
    table({
      name: optional(text('name of our own checksum database; part of its key')),
      key: optional(text('file of the signing key')),
      mark: optional(text('file of the high-water mark; best kept on another volume, outside backups')),
    }),
  ),
  cache: optional(
    table({
      memory: optional(size('memory for small files')),
      small_file: optional(size('largest file kept in memory')),
      disk_reserve: optional(size('free space below which nothing new is taken in')),
    }),
  ),
  prefetch: optional(table({ concurrency: optional(Type.Integer({ minimum: 0, maximum: 64 })) })),
  tls: optional(table({ cert: text('PEM chain'), key: text('PEM key') })),
  http: optional(
    table({
      trust_proxy: optional(patterns('CIDRs of front servers whose X-Forwarded-For is believed')),
      accel_redirect: optional(
        Type.String({
          pattern: '^/([A-Za-z0-9._-]+/)*$',
          description:
            'internal location of an nginx in front that serves <data>/download/; it then sends the zips',
        }),
      ),
      metrics_listen: optional(text('host:port of a listener of its own for /metrics')),
      max_connections: optional(Type.Integer({ minimum: 1 })),
      drain_delay: optional(
        duration('after SIGTERM, how long /readyz says 503 while requests are still taken'),
      ),
    }),
  ),
  log: optional(
    table({
      level: optional(
        Type.Union(['trace', 'debug', 'info', 'warn', 'error', 'silent'].map((level) => Type.Literal(level))),
      ),
      requests: optional(Type.Boolean({ description: 'one line a request' })),
    }),
  ),
});

export type Settings = Static<typeof Settings>;
export type SigningSettings = Static<typeof Signing>;
export type UpstreamSettings = Static<typeof Upstream>;
export type GitSettings = Static<typeof Git>;
export type AccessSettings = Static<typeof Access>;

/** Keys that no released version reads any more, with what to write instead. */
export const RETIRED_KEYS: Readonly<Record<string, string>> = {};
