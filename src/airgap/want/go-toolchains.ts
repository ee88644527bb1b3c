import { compareGoVersion } from '../../modfile/go-version.ts';

/** A release or a pre-release. `go1.23` is a language version: no toolchain is called that. */
const wholeVersion = /^go(1\.[0-9]+(?:\.[0-9]+|[a-z]+[0-9]+))$/;

/** The names of Go toolchains that go.mod and go.work files ask for. */
export class GoToolchains {
  readonly #versions = new Set<string>();

  /** Takes what stands in a file's `go` and `toolchain` lines, which need not make sense. */
  add(file: { readonly go: string | undefined; readonly toolchain: string | undefined }): void {
    for (const name of [file.go === undefined ? '' : `go${file.go}`, file.toolchain ?? '']) {
      const version = wholeVersion.exec(name)?.[1];
      // Before Go 1.21 a go command did not fetch other toolchains, and none of them can be fetched.
      if (version !== undefined && compareGoVersion(version, '1.21') > 0) this.#versions.add(version);
    }
  }

  /** Such as `go1.26.9`, in order of version. */
  names(): string[] {
    return [...this.#versions].sort(compareGoVersion).map((version) => `go${version}`);
  }
}
