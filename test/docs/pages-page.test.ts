import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { MadeSite } from '../web/made-site.ts';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/pages.md'), 'utf8');

it('every address in the table is a page', async () => {
  const table = PAGE.slice(PAGE.indexOf('| address |'), PAGE.indexOf("A module's page is"));
  const addresses = [...table.matchAll(/`(\/[^`]*)`/g)].map(([, address]) =>
    address!
      .replace('<version>...<version>', 'v1.0.0...v1.1.0')
      .replace('<module>', 'example.test/m')
      .replace('<version>', 'v1.0.0')
      .replace('<file>', 'm.go')
      .replace('<number>', '1')
      .replace('<directory>', 'd'),
  );
  expect(addresses.length).toBeGreaterThan(9);
  const versions = ['v1.0.0', 'v1.1.0'].map((version) => ({
    path: 'example.test/m',
    version,
    files: { 'm.go': 'package m\n', 'd/d.go': 'package d\n' },
  }));
  await using site = await MadeSite.start({ versions });
  for (const address of addresses)
    expect([address, (await site.page(address)).status]).toEqual([address, 200]);
});

it('the questions to the API in it are answered', async () => {
  const version = {
    path: 'corp.example/lib',
    version: 'v1.2.0',
    files: { 'client/c.go': 'package client\n' },
  };
  await using site = await MadeSite.start({ versions: [version] });
  const targets = [...PAGE.matchAll(/curl [^\n]*'https:\/\/go\.corp\.example([^']+)'/g)].map(
    ([, target]) => target!,
  );
  expect(targets).toHaveLength(3);
  for (const target of targets) expect([target, (await site.page(target)).status]).toEqual([target, 200]);
});
