import type { SetupSettings } from '../settings.ts';
import { HASH, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

/** Debian's go images read every file of this directory beside the bundle, so a mounted one is enough, and none is copied. */
const CA_MOUNT = '--mount=type=secret,id=gokeep_ca,target=/etc/ssl/certs/gokeep-ca.pem,required=true';
const NETRC_MOUNT = '--mount=type=secret,id=netrc,target=/run/secrets/netrc,required=true';

function dockerfile(settings: SetupSettings): string {
  const { credentials, ca } = settings;
  const secrets = [...(credentials ? [NETRC_MOUNT] : []), ...(ca === undefined ? [] : [CA_MOUNT])];
  const options = [
    ...(credentials ? ['--secret id=netrc,src=$HOME/.netrc'] : []),
    ...(ca === undefined ? [] : ['--secret id=gokeep_ca,src=gokeep-ca.pem']),
  ];
  const run = (command: string, ...mounts: string[]) => `RUN ${[...mounts, command].join(' \\\n    ')}`;
  // One directory a target and CGO_ENABLED: what one build wrote is never what the other reads.
  const build = (cgo: '0' | '1') =>
    run(
      `CGO_ENABLED=${cgo} go build -trimpath -o /out/ ./...`,
      '--mount=type=cache,id=gokeep-mod,target=/go/pkg/mod',
      `--mount=type=cache,id=gokeep-build-cgo${cgo},target=/root/.cache/go-build`,
    );
  return `# Needs BuildKit, which is what docker build and buildah have been for years. Pin the images by digest.
#
#   docker build ${[...options, '--target static'].join(' ')} .
#   docker build ${[...options, '--target cgo'].join(' ')} .
#
# What stands below ENV is of the build stages alone, and secrets are mounted for one RUN: the final images hold neither.
# Undo: take the ENV lines and the secret mounts out again.
FROM golang:1.26-bookworm AS modules
ENV ${goVariables(settings)
    .map(([name, value]) => `${name}="${value}"`)
    .join(' \\\n    ')}
WORKDIR /src
COPY go.mod go.sum ./
${run(
  `${credentials ? 'NETRC=/run/secrets/netrc ' : ''}go mod download && go mod verify`,
  '--mount=type=cache,id=gokeep-mod,target=/go/pkg/mod',
  ...secrets,
)}
COPY . .

FROM modules AS build-static
${build('0')}

FROM modules AS build-cgo
${build('1')}

# Without cgo nothing of an operating system is needed, but the authorities that the program itself may ask.
FROM scratch AS static
COPY --from=build-static /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build-static /out/ /usr/local/bin/
USER 65532:65532

# With cgo the C library has to be the one that it was built with: the same release of Debian.
FROM debian:bookworm-slim AS cgo
COPY --from=build-cgo /out/ /usr/local/bin/
USER 65532:65532
`;
}

export const docker: Target = {
  name: 'dockerfile',
  title: 'Dockerfile: build secrets, cache mounts, with and without cgo, nothing of it in the image',
  drafts: (settings) => [{ name: 'Dockerfile', comment: HASH, body: dockerfile(settings) }],
  undo: () => 'Take the ENV lines and the secret mounts out of the Dockerfile.',
};
