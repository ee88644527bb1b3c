import type { KnownError } from './known.ts';

/** What go says about settings, versions, go.mod and this machine. */
export const MODULES: readonly KnownError[] = [
  {
    id: 'goproxy-off',
    pattern: /module lookup disabled by GOPROXY=off/,
    cause: 'GOPROXY is off, or ends in off: what is not in the module cache is not fetched.',
    fix: ['go env -w GOPROXY=https://go.corp.example'],
  },
  {
    id: 'goproxy-empty',
    pattern:
      /GOPROXY list is not the empty string, but contains no entries|invalid proxy URL|invalid GOPROXY|unsupported protocol scheme|first path segment in URL cannot contain colon/,
    cause: 'GOPROXY has no usable entry: commas alone, quotes inside of it, or an address without https://.',
    fix: ['go env GOPROXY', 'go env -w GOPROXY=https://go.corp.example'],
  },
  {
    id: 'vendor-lookup',
    pattern:
      /import lookup disabled by -mod=vendor|cannot query module due to -mod=vendor|inconsistent vendoring/,
    cause:
      'go builds from the vendor directory alone, by GOFLAGS or because there is one, and it is not what go.mod says.',
    fix: ['go mod vendor', 'go env -u GOFLAGS'],
  },
  {
    id: 'readonly',
    pattern: /updates to go\.mod needed|import lookup disabled by -mod=readonly|updates to go\.sum needed/,
    cause: 'go.mod or go.sum would have to be changed, and go build does not do that.',
    fix: ['go mod tidy'],
  },
  {
    id: 'modules-disabled',
    pattern:
      /modules disabled by GO111MODULE=off|cannot use path@version syntax in GOPATH mode|go: go\.mod.*GO111MODULE/,
    cause: 'GO111MODULE is off: go works as before there were modules.',
    fix: ['go env -u GO111MODULE', 'unset GO111MODULE'],
  },
  {
    id: 'toolchain-unavailable',
    pattern:
      /toolchain not available|download go[0-9][\w.]* .*(?:404|410|GOSUMDB=off|checksum database disabled)|golang\.org\/toolchain@.*(?:checksum database disabled|GOSUMDB=off)/,
    cause:
      'go wants another toolchain, and cannot get it: there is none of that name, the server does not hold it, or GOSUMDB is off, and no toolchain is run unverified.',
    fix: [
      'go env GOTOOLCHAIN GOSUMDB',
      'go version',
      '# install that Go release, or correct the go line of go.mod',
    ],
  },
  {
    id: 'go-too-old',
    pattern: /requires go ?>= ?[\w.]+ \(running go|invalid go version|invalid GOTOOLCHAIN/,
    cause: 'A module asks for a newer Go than this one, and GOTOOLCHAIN does not let go fetch it.',
    fix: ['go env -w GOTOOLCHAIN=auto', '# or install that release'],
  },
  {
    id: 'path-mismatch',
    pattern: /module declares its path as:/,
    cause:
      'The go.mod of the module names another path: it is a fork or was renamed, or it is spelled with other letters.',
    fix: ['# require it by the path it declares, or: go mod edit -replace <required>=<fork>@<version>'],
  },
  {
    id: 'major-version',
    pattern:
      /invalid: should be v[\d]|must match major version|module path must match major|\+incompatible suffix not allowed/,
    cause: 'From v2 on the major version is part of the module path: example.com/mod/v2.',
    fix: ['# import and require it with /v2 (and so on) at the end of its path'],
  },
  {
    id: 'ambiguous-import',
    pattern: /ambiguous import: found package/,
    cause:
      'Two modules hold this package: one was split out of the other, and an old version of that is still required.',
    fix: ['go get <the parent module>@latest', 'go mod tidy'],
  },
  {
    id: 'no-matching-versions',
    pattern:
      /no matching versions for query|unknown revision|invalid version: unknown revision|no such (?:tag|branch)/,
    cause:
      'There is no such version, tag or branch; or it was tagged a moment ago, and the list is still the earlier one.',
    fix: [
      'go list -m -versions <module>',
      '# a new tag shows after refresh_ttl, or at once by its full version',
    ],
  },
  {
    id: 'no-required-module',
    pattern: /no required module provides package|cannot find module providing package/,
    cause: 'go.mod requires no module with this package.',
    fix: ['go get <package>', 'go mod tidy'],
  },
  {
    id: 'no-go-mod',
    pattern: /go\.mod file not found in current directory|cannot find main module/,
    cause: 'This directory is in no module.',
    fix: ['go mod init example.com/name', '# or change to the directory that holds go.mod'],
  },
  {
    id: 'unrecognized-import-path',
    pattern: /unrecognized import path|no go-import meta tags|parse .*no go-import/,
    cause:
      'go looked for a repository by the import path and found none: the path is mistyped, the host is not reached, or the module is private and goes past the server.',
    fix: ['go env GOPROXY GOPRIVATE GONOPROXY', 'npx gokeep doctor'],
  },
  {
    id: 'goflags',
    pattern: /parsing \$GOFLAGS|unknown flag .*GOFLAGS|flag provided but not defined: -insecure/,
    cause: 'GOFLAGS holds a flag that go does not know, or has no longer.',
    fix: ['go env -u GOFLAGS', 'unset GOFLAGS'],
  },
  {
    id: 'no-c-compiler',
    pattern: /C compiler "[^"]*" not found|cgo: .*executable file not found/,
    cause: 'A package has C in it, and there is no C compiler.',
    fix: ['export CGO_ENABLED=0', '# or install gcc'],
  },
  {
    id: 'no-build-cache',
    pattern:
      /build cache is required, but could not be located|failed to initialize build cache|GOCACHE is not defined|module cache not found/,
    cause: 'go has no directory for its cache: HOME is not set, or it belongs to somebody else.',
    fix: ['export GOCACHE="${TMPDIR:-/tmp}/go-build" GOMODCACHE="${TMPDIR:-/tmp}/go-mod"'],
  },
  {
    id: 'disk-full',
    pattern: /no space left on device|disk quota exceeded/,
    cause: 'The disk with the caches is full.',
    fix: ['df -h "$(go env GOMODCACHE)"', 'go clean -cache -modcache'],
  },
  {
    id: 'not-writable',
    pattern:
      /(?:mkdir|open|could not create module cache|create) .*(?:permission denied|read-only file system|not a directory)/,
    cause: 'go cannot write to its cache.',
    fix: ['ls -ld "$(go env GOMODCACHE)" "$(go env GOCACHE)"'],
  },
  {
    id: 'not-found',
    pattern: /: 4(?:04|10) |not found: /,
    cause:
      'Nobody in GOPROXY has this module or version: the name is mistyped, it is not published, or it is private and this server does not serve it.',
    fix: ['npx gokeep why <module>@<version>', 'go list -m -versions <module>'],
  },
];
