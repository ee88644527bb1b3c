import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** What is wrong with the chain that a server sent. */
export interface TlsTrouble {
  readonly code: string;
  /** Subjects of what was sent, the server's own first. */
  readonly sent: readonly string[];
  /** Who issued the last of them, which nobody here knows; undefined where the chain is whole. */
  readonly missing: string | undefined;
  /** The last one sent is signed by itself: an authority, but none that is trusted. */
  readonly endsInRoot: boolean;
  /** A file of another program's that holds the authority that is missing. */
  readonly knownTo: string | undefined;
  readonly names: string;
  readonly validFrom: string;
  readonly validTo: string;
  /** The authorities that were asked, as files; empty where the system verifies. */
  readonly trusted: readonly string[];
}

const MOST_SENT = 20;
const PEM = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** The certificates of PEM files; what is none is left out. */
export function readPems(files: readonly string[]): string[] {
  return files.flatMap((file) => {
    try {
      return readFileSync(file, 'utf8').match(PEM) ?? [];
    } catch {
      return [];
    }
  });
}

/** Describes a chain that was refused with this code. */
export function describeChain(
  socket: TLSSocket,
  code: string,
  files: { readonly trusted: readonly string[]; readonly others: readonly string[] },
): TlsTrouble {
  const chain = chainOf(socket);
  const last = chain.at(-1);
  const own = chain[0];
  const endsInRoot = last !== undefined && last.issuer === last.subject;
  const isKnown = /^(?:ERR_TLS|CERT_HAS|CERT_NOT_YET)/.test(code);
  return {
    code,
    sent: chain.map((each) => nameOf(each.subject)),
    missing: last === undefined || isKnown ? undefined : nameOf(last.issuer),
    endsInRoot,
    knownTo:
      last === undefined || isKnown
        ? undefined
        : files.others.find((file) => readPems([file]).some((pem) => hasIssued(pem, last))),
    names: own?.subjectAltName ?? '',
    validFrom: own?.validFrom ?? '',
    validTo: own?.validTo ?? '',
    trusted: files.trusted,
  };
}

/** Whether a certificate in a file is the issuer of one that was sent, or that one itself. */
function hasIssued(pem: string, sent: X509Certificate): boolean {
  try {
    const candidate = new X509Certificate(pem);
    return candidate.fingerprint256 === sent.fingerprint256 || sent.checkIssued(candidate);
  } catch {
    return false;
  }
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (at?.raw !== undefined && !seen.has(at.fingerprint256) && chain.length < MOST_SENT) {
    seen.add(at.fingerprint256);
    chain.push(new X509Certificate(at.raw));
    at = at.issuerCertificate;
  }
  return chain;
}

/** The common name, else all of it in one line. */
function nameOf(subject: string): string {
  return /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ');
}
