import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Chain {
  /** PEM of the server's certificate, and of what it sends along. */
  readonly cert: string;
  readonly key: string;
}

export interface BrokenCertificates {
  /** PEM of the root authority. */
  readonly root: string;
  /** Signed by an intermediate authority, which is not sent. */
  readonly withoutIntermediate: Chain;
  /** The same, whole. */
  readonly whole: Chain;
  /** Good until yesterday. */
  readonly expired: Chain;
  /** Signed by itself. */
  readonly selfSigned: Chain;
}

/** Certificates for 127.0.0.1 that are wrong in one way each, made by openssl. */
export function makeBrokenCertificates(): BrokenCertificates {
  const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-broken-certs-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const read = (name: string) => readFileSync(path.join(directory, name), 'utf8');
  const request = (name: string) =>
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name} test`);
  const sign = (name: string, by: string, extensions: string, ...validity: string[]) =>
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${by}.pem`,
      '-CAkey',
      `${by}.key`,
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
      '-extfile',
      extensions,
      ...validity,
    );
  try {
    writeFileSync(path.join(directory, 'leaf'), 'subjectAltName=IP:127.0.0.1\n');
    writeFileSync(path.join(directory, 'ca'), 'basicConstraints=critical,CA:true\n');
    const self = (name: string, ...more: string[]) =>
      openssl(
        'req',
        '-x509',
        ...key,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
        '-days',
        '2',
        '-subj',
        `/CN=${name} test`,
        ...more,
      );
    self('root');
    self('self', '-addext', 'subjectAltName=IP:127.0.0.1');
    for (const name of ['middle', 'leafed', 'old']) request(name);
    sign('middle', 'root', 'ca', '-days', '2');
    sign('leafed', 'middle', 'leaf', '-days', '2');
    sign('old', 'root', 'leaf', '-days', '-1');
    return {
      root: read('root.pem'),
      withoutIntermediate: { cert: read('leafed.pem'), key: read('leafed.key') },
      whole: { cert: read('leafed.pem') + read('middle.pem'), key: read('leafed.key') },
      expired: { cert: read('old.pem'), key: read('old.key') },
      selfSigned: { cert: read('self.pem'), key: read('self.key') },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
