/** How much harm something does, the worst first. */
export const HARMS = ['unsafe', 'broken', 'risk', 'note'] as const;
/**
 * `unsafe`: code is built that nobody has verified, or a history contradicts itself. `broken`: go fails. `risk`: it works
 * and leaks, or will fail. `note`: no harm.
 */
export type Harm = (typeof HARMS)[number];

/** One thing that is not as it should be. */
export interface Finding {
  /** Stable: scripts and tests name it. */
  readonly id: string;
  readonly harm: Harm;
  /** One sentence that names the setting or file. */
  readonly what: string;
  readonly why: string;
  /** Commands, or lines to change; what somebody else has to do begins with `#`. */
  readonly fix: readonly string[];
}

/** By harm; within one harm as given, since checks are listed with causes before their effects. */
export function rank(findings: readonly Finding[]): Finding[] {
  return HARMS.flatMap((harm) => findings.filter((finding) => finding.harm === harm));
}
