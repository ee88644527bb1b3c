import type { ModuleVulnerabilities } from '../catalogue/known-vulnerabilities.ts';
import { fixedAfter } from '../vulndb/affects.ts';
import { isoTime } from './api-time.ts';
import { affecting } from './module-vulnerabilities.ts';

/** What a version's answer says of vulnerabilities: nothing where no database was imported, or it cannot be read. */
export function tellVulnerabilities(known: ModuleVulnerabilities, version: string) {
  if (known.kind !== 'known') return {};
  return {
    vulnerabilities: affecting(known, version).map(
      ({ id, aliases, summary, ranges, packages, published, modified }) => ({
        id,
        aliases,
        summary,
        fixed: fixedAfter(ranges, version),
        packages,
        published: isoTime(published),
        modified: isoTime(modified),
      }),
    ),
    vulnerabilityDatabase: { modified: isoTime(known.modified) },
  };
}
