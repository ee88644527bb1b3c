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

/** A bill as CycloneDX 1.6 JSON (ECMA-424), with a line break at its end. */
export function cycloneDxText(bill: Bill): string {
  const components = bill.modules.map((module) => component(module, bill.log));
  const metadata = {
    timestamp: isoSecond(bill.at),
    tools: { components: [{ type: 'application', name: 'gokeep', version: bill.version }] },
    component: { type: 'application', 'bom-ref': 'gokeep', name: `modules served by ${bill.log}` },
    properties: named(propertiesOfBill(bill)),
  };
  const uuid = uuidOf(JSON.stringify({ metadata, components }));
  const text = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    metadata,
    components,
  };
  return `${JSON.stringify(text, null, 2)}\n`;
}

function component(module: ServedModule, log: string) {
  const { record, sha256, licence } = module;
  const purl = purlOf(record.path, record.version);
  return {
    type: 'library',
    'bom-ref': purl,
    name: record.path,
    version: record.version,
    ...(sha256 === undefined ? {} : { hashes: [{ alg: 'SHA-256', content: sha256 }] }),
    ...(licence === undefined ? {} : { licenses: [{ license: { id: licence } }] }),
    purl,
    properties: named(propertiesOf(module, log)),
  };
}

function named(properties: readonly Property[]) {
  return properties.map(([name, value]) => ({ name, value }));
}
