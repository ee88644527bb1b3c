import { type Facts, valueOf } from '../facts/facts.ts';
import type { GoproxyEntry } from '../facts/goproxy-list.ts';
import type { Finding } from '../finding.ts';
import { originText, placeText, setTo } from '../fixes.ts';
import type { Probed } from '../probes/probed.ts';
import { type Check, linesAt } from './check.ts';
import { where } from './verification.ts';

/** GOPROXY: whether it names the server, and what stands around it. */
export const chain: Check = (facts, probed) => {
  if (facts.go.kind !== 'runs' || valueOf(facts, 'GO111MODULE') === 'off') return [];
  const bad = facts.goproxy.find(({ kind }) => kind === 'bad');
  if (bad !== undefined)
    return [
      {
        id: 'goproxy-bad',
        harm: 'broken',
        what: `GOPROXY has an entry that is no address: ${JSON.stringify(bad.text)}, by ${where(facts, 'GOPROXY')}.`,
        why: 'Entries are URLs, direct or off, between commas or pipes; quotes and spaces become part of them, and go fails.',
        fix: [...change(facts, probed)],
      },
    ];
  const at = facts.goproxy.findIndex(({ url }) => url !== undefined && url === probed.target?.url);
  const us = facts.goproxy[at];
  if (us === undefined) return [notNamed(facts, probed)];
  return [...before(facts, us, at, probed), ...after(facts, us, at)];
};

function change(facts: Facts, probed: Probed): string[] {
  return probed.target === undefined ? [linesAt(probed)] : setTo(facts, 'GOPROXY', probed.target.url);
}

function notNamed(facts: Facts, probed: Probed): Finding {
  const value = valueOf(facts, 'GOPROXY');
  const elsewhere = facts.profiles.find(
    (each) => each.name === 'GOPROXY' && each.value !== value && each.literal,
  );
  const hidden = facts.variables.get('GOPROXY')?.shadowed[0];
  const is = `GOPROXY is ${facts.goproxy.map((each) => each.url ?? each.text).join(', ') || 'without any entry'}, by ${where(facts, 'GOPROXY')}`;
  const why =
    value === 'off'
      ? 'go fetches nothing: what is not in its cache is "module lookup disabled by GOPROXY=off".'
      : 'Modules do not come through the server: they are neither kept nor logged there, and private ones are asked of others.';
  if (hidden !== undefined)
    return {
      id: 'goproxy-shadowed',
      harm: 'broken',
      what: `${is}; what ${originText(hidden.origin)} says is without effect.`,
      why: 'The environment comes before what `go env -w` wrote, so that changing the latter changes nothing.',
      fix: [...change(facts, probed), '# or take it out of the environment'],
    };
  if (elsewhere !== undefined && facts.variables.get('GOPROXY')?.origin.kind !== 'environment')
    return {
      id: 'profile-not-loaded',
      harm: 'broken',
      what: `${placeText(elsewhere)} sets GOPROXY, and this process does not have it: ${is}.`,
      why: 'Not every shell, and no editor or service, reads that file; or it sets it without export.',
      fix: [`go env -w GOPROXY=${elsewhere.value}`, '# go env -w is read by every go, however it is started'],
    };
  return {
    id: value === 'off' ? 'goproxy-off' : 'goproxy-elsewhere',
    harm: 'broken',
    what: `${is}.`,
    why,
    fix: change(facts, probed),
  };
}

function before(facts: Facts, us: GoproxyEntry, at: number, probed: Probed): Finding[] {
  const earlier = facts.goproxy.slice(0, at);
  if (!us.isReached)
    return [
      {
        id: 'direct-first',
        harm: 'broken',
        what: `In GOPROXY ${earlier.at(-1)?.text ?? 'direct'} stands before the server, by ${where(facts, 'GOPROXY')}.`,
        why: 'direct and off end the list: go never asks the server, and fetches every module from its repository.',
        fix: change(facts, probed),
      },
    ];
  const other = earlier.find(({ kind }) => kind === 'http' || kind === 'file');
  if (other === undefined) return [];
  return [
    {
      id: 'other-first',
      harm: 'risk',
      what: `In GOPROXY ${other.url ?? 'a file proxy'} stands before the server, by ${where(facts, 'GOPROXY')}.`,
      why: 'It is asked for every module first, private ones included, so it learns their names; and what it has never comes through the server.',
      fix: change(facts, probed),
    },
  ];
}

function after(facts: Facts, us: GoproxyEntry, at: number): Finding[] {
  const next = facts.goproxy[at + 1];
  if (next === undefined || next.kind === 'off') return [];
  const name = next.url ?? next.text;
  const alone = facts.goproxy[at]?.text ?? '';
  if (us.separator === '|')
    return [
      {
        id: 'pipe-after',
        harm: 'risk',
        what: `In GOPROXY a pipe follows the server: ${name} is asked after any error of it, by ${where(facts, 'GOPROXY')}.`,
        why: 'A refusal, an outage and a module with other bytes than recorded are passed over in silence, and names of private modules go to whoever is next. A comma lets go on after 404 and 410 alone.',
        fix: setTo(facts, 'GOPROXY', alone),
      },
    ];
  return [
    {
      id: 'fallback-after',
      harm: 'risk',
      what: `In GOPROXY ${name} follows the server, by ${where(facts, 'GOPROXY')}.`,
      why: 'For whatever the server does not have, a mistyped private module included, go asks there: the name leaves, and an answer comes past the server.',
      fix: setTo(facts, 'GOPROXY', alone),
    },
  ];
}
