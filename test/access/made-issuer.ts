import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface Claims {
  readonly [claim: string]: unknown;
}

/** A key of an issuer, and what is signed with it. */
export class MadeKey {
  readonly kid: string;
  readonly alg: string;
  readonly jwk: JWK;
  readonly #key: CryptoKey;

  private constructor(kid: string, alg: string, jwk: JWK, key: CryptoKey) {
    this.kid = kid;
    this.alg = alg;
    this.jwk = jwk;
    this.#key = key;
  }

  static async make(kid: string, alg = 'ES256'): Promise<MadeKey> {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    return new MadeKey(kid, alg, { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }, privateKey);
  }

  /** A JWT of exactly these claims. */
  sign(claims: Claims): Promise<string> {
    return new SignJWT({ ...claims }).setProtectedHeader({ alg: this.alg, kid: this.kid }).sign(this.#key);
  }
}

/** An OpenID Connect issuer on loopback. */
export class MadeIssuer implements AsyncDisposable {
  keys: MadeKey[] = [];
  /** Answers with this instead. */
  broken: { readonly status: number; readonly body: string } | undefined;
  asked: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      this.asked.push(request.url ?? '');
      const { url } = this;
      const documents: Record<string, unknown> = {
        '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
        '/keys': { keys: this.keys.map(({ jwk }) => jwk) },
      };
      const body = documents[request.url ?? ''];
      response.statusCode = this.broken?.status ?? (body === undefined ? 404 : 200);
      response.end(this.broken?.body ?? JSON.stringify(body ?? {}));
    });
  }

  static async start(): Promise<MadeIssuer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = new MadeIssuer(server);
    issuer.keys = [await MadeKey.make('first')];
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A JWT of this issuer, good for an hour, with the newest key. */
  sign(claims: Claims): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return this.keys.at(-1)!.sign({ iss: this.url, sub: 'job', iat: now, exp: now + 3600, ...claims });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}
