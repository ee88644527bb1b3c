import path from 'node:path';
import type { Machine } from '../machine.ts';
import type { Facts } from './facts.ts';

/** crypto/x509 root_linux.go: the first of these files that is there, and both directories. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const SYSTEM_DIRECTORIES = ['/etc/ssl/certs', '/etc/pki/tls/certs'];
const MOST_FILES = 1_000;
/** What tells other programs of a further authority. */
const OTHERS = ['GIT_SSL_CAINFO', 'NODE_EXTRA_CA_CERTS', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'];
const DEADLINE = 2_000;

/**
 * Where go takes its certificate authorities from (crypto/x509 root_unix.go): SSL_CERT_FILE stands instead of the system's
 * files, SSL_CERT_DIR instead of its directories. Both count for nothing on macOS and Windows, where the system verifies.
 */
export function readTls(machine: Machine): Facts['tls'] {
  const byFile = machine.platform !== 'win32' && machine.platform !== 'darwin';
  if (!byFile) return { files: [], missing: [], byFile };
  const { SSL_CERT_FILE: file = '', SSL_CERT_DIR: named = '' } = machine.env;
  const candidates = file === '' ? SYSTEM_FILES : [file];
  const found = candidates.find((each) => machine.read(each, 16 * 2 ** 20).kind === 'file');
  const directories = named === '' ? SYSTEM_DIRECTORIES : named.split(path.delimiter);
  const below = directories.flatMap((directory) =>
    machine.list(directory).map((name) => path.join(directory, name)),
  );
  return {
    files: [...(found === undefined ? [] : [found]), ...below.slice(0, MOST_FILES)],
    missing: [
      ...(file !== '' && found === undefined ? [file] : []),
      ...(named === '' ? [] : directories.filter((directory) => machine.list(directory).length === 0)),
    ],
    byFile,
  };
}

/** What git is told about TLS: it is what works where go does not, and says why. */
export async function readGit(machine: Machine): Promise<Facts['git']> {
  const { stdout } = await machine.run('git', ['config', '--get-regexp', String.raw`^http\.ssl`], {
    deadline: DEADLINE,
  });
  const said = (key: string) => new RegExp(`^${key} (.*)$`, 'im').exec(stdout)?.[1]?.trim();
  const isOff = said('http.sslverify') === 'false' || (machine.env['GIT_SSL_NO_VERIFY'] ?? '') !== '';
  return { caFile: said('http.sslcainfo'), verifies: !isOff };
}

/** Files of authorities that programs beside go are told of. */
export function otherCaFiles(machine: Machine, git: Facts['git']): string[] {
  const named = [git.caFile, ...OTHERS.map((name) => machine.env[name])];
  return [...new Set(named.filter((file): file is string => file !== undefined && file !== ''))];
}
