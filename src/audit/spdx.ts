import {
  type Bill,
  isoSecond,
  type Property,
  propertiesOf,
  propertiesOfBill,
  purlOf,
  type ServedModule,
} from './bill.ts';
import { uuidOf } from './bill-uuid.ts';

const NOT_SAID = 'NOASSERTION';

/** A bill as SPDX 2.3 JSON, with a line break at its end. */
export function spdxText(bill: Bill): string {
  const created = isoSecond(bill.at);
  const annotator = `Tool: gokeep-${bill.version}`;
  const annotation = (properties: readonly Property[]) => ({
    annotationDate: created,
    annotationType: 'OTHER',
    annotator,
    comment: properties.map(([name, value]) => `${name}=${value}`).join('\n'),
  });
  const packages = bill.modules.map((module) => ({
    ...packageOf(module),
    annotations: [annotation(propertiesOf(module, bill.log))],
  }));
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `modules served by ${bill.log}`,
    creationInfo: { created, creators: [annotator] },
    annotations: [annotation(propertiesOfBill(bill))],
    packages,
    relationships: packages.map(({ SPDXID }) => ({
      spdxElementId: 'SPDXRef-DOCUMENT',
      relationshipType: 'DESCRIBES',
      relatedSpdxElement: SPDXID,
    })),
  };
  const documentNamespace = `urn:uuid:${uuidOf(JSON.stringify(document))}`;
  return `${JSON.stringify({ ...document, documentNamespace }, null, 2)}\n`;
}

function packageOf({ record, sha256, licence }: ServedModule) {
  return {
    name: record.path,
    // Unique in its log, and made of characters that an id may have, which a module path is not.
    SPDXID: `SPDXRef-Record-${record.id}`,
    versionInfo: record.version,
    downloadLocation: NOT_SAID,
    filesAnalyzed: false,
    ...(sha256 === undefined ? {} : { checksums: [{ algorithm: 'SHA256', checksumValue: sha256 }] }),
    // The text of a file is what its author declares; nobody here has concluded anything from it.
    licenseConcluded: NOT_SAID,
    licenseDeclared: licence ?? NOT_SAID,
    copyrightText: NOT_SAID,
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: purlOf(record.path, record.version),
      },
    ],
  };
}
