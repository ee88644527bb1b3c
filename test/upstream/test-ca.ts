import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCa {
  /** PEM of the authority. */
  readonly ca: string;
  /** For `upstream.test`, `*.upstream.test` and 127.0.0.1. */
  readonly cert: string;
  readonly key: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** A certificate authority made by openssl for one test run. */
export function makeTestCa(): TestCa {
  const directory = mkdtempSync(join(tmpdir(), 'gokeep-ca-'));
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  try {
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '2',
      '-subj',
      '/CN=test CA',
    );
    writeFileSync(at('ext'), 'subjectAltName=DNS:upstream.test,DNS:*.upstream.test,IP:127.0.0.1\n');
    for (const name of ['server', 'client']) {
      openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      const signed = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-days', '2', '-extfile', 'ext'];
      openssl('x509', '-req', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', ...signed);
    }
    const read = (name: string): string => readFileSync(at(name), 'utf8');
    return {
      ca: read('ca.pem'),
      cert: read('server.pem'),
      key: read('server.key'),
      clientCert: read('client.pem'),
      clientKey: read('client.key'),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
