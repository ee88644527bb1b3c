import type { KnownError } from './known.ts';

/** What go says when something is not what it should be. These come before what caused the request to fail. */
export const VERIFICATION: readonly KnownError[] = [
  {
    id: 'database-misbehaves',
    pattern: /server misbehavior detected|checking tree#\d+/,
    cause:
      'The checksum database contradicts, or cannot prove, a tree head that go has seen: one key has signed two histories, or the log was put back from a backup.',
    fix: [
      '# build nothing, keep $(go env GOPATH)/pkg/sumdb as evidence, and tell the operator and your security team',
    ],
  },
  {
    id: 'mismatch-with-database',
    pattern: /checksum mismatch.* downloaded: +h1:\S+ +(?!go\.sum:)[\w.:/-]+: +h1:/,
    cause:
      'What was downloaded is not what the checksum database has recorded for this version: the tag was moved, or something on the way changed the module.',
    fix: [
      'npx gokeep why <module>@<version>',
      '# do not switch verification off: ask whoever publishes the module',
    ],
  },
  {
    id: 'mismatch-with-go-sum',
    pattern: /checksum mismatch.* downloaded: +h1:\S+ +go\.sum: +h1:/,
    cause:
      'What was downloaded is not what go.sum recorded: the tag was moved since, go.sum was merged wrongly, or the module cache is damaged.',
    fix: [
      'go clean -modcache && go mod download',
      'npx gokeep verify   # says which side the checksum database is on',
    ],
  },
  {
    id: 'mismatch',
    pattern: /checksum mismatch(?!.* downloaded: )/,
    cause:
      'What was downloaded is not what was recorded. The lines below that say by whom: `go.sum:` is your own record, a name with dots is the checksum database.',
    fix: ["npx gokeep doctor --explain '…the lines below it, too…'", 'npx gokeep verify'],
  },
  {
    id: 'head-by-another-key',
    pattern:
      /malformed note|no verifiable signatures|invalid signature for key|unverified note|note:.*signature/,
    cause:
      "The tree head of the checksum database is signed by another key than GOSUMDB has: the key was changed, the line is another server's, or go remembers a head of an earlier key.",
    fix: [
      '# compare GOSUMDB with the line that the server shows; only where the key was really changed:',
      'rm -r "$(go env GOPATH)/pkg/sumdb/<name>"',
    ],
  },
  {
    id: 'gosumdb-malformed',
    pattern: /invalid GOSUMDB|malformed verifier (?:id|key)|missing GOSUMDB|unknown GOSUMDB/i,
    cause: 'GOSUMDB is not a known name and no whole verifier key: part of it was lost when it was copied.',
    fix: ['# copy the whole line again, with its quotes: name+hash+key'],
  },
  {
    id: 'lookup-not-found',
    pattern:
      /verifying (?:module|go\.mod|\S+@\S+).*(?:\/lookup\/|sumdb).*(?:404 Not Found|410 Gone|not found)/i,
    cause:
      "The checksum database has no record of this version. A public database cannot see private modules: they need the server's own.",
    fix: [
      '# set GOSUMDB to the line that the server shows, and leave GOPRIVATE and GONOSUMDB unset',
      'go env GOPROXY GOSUMDB',
    ],
  },
  {
    id: 'database-elsewhere',
    pattern: /Get "https:\/\/[^"]*\/(?:lookup|tile|latest)[^"]*": /,
    cause:
      'GOSUMDB names a database that no entry of GOPROXY serves, so go asks its host directly, and gets no answer.',
    fix: ['go env GOPROXY GOSUMDB', '# set both lines that the server shows, not one of them'],
  },
  {
    id: 'missing-go-sum',
    pattern: /missing go\.sum entry/,
    cause: 'go.sum has no line for a module that is needed, and go does not add one by itself.',
    fix: ['go mod tidy', 'go mod download all   # where go.mod is right as it is'],
  },
  {
    id: 'bad-zip',
    pattern:
      /zip: not a valid zip file|unexpected EOF|invalid response from proxy|malformed module path|parsing .*go\.mod.*unknown directive/,
    cause: 'What came is no module: it was cut off, or a web page stood in its place.',
    fix: ['go clean -modcache', 'npx gokeep doctor'],
  },
];
