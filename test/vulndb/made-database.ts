/** One vulnerability of a module: every function of its package `path`, or the named symbols, below `fixed`. */
export interface MadeVuln {
  readonly id: string;
  readonly path: string;
  readonly fixed?: string;
  readonly symbols?: readonly string[];
  readonly modified?: string;
}

export const MODIFIED = '2024-05-06T07:08:09Z';

/** The files of a vulnerability database in the layout of the public one, plain, by name; index/db.json comes first. */
export function makeDatabase(vulns: readonly MadeVuln[], modified: string = MODIFIED): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const put = (name: string, json: unknown) => files.set(name, Buffer.from(JSON.stringify(json)));
  const at = (vuln: MadeVuln) => vuln.modified ?? MODIFIED;
  put('index/db.json', { modified });
  const paths = [...new Set(vulns.map(({ path }) => path))].sort();
  put(
    'index/modules.json',
    paths.map((path) => ({
      path,
      vulns: vulns
        .filter((vuln) => vuln.path === path)
        .map((vuln) => ({ id: vuln.id, modified: at(vuln), ...(vuln.fixed && { fixed: vuln.fixed }) })),
    })),
  );
  put(
    'index/vulns.json',
    vulns.map((vuln) => ({ id: vuln.id, modified: at(vuln), aliases: [`CVE-${vuln.id.slice(3)}`] })),
  );
  for (const vuln of vulns) put(`ID/${vuln.id}.json`, entry(vuln, at(vuln)));
  return files;
}

/** In the form that golang.org/x/vuln reads. */
function entry({ id, path, fixed, symbols }: MadeVuln, modified: string) {
  const events = [{ introduced: '0' }, ...(fixed === undefined ? [] : [{ fixed }])];
  return {
    schema_version: '1.3.1',
    id,
    modified,
    published: MODIFIED,
    aliases: [`CVE-${id.slice(3)}`],
    summary: `Made vulnerability in ${path}`,
    details: `${path} is made to be vulnerable.`,
    affected: [
      {
        package: { name: path, ecosystem: 'Go' },
        ranges: [{ type: 'SEMVER', events }],
        ecosystem_specific: { imports: [{ path, ...(symbols && { symbols }) }] },
      },
    ],
    references: [{ type: 'FIX', url: 'https://example.test/fix' }],
    database_specific: { url: `https://example.test/${id}`, review_status: 'REVIEWED' },
  };
}
