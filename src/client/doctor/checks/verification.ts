import { type Facts, valueOf } from '../facts/facts.ts';
import type { Finding } from '../finding.ts';
import { originText, setTo, unset } from '../fixes.ts';
import { type Check, linesAt } from './check.ts';

/** What switches verification off, whole or for some modules. */
export const verification: Check = (facts, probed) => {
  const found: Finding[] = [];
  const { sumdb } = facts;
  const right = probed.gosumdbLine;
  if (sumdb.kind === 'off')
    found.push({
      id: 'gosumdb-off',
      harm: 'unsafe',
      what: `GOSUMDB is off, by ${where(facts, 'GOSUMDB')}.`,
      why: 'go builds whatever it is sent for a version that go.sum does not have yet: nobody notices another zip, or a moved tag.',
      fix:
        right === undefined ? [...unset(facts, 'GOSUMDB'), linesAt(probed)] : setTo(facts, 'GOSUMDB', right),
    });
  if (sumdb.kind === 'bad')
    found.push({
      id: 'gosumdb-bad',
      harm: 'broken',
      what: `GOSUMDB cannot be read: ${sumdb.why.replace(/^GOSUMDB is not valid: /, '')}`,
      why: 'go fails as soon as it has to verify a module.',
      fix:
        right === undefined ? [...unset(facts, 'GOSUMDB'), linesAt(probed)] : setTo(facts, 'GOSUMDB', right),
    });
  const flag = /(?:^|\s)-mod(?:=|\s+)vendor/.test(valueOf(facts, 'GOFLAGS'));
  return [...found, ...exceptions(facts), ...(flag ? [vendor(facts)] : []), ...modulesOff(facts)];
};

/** Patterns that match modules; `none` is what people write for nothing. */
function patternsOf(facts: Facts, name: string): string[] {
  return valueOf(facts, name)
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && each !== 'none' && each !== 'off');
}

function exceptions(facts: Facts): Finding[] {
  const [noSum, noProxy, insecure] = ['GONOSUMDB', 'GONOPROXY', 'GOINSECURE'].map((name) =>
    patternsOf(facts, name),
  );
  const found: Finding[] = [];
  const isDerived = (name: string) => facts.variables.get(name)?.origin.kind === 'derived';
  if (noSum !== undefined && noSum.length > 0) {
    const derived = isDerived('GONOSUMDB');
    const also = derived && isDerived('GONOPROXY') ? 'past the server, and ' : '';
    found.push({
      id: derived ? 'goprivate' : 'gonosumdb',
      harm: 'unsafe',
      what: derived
        ? `GOPRIVATE is ${noSum.join(',')}, by ${where(facts, 'GOPRIVATE')}; an empty GONOSUMDB means the same as GOPRIVATE.`
        : `GONOSUMDB is ${noSum.join(',')}, by ${where(facts, 'GONOSUMDB')}.`,
      why: `Modules that match go ${also}past verification: nobody notices when their tags are moved. gokeep records private modules too, and shows them to nobody else.`,
      fix: unset(facts, derived ? 'GOPRIVATE' : 'GONOSUMDB'),
    });
  }
  if (noProxy !== undefined && noProxy.length > 0 && !(isDerived('GONOPROXY') && isDerived('GONOSUMDB')))
    found.push({
      id: 'gonoproxy',
      harm: 'risk',
      what: `GONOPROXY is ${noProxy.join(',')}, by ${where(facts, isDerived('GONOPROXY') ? 'GOPRIVATE' : 'GONOPROXY')}.`,
      why: 'go fetches modules that match from their repositories, with the logins of this machine, and the server keeps no copy of them.',
      fix: unset(facts, isDerived('GONOPROXY') ? 'GOPRIVATE' : 'GONOPROXY'),
    });
  if (insecure !== undefined && insecure.length > 0)
    found.push({
      id: 'goinsecure',
      harm: 'risk',
      what: `GOINSECURE is ${insecure.join(',')}, by ${where(facts, 'GOINSECURE')}.`,
      why: 'Modules that match and are fetched directly come without TLS being checked, so that anybody on the way can send others. Through the server it has no use.',
      fix: unset(facts, 'GOINSECURE'),
    });
  if (!facts.git.verifies)
    found.push({
      id: 'git-insecure',
      harm: 'risk',
      what: 'git is told not to verify TLS, by http.sslVerify or GIT_SSL_NO_VERIFY.',
      why: 'Whatever go fetches directly from repositories can be exchanged on the way, and so can all else that git fetches.',
      fix: ['git config --global --unset http.sslVerify', 'unset GIT_SSL_NO_VERIFY'],
    });
  return found;
}

function vendor(facts: Facts): Finding {
  const without = facts.main !== undefined && !facts.main.hasVendor;
  return {
    id: 'goflags-vendor',
    harm: without ? 'broken' : 'risk',
    what: `GOFLAGS holds -mod=vendor, by ${where(facts, 'GOFLAGS')}${without ? `, and beside ${facts.main?.file} there is no vendor directory` : ''}.`,
    why: 'go takes packages from vendor alone, in every module and for every command: neither the server nor the checksum database is asked, and `go get` and `go install` of others fail.',
    fix: without
      ? unsetFlag(facts)
      : [...unsetFlag(facts), '# a module with a vendor directory needs no flag for it'],
  };
}

function unsetFlag(facts: Facts): string[] {
  const rest = valueOf(facts, 'GOFLAGS')
    .replace(/(?:^|\s)-mod(?:=|\s+)vendor(?=\s|$)/, ' ')
    .trim();
  return rest === '' ? unset(facts, 'GOFLAGS') : setTo(facts, 'GOFLAGS', rest);
}

function modulesOff(facts: Facts): Finding[] {
  const value = valueOf(facts, 'GO111MODULE');
  if (value !== 'off' && value !== 'auto') return [];
  return [
    {
      id: 'go111module',
      harm: value === 'off' ? 'broken' : 'risk',
      what: `GO111MODULE is ${value}, by ${where(facts, 'GO111MODULE')}.`,
      why:
        value === 'off'
          ? 'go works as it did before there were modules: it looks into GOPATH, and asks neither the server nor the checksum database.'
          : 'Outside of a module go works as it did before there were modules.',
      fix: unset(facts, 'GO111MODULE'),
    },
  ];
}

export function where(facts: Facts, name: string): string {
  return originText(facts.variables.get(name)?.origin ?? { kind: 'default' });
}
