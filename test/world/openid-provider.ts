import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';

/** What is used of it: the package has no types. */
type ProviderClass = new (issuer: string, configuration: object) => { callback(): RequestListener };

const SECRET = 'a-secret-of-the-client-that-nobody-may-see';

/** An OpenID Connect provider of another maker, on loopback: whoever signs in as `<login>` has the groups of that name. */
export class LiveProvider implements AsyncDisposable {
  readonly url: string;
  readonly secret = SECRET;
  /** Answers with this status instead. */
  broken: number | undefined;
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @param groups by login */
  static async start(
    redirectUri: string,
    groups: Readonly<Record<string, readonly string[]>>,
  ): Promise<LiveProvider> {
    // @ts-expect-error -- it has no types
    const { default: Provider } = (await import('oidc-provider')) as unknown as { default: ProviderClass };
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const provider = new Provider(url, {
      clients: [
        {
          client_id: 'gokeep',
          client_secret: SECRET,
          redirect_uris: [redirectUri],
          response_types: ['code'],
          grant_types: ['authorization_code'],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'one' }] },
      cookies: { keys: ['test'] },
      claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
      scopes: ['openid', 'profile', 'groups'],
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, preferred_username: `${id} <b>Example</b>`, groups: groups[id] ?? [] }),
      }),
    });
    const live = new LiveProvider(server, url);
    const answer = provider.callback();
    server.on('request', (request, response) => {
      if (live.broken === undefined) answer(request, response);
      else response.writeHead(live.broken).end('broken');
    });
    return live;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
