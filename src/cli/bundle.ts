import type { Command } from 'commander';
import { addCreate } from './bundle-create.ts';
import { addImport } from './bundle-import.ts';
import { addManifest } from './bundle-manifest.ts';
import { addVerify } from './bundle-verify.ts';
import { addWishlist } from './bundle-wishlist.ts';

export function addBundle(program: Command): void {
  const bundle = program.command('bundle').description('carry modules to a server without network');
  addCreate(bundle);
  addVerify(bundle);
  addImport(bundle);
  addManifest(bundle);
  addWishlist(bundle);
}
