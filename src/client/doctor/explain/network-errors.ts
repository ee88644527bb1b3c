import type { KnownError } from './known.ts';

/** What go says when it gets no answer, or a refusal. */
export const NETWORK: readonly KnownError[] = [
  {
    id: 'proxyconnect',
    pattern: /proxyconnect tcp/,
    cause: 'HTTPS_PROXY or HTTP_PROXY names a proxy that cannot be used, and go sends the request to it.',
    fix: ['env | grep -i _proxy', 'export NO_PROXY=<host of the server>'],
  },
  {
    id: 'unknown-authority',
    pattern: /certificate signed by unknown authority|certificate is not trusted|unable to get local issuer/,
    cause:
      "go does not know the authority that signed the certificate of the server, or an intermediate certificate is missing. That git or curl know it does not help: go reads the system's authorities, or SSL_CERT_FILE.",
    fix: [
      'sudo cp corporate-ca.pem /usr/local/share/ca-certificates/corporate.crt && sudo update-ca-certificates',
      'npx gokeep doctor   # says which certificate is missing',
    ],
  },
  {
    id: 'wrong-name',
    pattern: /x509: certificate is (?:valid for|not valid for any names)|cannot validate certificate for/,
    cause: 'The certificate of the server is for another name than the one in GOPROXY.',
    fix: ['# use a name that stands in the certificate'],
  },
  {
    id: 'expired',
    pattern: /certificate has expired or is not yet valid/,
    cause: 'The certificate is out of date, or the clock of this machine is wrong.',
    fix: ['date -u', '# where the clock is right, the certificate has to be renewed'],
  },
  {
    id: 'http-for-https',
    pattern:
      /server gave HTTP response to HTTPS client|first record does not look like a TLS handshake|malformed HTTP response|: EOF(?: |$)/,
    cause: 'The address says https and the server speaks http at that port, or the other way round.',
    fix: ['go env GOPROXY', '# correct the scheme or the port'],
  },
  {
    id: 'no-such-host',
    pattern: /no such host|server misbehaving|Temporary failure in name resolution/,
    cause: 'The name in the address is mistyped, or known only inside a network or VPN.',
    fix: ['go env GOPROXY GOSUMDB', '# connect to the VPN, or correct the name'],
  },
  {
    id: 'refused',
    pattern: /connection refused/,
    cause: 'Nothing listens at that address and port.',
    fix: ['go env GOPROXY', '# start the server, or correct the port'],
  },
  {
    id: 'timeout',
    pattern:
      /i\/o timeout|TLS handshake timeout|Client\.Timeout exceeded|context deadline exceeded|no route to host|network is unreachable/,
    cause:
      'What is sent there is not answered: a firewall, a proxy that is not set, or a server that is away.',
    fix: ['npx gokeep doctor', 'env | grep -i _proxy'],
  },
  {
    id: 'credentials-over-http',
    pattern: /refusing to pass credentials to insecure URL/,
    cause: 'The address holds a password and is plain http.',
    fix: ['# use https, and keep the password in netrc'],
  },
  {
    id: 'unauthorized',
    pattern: /: 401 /,
    cause:
      'The server wants credentials. go takes them from netrc or GOAUTH, for https addresses, and only where host and port are the same.',
    fix: [
      `printf 'machine %s login token password %s\\n' <host> "$TOKEN" >> ~/.netrc && chmod 600 ~/.netrc`,
      'npx gokeep doctor',
    ],
  },
  {
    id: 'forbidden',
    pattern: /: 403 /,
    cause:
      'The server knows who asks, and the token has no right to this module; or the server refuses this version.',
    fix: ['# ask the operator for a token that may read the module, and read what the server says above'],
  },
  {
    id: 'terminal-prompts',
    pattern:
      /terminal prompts disabled|could not read Username|Permission denied \(publickey\)|Host key verification failed/,
    cause:
      'go fetches this module from its repository, past the server, and git has no login for it: GOPROXY has `direct`, or GOPRIVATE or GONOPROXY match the module.',
    fix: [
      'go env GOPROXY GOPRIVATE GONOPROXY',
      'go env -u GOPRIVATE',
      'go env -w GOPROXY=https://go.corp.example',
    ],
  },
  {
    id: 'server-trouble',
    pattern: /: 50[0234] /,
    cause:
      'The server is in trouble, or cannot reach what it fetches from. After a comma in GOPROXY go stops here, rightly.',
    fix: ['curl -s <GOPROXY>/readyz', '# ask the operator; try again'],
  },
];
