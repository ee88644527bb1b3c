import type { Incident } from '../store/log-records.ts';
import { NOTHING } from '../trust/monitor.ts';
import { isoTime } from './output.ts';

/** One incident in a sentence for a person, which names the module where the lines around it do not. */
export function incidentLine(incident: Incident, namesModule: boolean): string {
  const { at, kind, path, version, recorded, seen, source } = incident;
  const when = `SECURITY: ${isoTime(at)}`;
  if (kind === 'repository')
    return `${when} ${path}: ${source} shows no such repository any more; what is recorded is still served`;
  const which = `${when} ${namesModule ? `${path}@${version}` : version}`;
  if (kind !== 'tag') return `${which}: ${source} gave a ${kind} with ${seen}, the record says ${recorded}`;
  const what = seen === NOTHING ? 'is gone' : `names ${seen} now`;
  return `${which}: its tag in ${source} ${what}; it named ${recorded} when it was recorded, and that is what is served`;
}
