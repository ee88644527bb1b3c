/** One kind of error that `go` prints about modules. */
export interface KnownError {
  readonly id: string;
  /** Found anywhere in what was pasted; a newline counts as a space. */
  readonly pattern: RegExp;
  readonly cause: string;
  readonly fix: readonly string[];
}
