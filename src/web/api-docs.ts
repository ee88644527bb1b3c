import { demand } from '../access/demand.ts';
import { synopsisOf } from '../catalogue/synopsis.ts';
import { GokeepError } from '../errors.ts';
import { parseLookup } from '../module/request-path.ts';
import { limitOf } from './api-limit.ts';
import { isDeprecated, type Unit, unitsOf } from './doc-units.ts';
import { wholeNumber } from './rows.ts';
import type { Site, Visit } from './site.ts';

/** An answer has fewer declarations than were asked for where they are long. In characters. */
const MOST_TOLD = 1_000_000;

/** `docs/<module>@<version>/<directory>`: what a package declares. Module and version are escaped, the directory is percent-encoded. */
export async function tellDocs(site: Site, visit: Visit, rest: string) {
  const at = rest.indexOf('/', Math.max(rest.indexOf('@'), 0));
  const { path, version } = parseLookup(at < 0 || !rest.includes('@') ? rest : rest.slice(0, at));
  demand(visit.principal, 'read', path);
  const directory = at < 0 || !rest.includes('@') ? '' : decoded(rest.slice(at + 1));
  const docs = await site.packages.docs(path, version, directory);
  if (docs === undefined)
    throw new GokeepError('not_found', 'there is no such package in a module version that is held here');
  const units = unitsOf(docs);
  const from = wholeNumber(visit.query.get('from'));
  const shown: Unit[] = [];
  let length = 0;
  for (const unit of units.slice(from, from + limitOf(visit))) {
    length += unit.code.length + unit.doc.length;
    if (shown.length > 0 && length > MOST_TOLD) break;
    shown.push(unit);
  }
  const next = from + shown.length;
  return {
    path,
    version,
    importPath: directory === '' ? path : `${path}/${directory}`,
    name: docs.name,
    synopsis: synopsisOf(docs.doc),
    doc: docs.doc,
    deprecated: isDeprecated(docs.doc),
    system: docs.system,
    whole: docs.whole,
    declarations: shown.map(({ kind, id, names, below, code, doc, deprecated, file, line }) => ({
      kind,
      name: id,
      names,
      type: below,
      signature: code,
      doc,
      deprecated,
      file: directory === '' ? file : `${directory}/${file}`,
      line,
    })),
    next: next < units.length ? next : undefined,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text).replace(/\/$/, '');
  } catch (error) {
    throw new GokeepError('bad_path', 'The address is not encoded in UTF-8.', { cause: error });
  }
}
