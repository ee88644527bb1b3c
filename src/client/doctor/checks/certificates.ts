import type { Facts } from '../facts/facts.ts';
import type { Finding } from '../finding.ts';
import type { TlsTrouble } from '../net/certificates.ts';

/** What is wrong with the chain of certificates that a server sent. */
export function certificates(facts: Facts, url: string, tls: TlsTrouble): Finding[] {
  const host = new URL(url).host;
  const { code } = tls;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return [
      {
        id: 'tls-wrong-name',
        harm: 'broken',
        what: `The certificate of ${host} is for other names: ${tls.names || 'none'}.`,
        why: 'go accepts a certificate only for the name that stands in GOPROXY.',
        fix: [`# use one of its names in GOPROXY, or have the certificate made for ${new URL(url).hostname}`],
      },
    ];
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return [
      {
        id: code === 'CERT_HAS_EXPIRED' ? 'tls-expired' : 'tls-not-yet',
        harm: 'broken',
        what: `The certificate of ${host} is good from ${tls.validFrom} to ${tls.validTo}, and the clock here says ${new Date(facts.now).toISOString()}.`,
        why: 'Either it has to be renewed, or the clock of this machine is wrong.',
        fix: ['date -u', '# where the clock is right, the operator renews the certificate'],
      },
    ];
  const missing = tls.missing ?? 'somebody unknown';
  const [missingFile] = facts.tls.missing;
  if (missingFile !== undefined)
    return [
      {
        id: 'ssl-cert-file',
        harm: 'broken',
        what: `SSL_CERT_FILE or SSL_CERT_DIR names ${missingFile}, which is not there, and the certificate of ${host}, by "${missing}", is not trusted.`,
        why: "go reads that file instead of the system's, and then knows fewer authorities than every other program.",
        fix: ['unset SSL_CERT_FILE SSL_CERT_DIR'],
      },
    ];
  if (tls.knownTo !== undefined)
    return [
      {
        id: 'tls-git-knows',
        harm: 'broken',
        what: `go does not trust "${missing}", which signed for ${host}; ${tls.knownTo} has it, and go does not read that.`,
        why: 'git, curl and Node have settings of their own for authorities. go takes those of the system, or of SSL_CERT_FILE.',
        fix: trust(facts, tls.knownTo),
      },
    ];
  if (!tls.endsInRoot && tls.sent.length > 0)
    return [
      {
        id: 'tls-missing-certificate',
        harm: 'broken',
        what: `${host} sent ${tls.sent.length === 1 ? 'its own certificate alone' : `${tls.sent.length} certificates`}; the one of "${missing}", which signed ${JSON.stringify(tls.sent.at(-1))}, is neither sent nor trusted here${files(tls)}.`,
        why: 'Either the server leaves an intermediate certificate out, which browsers find by themselves and go does not; or this machine does not know the authority.',
        fix: [
          `# the operator: the file of tls.cert has to hold the server's certificate and, below it, that of "${missing}"`,
          ...trust(facts, 'corporate-ca.pem'),
        ],
      },
    ];
  return [
    {
      id: 'tls-unknown-authority',
      harm: 'broken',
      what: `go does not trust "${missing}", the authority of the certificate of ${host}${files(tls)}.`,
      why: 'It is an authority of your own, or something on the way takes TLS apart: ask whose it is before you trust it.',
      fix: trust(facts, 'corporate-ca.pem'),
    },
  ];
}

function files({ trusted }: TlsTrouble): string {
  return trusted.length === 0 ? '' : ` (looked up in ${trusted.join(', ')})`;
}

function trust(facts: Facts, file: string): string[] {
  if (facts.platform === 'win32')
    return [String.raw`Import-Certificate -FilePath ${file} -CertStoreLocation Cert:\LocalMachine\Root`];
  if (facts.platform === 'darwin')
    return [`sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${file}`];
  return [
    `sudo cp ${file} /usr/local/share/ca-certificates/corporate.crt && sudo update-ca-certificates`,
    `# without root: export SSL_CERT_FILE=${file}`,
  ];
}
