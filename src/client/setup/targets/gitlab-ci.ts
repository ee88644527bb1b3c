import { netrcMachine, type SetupSettings } from '../settings.ts';
import { HASH, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

/** GitLab keeps the caches of protected branches apart from those of others by itself; that must not be switched off. */
function pipeline(settings: SetupSettings): string {
  const { url, credentials, ca } = settings;
  const variables = goVariables(settings).map(([name, value]) => `    ${name}: "${value}"`);
  const before = [
    ...(ca === undefined ? [] : ['    - cp gokeep-ca.pem /etc/ssl/certs/gokeep-ca.pem']),
    ...(credentials
      ? [
          `    - (umask 077; echo "machine ${netrcMachine(settings)} login jwt password $GOKEEP_TOKEN" >"$NETRC")`,
        ]
      : []),
  ];
  return `# .gitlab-ci.yml. Undo: remove "id_tokens", "variables" and "before_script".
go:
  image: golang:\${GO_VERSION}-bookworm
${credentials ? `  # The job's own JWT, and no secret to keep: [[access.oidc]] in the configuration of gokeep, docs/access.md.\n  id_tokens:\n    GOKEEP_TOKEN:\n      aud: "${url}"\n` : ''}  variables:
${variables.join('\n')}
    GO_VERSION: "1.26"
    GO_TARGET: linux-amd64
    CGO_ENABLED: "0"
    GOCACHE: $CI_PROJECT_DIR/.cache/go-build
${credentials ? '    NETRC: $CI_PROJECT_DIR.netrc\n' : ''}    CACHE_POLICY: pull
  # go believes what it finds in GOCACHE: its key holds all that the content depends on, and only the default branch writes.
  # Leave "Use separate caches for protected branches" on. Modules are not cached: they come from gokeep, and are verified.
  cache:
    key:
      files: [go.sum]
      prefix: gocache-$GO_TARGET-go$GO_VERSION-cgo$CGO_ENABLED
    paths: [.cache/go-build]
    policy: $CACHE_POLICY
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      variables:
        CACHE_POLICY: pull-push
    - when: on_success
${before.length === 0 ? '' : `  before_script:\n${before.join('\n')}\n`}  script:
    - go mod download
    - go test ./...
`;
}

export const gitlabCi: Target = {
  name: 'gitlab-ci',
  title: 'GitLab CI: the job logs in by its JWT; a build cache that only the default branch writes',
  drafts: (settings) => [{ name: '.gitlab-ci.yml', comment: HASH, body: pipeline(settings) }],
  undo: () => 'Remove "id_tokens", "variables" and "before_script" from .gitlab-ci.yml.',
};
