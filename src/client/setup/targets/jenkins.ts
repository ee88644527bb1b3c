import { netrcMachine, type SetupSettings } from '../settings.ts';
import { SLASHES, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

/** Strings of single quotes: Groovy expands nothing in them, and so no secret gets into what Jenkins itself logs. */
function jenkinsfile(settings: SetupSettings): string {
  const { credentials, ca } = settings;
  const environment = goVariables(settings).map(([name, value]) => `    ${name} = '${value}'`);
  const steps = [`            go mod download`, `            go test ./...`];
  return `// Jenkinsfile. Undo: remove "environment"${credentials ? ' and the credentials' : ''}.
${
  credentials
    ? `// Credentials: a "secret file" named gokeep-netrc, with one line:
//   machine ${netrcMachine(settings)} login token password <token>
`
    : ''
}pipeline {
  agent any
  environment {
${environment.join('\n')}
    CGO_ENABLED = '0'${credentials ? `\n    NETRC = credentials('gokeep-netrc')` : ''}
  }
  stages {
    stage('test') {
      steps {
        // go believes what it finds in GOCACHE. So no job reads what another wrote: the directory is of this job (in a multibranch
        // pipeline that is the branch), this version of go, target, CGO_ENABLED and go.sum. "find" removes what nobody used for a month.
        sh '''
            set -eu
${ca === undefined ? '' : '            export SSL_CERT_DIR="/etc/ssl/certs:/etc/pki/tls/certs:/etc/gokeep/ca" # on the agent\n'}            caches="$HOME/.cache/gokeep/$(printf %s "$JOB_NAME" | sha256sum | cut -c1-16)"
            key="$(go env GOVERSION GOOS GOARCH CGO_ENABLED | tr '\\\\n' -)$(sha256sum go.sum | cut -c1-16)"
            export GOCACHE="$caches/$key"
            mkdir -p "$GOCACHE"
            touch "$GOCACHE"
            find "$caches" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +
${steps.join('\n')}
        '''
      }
    }
  }
}
`;
}

export const jenkins: Target = {
  name: 'jenkins',
  title: 'Jenkins: netrc from its credentials; a build cache for each job',
  drafts: (settings) => [{ name: 'Jenkinsfile', comment: SLASHES, body: jenkinsfile(settings) }],
  undo: () => 'Remove "environment" from the Jenkinsfile, and the credentials gokeep-netrc from Jenkins.',
};
