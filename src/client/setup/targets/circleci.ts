import { netrcMachine, type SetupSettings } from '../settings.ts';
import { HASH, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

function login(settings: SetupSettings): string {
  if (!settings.credentials) return '';
  return `      # The job's own JWT, and no secret to keep: [[access.oidc]] in the configuration of gokeep, docs/access.md.
      - run:
          name: Log in to gokeep
          command: |
            umask 077
            jwt=$(circleci run oidc get --claims '{"aud": "${settings.url}"}')
            echo "machine ${netrcMachine(settings)} login jwt password $jwt" >"$HOME/.netrc"
`;
}

/** Every branch of a project can write its caches under any key: the branch is part of the key, and a release restores none. */
function config(settings: SetupSettings): string {
  const environment = goVariables(settings).map(([name, value]) => `      ${name}: "${value}"`);
  const key = 'gocache-v1-{{ arch }}-go1.26-cgo0-{{ .Branch }}-{{ checksum "go.sum" }}';
  return `# .circleci/config.yml. Undo: remove "environment" and the step that logs in.
version: 2.1
jobs:
  test:
    docker:
      - image: cimg/go:1.26
    environment:
${environment.join('\n')}
      CGO_ENABLED: "0"
      GOCACHE: /home/circleci/.cache/go-build
    steps:
      - checkout
${settings.ca === undefined ? '' : '      - run: sudo cp gokeep-ca.pem /etc/ssl/certs/gokeep-ca.pem\n'}${login(settings)}      - run: go mod download
      # go believes what it finds in GOCACHE, and every branch can write any key: a job that makes releases must not restore it.
      # Modules are not cached: they come from gokeep, and are verified.
      - restore_cache:
          key: '${key}'
      - run: go test ./...
      - save_cache:
          key: '${key}'
          paths: [/home/circleci/.cache/go-build]
workflows:
  test:
    jobs: [test]
`;
}

export const circleci: Target = {
  name: 'circleci',
  title: 'CircleCI: the job logs in by OIDC; a build cache for each branch',
  drafts: (settings) => [{ name: 'config.yml', comment: HASH, body: config(settings) }],
  undo: () => 'Remove "environment" and the step that logs in from .circleci/config.yml.',
};
