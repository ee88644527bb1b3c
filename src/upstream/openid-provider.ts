import {
  allowInsecureRequests,
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  customFetch,
  type CustomFetchOptions,
  discovery,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  ResponseBodyError,
} from 'openid-client';
import { request } from 'undici';
import { GokeepError } from '../errors.ts';
import { AddressRules } from './address-rules.ts';
import { Dispatchers, type EgressSettings } from './dispatchers.ts';

export interface OpenIdProviderOptions {
  /** What people call it. */
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined for a public client, which PKCE alone protects. Read each time that the provider is discovered. */
  readonly clientSecret: (() => string) | undefined;
  readonly scopes: readonly string[];
  /** Where the provider sends people back to. */
  readonly redirectUri: () => string;
  /** `gokeep/<version>` */
  readonly userAgent: string;
  /** PEM of further certificate authorities. */
  readonly ca: string | undefined;
  readonly egress: EgressSettings;
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly now: () => number;
}

/** What a browser has to bring back for its sign-in, and nobody else may have. */
export interface SignInSecrets {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
}

/** A person waits for it. */
const ANSWER_SECONDS = 10;
const MAX_BODY = 2 ** 20;
/** The discovery document is asked for anew after this long, in milliseconds. */
const KNOWN_MS = 3_600_000;
/** Anybody can begin to sign in: a provider that does not answer is not asked more often than this. */
const APART_MS = 2_000;

/** Errors of the library that say that what came back is not the answer to what was asked. */
const NOT_OURS = [
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
];

/**
 * Signs people in at an OpenID Connect provider: authorization code flow with PKCE, state and nonce
 * (https://openid.net/specs/openid-connect-core-1_0.html). What it gives is an ID token, whose signature is not checked here.
 */
export class OpenIdProvider implements AsyncDisposable {
  readonly #o: OpenIdProviderOptions;
  readonly #dispatchers: Dispatchers;
  #known: { readonly configuration: Promise<Configuration>; readonly until: number } | undefined;

  constructor(options: OpenIdProviderOptions) {
    this.#o = options;
    this.#dispatchers = new Dispatchers({
      tls: { ca: options.ca },
      egress: options.egress,
      addresses: new AddressRules([]),
      connectTimeout: Math.min(options.connectTimeout, ANSWER_SECONDS * 1000),
      keepAlive: 1_000,
      maxConcurrent: 10,
    });
  }

  get name(): string {
    return this.#o.name;
  }

  /** Where a browser has to go, and what it has to keep meanwhile. Throws busy. */
  async begin(): Promise<{ to: string; secrets: SignInSecrets }> {
    const configuration = await this.#configuration();
    const secrets = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
    const to = buildAuthorizationUrl(configuration, {
      redirect_uri: this.#o.redirectUri(),
      scope: this.#o.scopes.join(' '),
      state: secrets.state,
      nonce: secrets.nonce,
      code_challenge: await calculatePKCECodeChallenge(secrets.verifier),
      code_challenge_method: 'S256',
    });
    return { to: to.href, secrets };
  }

  /**
   * The ID token of whoever came back.
   *
   * @param query of the address that the provider sent the browser to; anybody can have written it
   * @throws refused for what is no answer to this sign-in, or one that says no; busy where the provider cannot be asked
   */
  async finish(query: string, { state, nonce, verifier }: SignInSecrets): Promise<string> {
    const configuration = await this.#configuration();
    const url = new URL(this.#o.redirectUri());
    url.search = query;
    try {
      const checks = {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      };
      const { id_token: token } = await authorizationCodeGrant(configuration, url, checks);
      if (token === undefined) throw this.#refused('gave no ID token', undefined);
      return token;
    } catch (error) {
      throw this.#said(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatchers.close();
  }

  #configuration(): Promise<Configuration> {
    const { now } = this.#o;
    if (this.#known === undefined || now() >= this.#known.until) {
      const configuration = this.#discover().catch((error: unknown) => {
        if (this.#known?.configuration === configuration)
          this.#known = { configuration, until: now() + APART_MS };
        throw this.#busy(error);
      });
      this.#known = { configuration, until: now() + KNOWN_MS };
    }
    return this.#known.configuration;
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.#o;
    const url = new URL(issuer);
    const options = {
      [customFetch]: (target: string, asked: CustomFetchOptions) => this.#fetch(target, asked),
      timeout: ANSWER_SECONDS,
      // The configuration lets plain http through for loopback only.
      execute: url.protocol === 'http:' ? [allowInsecureRequests] : [],
    };
    let authentication: ClientAuth = None();
    const method: ClientAuth = (...sent) => authentication(...sent);
    const configuration = await discovery(url, clientId, undefined, method, options);
    if (clientSecret === undefined) return configuration;
    // Unless it says otherwise, a provider takes Basic (OpenID Connect Discovery 1.0, section 3).
    const methods = configuration.serverMetadata().token_endpoint_auth_methods_supported;
    const isBasic = methods === undefined || methods.includes('client_secret_basic');
    authentication = (isBasic ? ClientSecretBasic : ClientSecretPost)(clientSecret());
    return configuration;
  }

  async #fetch(target: string, { method, headers, body, signal }: CustomFetchOptions): Promise<Response> {
    const url = new URL(target);
    const answer = await request(url, {
      dispatcher: this.#dispatchers.for(url, false),
      method: method === 'POST' ? 'POST' : 'GET',
      headers: { ...headers, 'user-agent': this.#o.userAgent },
      body: body === undefined || body === null ? null : sentText(body),
      signal: signal ?? null,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer.body) {
      size += (chunk as Buffer).length;
      if (size > MAX_BODY) throw new GokeepError('upstream_failed', `${url.host} sent too much`);
      chunks.push(chunk as Buffer);
    }
    const type = answer.headers['content-type'];
    return new Response([204, 304].includes(answer.statusCode) ? null : Buffer.concat(chunks), {
      status: answer.statusCode,
      headers: typeof type === 'string' ? { 'content-type': type } : {},
    });
  }

  #said(error: unknown): GokeepError {
    if (error instanceof GokeepError) return error;
    if (error instanceof AuthorizationResponseError) {
      if (error.error === 'access_denied')
        return this.#refused('did not let you in, or you broke off', error);
      return this.#refused('said that this sign-in cannot be done; begin again', error, error.error);
    }
    if (error instanceof ResponseBodyError) {
      if (error.error === 'invalid_grant')
        return this.#refused('no longer takes this sign-in; begin again', error);
      return this.#busy(error, error.error);
    }
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const isAnother = NOT_OURS.includes(code);
    return isAnother
      ? this.#refused('did not answer this sign-in but another; begin again', error)
      : this.#busy(error);
  }

  #refused(how: string, cause: unknown, code?: string): GokeepError {
    const detail = code === undefined ? {} : { detail: shortCode(code) };
    return new GokeepError('refused', `${this.#o.name} ${how}`, { cause, ...detail });
  }

  #busy(cause: unknown, code?: string): GokeepError {
    const detail = code === undefined ? {} : { detail: shortCode(code) };
    return new GokeepError(
      'busy',
      `nobody can be signed in by ${this.#o.name} now; try again, or sign in with a token`,
      {
        cause,
        ...detail,
      },
    );
  }
}

/** For the log: others wrote it. */
const shortCode = (code: string): string => code.slice(0, 100);

function sentText(body: NonNullable<CustomFetchOptions['body']>): string | Uint8Array {
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('only forms are sent to a provider');
}
