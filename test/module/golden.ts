import { readFileSync } from 'node:fs';

/** Reads a file of vectors that real Go code wrote: see test/testdata/golden/module/README.md. */
export function golden(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../testdata/golden/module/${file}`, import.meta.url), 'utf8'));
}

/** What `run` returns, or null when it throws: the form in which the vectors hold Go's errors. */
export function orNull<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}

/** True when `run` does not throw. */
export function accepts(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}

/** The generator of fuzz.go: gives texts made of fragments, the same as in Go. */
export function textGenerator(seed: number) {
  let state = seed;
  const below = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % n;
  };
  return (fragments: readonly string[], most: number) => {
    let text = '';
    for (let left = 1 + below(most); left > 0; left--) text += fragments[below(fragments.length)];
    return text;
  };
}
