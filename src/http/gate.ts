import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Authenticator } from '../access/authenticator.ts';
import { EVERYBODY, type Principal } from '../access/principal.ts';

/** What of a request says who sends it. */
export type Credentials = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Says who sends a request. */
export interface Gate {
  /** At once, where it was found out before; undefined: {@link identify} has to. */
  known(request: Credentials): Principal | undefined;
  /** Never rejects. */
  identify(request: Credentials): Promise<Principal>;
  /** Who sends nothing that says so. */
  readonly anonymous: Principal;
}

/** Access is not required: everybody may everything, and whatever credentials come are not looked at. */
export const OPEN: Gate = {
  known: () => EVERYBODY,
  identify: () => Promise.resolve(EVERYBODY),
  anonymous: EVERYBODY,
};

/** @param certificates whether clients are asked for one */
export function gateOf(authenticator: Authenticator, certificates: boolean): Gate {
  const { anonymous } = authenticator;
  /** Credentials that come with a connection hold as long as it does. */
  const ofSockets = new WeakMap<object, Principal>();
  const subjectOf = ({ socket }: Credentials) =>
    certificates ? clientSubject(socket as TLSSocket) : undefined;
  return {
    anonymous,
    known: (request) => {
      const { authorization } = request.headers;
      if (authorization !== undefined) return authenticator.remembered(authorization);
      return certificates ? ofSockets.get(request.socket) : anonymous;
    },
    identify: async (request) => {
      const { authorization } = request.headers;
      const principal = await authenticator.identify(authorization, subjectOf(request));
      if (authorization === undefined && certificates) ofSockets.set(request.socket, principal);
      return principal;
    },
  };
}

/**
 * Subject of the certificate that a client has shown and that our authority vouches for. The handshake lets others through,
 * since clients with a token may show whatever they have: they are not looked at.
 */
function clientSubject(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  return socket.getPeerX509Certificate()?.subject;
}
