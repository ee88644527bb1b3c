import type { Finding } from '../sumdb/audit.ts';
import { printLines } from './output.ts';
import type { Progress } from './progress.ts';

/** A log of millions of records can be wrong in millions of ways; a person reads the first. */
const MOST_SHOWN = 1_000;

export interface ShownFinding extends Finding {
  /** Where a damaged file was moved. */
  readonly movedTo?: string;
}

/** Findings as they come: printed at once for a person, kept for the one document that a program reads. */
export class Findings {
  readonly #json: boolean;
  readonly #progress: Progress;
  readonly shown: ShownFinding[] = [];
  count = 0;

  constructor(json: boolean, progress: Progress) {
    this.#json = json;
    this.#progress = progress;
  }

  add(finding: Finding, movedTo?: string): void {
    this.count++;
    if (this.shown.length === MOST_SHOWN) return;
    this.shown.push(movedTo === undefined ? finding : { ...finding, movedTo });
    if (this.#json) return;
    this.#progress.clear();
    const moved = movedTo === undefined ? '' : `; moved to ${movedTo}`;
    printLines([`${finding.subject} ${finding.problem}${moved}`]);
  }

  /** How many were found but not shown. */
  get omitted(): number {
    return this.count - this.shown.length;
  }
}
