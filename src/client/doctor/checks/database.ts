import { type Facts, valueOf } from '../facts/facts.ts';
import { cachedDatabase, headFile } from '../facts/remembered-head.ts';
import type { Finding } from '../finding.ts';
import { setTo } from '../fixes.ts';
import type { Probed } from '../probes/probed.ts';
import { type Check, linesAt, serverUrl } from './check.ts';

/** The checksum database, and what go remembers of it. */
export const database: Check = (facts, probed) => [...head(facts), ...answers(facts, probed)];

function head(facts: Facts): Finding[] {
  if (facts.head.kind !== 'other key' && facts.head.kind !== 'garbage') return [];
  const signer = facts.head.kind === 'garbage' ? 'nobody' : 'another key';
  const name = facts.sumdb.kind === 'database' ? facts.sumdb.name : '';
  const gone = [
    ...new Set([
      facts.head.file,
      headFile(valueOf(facts, 'GOPATH'), name) ?? facts.head.file,
      cachedDatabase(facts.gomodcache.directory, name),
    ]),
  ];
  return [
    {
      id: 'stale-head',
      harm: 'broken',
      what: `${facts.head.file} holds a tree head that ${signer} has signed, not the key in GOSUMDB.`,
      why: 'A database of the same name had another key here once, or the file is damaged: go reads what it kept first, and refuses everything. Remove it only where you know that the key was changed.',
      fix: gone.map((each) =>
        facts.platform === 'win32' ? `Remove-Item -Recurse -Force '${each}'` : `rm -rf '${each}'`,
      ),
    },
  ];
}

function answers(facts: Facts, probed: Probed): Finding[] {
  const { database: said } = probed;
  const url = serverUrl(probed);
  const right = probed.gosumdbLine;
  const change = right === undefined ? [linesAt(probed)] : setTo(facts, 'GOSUMDB', right);
  const own = probed.target?.identity.kind === 'gokeep' ? probed.target.identity.database : undefined;
  switch (said.kind) {
    case 'fork':
      return [
        {
          id: 'fork',
          harm: 'unsafe',
          what: `SECURITY: the checksum database at ${url} contradicts the tree head of ${said.remembered} records that go has seen here.`,
          why: 'One key has signed two histories: somebody shows you other records than others, or the log was put back from a backup and went on. Build nothing until that is known.',
          fix: [
            `# keep ${facts.head.kind === 'head' ? facts.head.file : 'the remembered head'}, it is the evidence; tell the operator and your security team`,
          ],
        },
      ];
    case 'shrunk':
      return [
        {
          id: 'head-behind',
          harm: said.agrees ? 'risk' : 'broken',
          what: `${url} shows a tree head of ${said.size} records, and go has seen one of ${said.remembered} here.`,
          why: `A cache on the way is old, a replica has not caught up, or the log was put back from a backup. ${said.agrees ? 'What both have agrees.' : 'It cannot prove what go has seen, so go refuses it.'}`,
          fix: [`curl -s ${url}/sumdb/${own ?? ''}/latest`, '# ask the operator whether it was restored'],
        },
      ];
    case 'other key':
      return [
        {
          id: 'gosumdb-other-key',
          harm: 'broken',
          what: `${url} signs with another key than GOSUMDB has: ${said.signedBy.join(', ')}.`,
          why: 'The key was changed, or it is not the server that you were told of: ask the operator which key is right, by another way than this one.',
          fix: change,
        },
      ];
    case 'false':
      return [
        {
          id: 'database-false',
          harm: 'unsafe',
          what: `What the checksum database at ${url} says is not proven: ${said.said}`,
          why: 'Somebody on the way changes answers, or its data is damaged; go refuses it as well.',
          fix: ['# tell the operator: gokeep log verify'],
        },
      ];
    case 'refused':
      return [
        {
          id: 'database-refused',
          harm: 'broken',
          what: `The checksum database at ${url} answers with an error: ${said.said}`,
          why: 'go verifies no new module as long as it does.',
          fix: [`curl -s ${url}/readyz`],
        },
      ];
    case 'unsupported':
      return [
        {
          id: 'gosumdb-elsewhere',
          harm: 'broken',
          what: `GOSUMDB names ${said.name}, which ${url} does not serve${own === undefined ? '' : `; its own is ${own}`}.`,
          why: `go asks https://${said.name} itself then, past the server, or fails where that is not reached.`,
          fix: change,
        },
      ];
    case 'proven':
      return facts.sumdb.kind === 'database' && own !== undefined && facts.sumdb.name !== own
        ? [
            {
              id: 'gosumdb-public',
              harm: 'note',
              what: `GOSUMDB is ${valueOf(facts, 'GOSUMDB') || 'the default'}, the public database; the server's own is ${own}.`,
              why: 'Public modules are verified all the same. Private ones are in the log of the server only.',
              fix: change,
            },
          ]
        : [];
    case 'unreached':
    case 'not asked':
      return [];
  }
}
