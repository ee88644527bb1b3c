import { type Facts } from '../facts/facts.ts';
import type { Finding } from '../finding.ts';
import { placeText } from '../fixes.ts';
import type { Failure } from '../net/failure.ts';
import type { Probed } from '../probes/probed.ts';
import { type Check, serverUrl } from './check.ts';
import { certificates } from './certificates.ts';

const CLOCK_MS = 5 * 60_000;

/** Whether the server can be reached at all, and what is in the way. */
export const reach: Check = (facts, probed) => {
  const { target } = probed;
  if (target === undefined) return [];
  const { identity, clockAhead } = target;
  const clock = clockAhead !== undefined && Math.abs(clockAhead) > CLOCK_MS ? [clockIs(clockAhead)] : [];
  if (identity.kind === 'unreached') return [...clock, ...failureFinding(facts, probed, identity.failure)];
  if (identity.kind === 'other') return [...clock, notOurs(target.url, identity.status, identity.isHtml)];
  const failed = [probed.access, probed.database].find((each) => each?.kind === 'unreached');
  return [...clock, ...(failed?.kind === 'unreached' ? failureFinding(facts, probed, failed.failure) : [])];
};

function clockIs(ahead: number): Finding {
  const minutes = Math.round(Math.abs(ahead) / 60_000);
  return {
    id: 'clock',
    harm: 'broken',
    what: `The clock of this machine is ${minutes} minutes ${ahead > 0 ? 'ahead of' : 'behind'} the server's.`,
    why: 'Certificates and tokens are good between two points of time: with a wrong clock they are refused.',
    fix: ['sudo timedatectl set-ntp true', '# on Windows: w32tm /resync'],
  };
}

function notOurs(url: string, status: number, isHtml: boolean): Finding {
  return {
    id: isHtml ? 'html-answer' : 'not-gokeep',
    harm: 'broken',
    what: isHtml
      ? `${url} answers with a web page (status ${status}), not as a gokeep.`
      : `${url} is no gokeep: it answered ${status} to the question what it is.`,
    why: isHtml
      ? 'A login page, a captive portal or the wrong address: go would take its text for versions, or fail.'
      : 'Its path may be wrong, or it is another proxy; nothing else was asked of it.',
    fix: [
      `curl -v ${url}/api/v1/server`,
      '# the address has to be the one that the server prints at its start',
    ],
  };
}

function failureFinding(facts: Facts, probed: Probed, failure: Failure): Finding[] {
  const url = serverUrl(probed);
  const via = failure.egress === undefined ? undefined : `${failure.egress}${setBy(facts, failure.egress)}`;
  if (failure.code === 'NOT_TRIED') return [];
  if (failure.tls !== undefined) return certificates(facts, url, failure.tls);
  if (via !== undefined)
    return [
      {
        id: 'egress-proxy',
        harm: 'broken',
        what: `The proxy of ${via} stands between this machine and ${url}, and fails: ${failure.stage} ${failure.code} (${failure.detail}).`,
        why: 'go sends every request to it, for servers inside as well as outside.',
        fix: [
          `export NO_PROXY="\${NO_PROXY:+$NO_PROXY,}${new URL(url).hostname}"`,
          `# or correct ${failure.egress}`,
        ],
      },
    ];
  return [unreachable(url, failure)];
}

function setBy(facts: Facts, name: string): string {
  const profile = facts.profiles.find((each) => each.name === name);
  return profile === undefined ? '' : ` (${placeText(profile)})`;
}

function unreachable(url: string, failure: Failure): Finding {
  const { hostname, host, protocol } = new URL(url);
  const base = { harm: 'broken' as const };
  switch (failure.stage) {
    case 'dns':
      return {
        ...base,
        id: 'dns',
        what: `The name ${hostname} is not known to this machine (${failure.code}).`,
        why: 'It is mistyped, or known only inside a network or VPN that this machine is not in.',
        fix: [`getent hosts ${hostname}`, '# or nslookup; then correct GOPROXY, or connect to the VPN'],
      };
    case 'connect':
      return failure.code === 'TIMEOUT'
        ? {
            ...base,
            id: 'silent',
            what: `${host} does not answer (${failure.detail}).`,
            why: 'A firewall drops what is sent there, or the machine is away.',
            fix: [
              `curl -v --max-time 5 ${url}/livez`,
              '# ask for the port to be opened, or for the proxy to use',
            ],
          }
        : {
            ...base,
            id: 'refused',
            what: `Nothing listens at ${host} (${failure.code}).`,
            why: 'The server is not running, or listens at another port or address.',
            fix: [`curl -v ${url}/livez`, '# start the server, or correct the port in GOPROXY'],
          };
    case 'tls':
      return {
        ...base,
        id: failure.code === 'TIMEOUT' ? 'silent' : 'no-tls',
        what: `${host} does not speak TLS (${failure.code}).`,
        why: 'The address says https and the server speaks http, or something on the way breaks TLS.',
        fix: [`curl -v http://${host}/livez`, '# correct the scheme or the port in GOPROXY'],
      };
    case 'egress':
    case 'answer':
      if (failure.code === 'REDIRECTS' || failure.code === 'TOO_LARGE')
        return {
          ...base,
          id: 'not-gokeep',
          what: `${url} is no gokeep: ${failure.detail}.`,
          why: 'Something else answers there, or stands in front of it.',
          fix: [`curl -v ${url}/api/v1/server`],
        };
      return {
        ...base,
        id: protocol === 'http:' && failure.code !== 'TIMEOUT' ? 'no-http' : 'no-answer',
        what: `${host} takes the connection and gives no answer (${failure.code}).`,
        why:
          protocol === 'http:'
            ? 'It may want https: a server with TLS hangs up on plain http.'
            : 'The server is overloaded, or something on the way holds its answers back.',
        fix: [`curl -v ${protocol === 'http:' ? 'https' : 'http'}://${host}/livez`],
      };
  }
}
