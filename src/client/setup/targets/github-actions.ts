import { netrcMachine, type SetupSettings } from '../settings.ts';
import { HASH, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

function login(settings: SetupSettings): string {
  const { url, credentials } = settings;
  if (!credentials) return '';
  return `
      # The job's own JWT, good for minutes, and no secret to keep: [[access.oidc]] in the configuration of gokeep, docs/access.md.
      # Pull requests from forks get none.
      - name: Log in to gokeep
        run: |
          umask 077
          jwt=$(curl -fsS -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=${encodeURIComponent(url)}" | jq -r .value)
          echo "::add-mask::$jwt"
          echo "machine ${netrcMachine(settings)} login jwt password $jwt" >"$RUNNER_TEMP/gokeep-netrc"
          echo "NETRC=$RUNNER_TEMP/gokeep-netrc" >>"$GITHUB_ENV"`;
}

/**
 * `go` believes what it finds in GOCACHE. So its key holds all that the content depends on, there is no second-best key, and only the
 * default branch writes. Modules are not cached: they come from gokeep, and are verified.
 */
function workflow(settings: SetupSettings): string {
  const env = goVariables(settings).map(([name, value]) => `  ${name}: "${value}"`);
  const key =
    "gocache-${{ runner.os }}-${{ runner.arch }}-go${{ steps.go.outputs.go-version }}-cgo${{ env.CGO_ENABLED }}-${{ hashFiles('**/go.sum') }}";
  return `# .github/workflows/go.yml. Undo: remove "env", "id-token" and the step that logs in.
# Pin the actions by commit.
name: go
on: [push, pull_request]
permissions:
  contents: read
${settings.credentials ? '  id-token: write\n' : ''}env:
${env.join('\n')}
  CGO_ENABLED: "0"
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-go@v6
        id: go
        with:
          go-version-file: go.mod
          cache: false${settings.ca === undefined ? '' : caStep()}${login(settings)}
      - run: go mod download
      - id: gocache
        run: echo "directory=$(go env GOCACHE)" >>"$GITHUB_OUTPUT"
      - uses: actions/cache/restore@v4
        id: restored
        with:
          path: \${{ steps.gocache.outputs.directory }}
          key: ${key}
      - run: go test ./...
      - uses: actions/cache/save@v4
        if: github.event_name == 'push' && github.ref_name == github.event.repository.default_branch && steps.restored.outputs.cache-hit != 'true'
        with:
          path: \${{ steps.gocache.outputs.directory }}
          key: ${key}
`;
}

function caStep(): string {
  return `
      - name: Trust the private authority
        run: sudo cp gokeep-ca.pem /etc/ssl/certs/gokeep-ca.pem`;
}

export const githubActions: Target = {
  name: 'github-actions',
  title: 'GitHub Actions: the job logs in by OIDC; a build cache that only the default branch writes',
  drafts: (settings) => [{ name: 'go.yml', comment: HASH, body: workflow(settings) }],
  undo: () => 'Remove "env", "id-token" and the step that logs in from the workflow.',
};
