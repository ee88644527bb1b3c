import type { Command } from 'commander';
import { addWishlist } from './bundle-wishlist.ts';

export function addBundle(program: Command): void {
  const bundle = program.command('bundle').description('carry modules to a server without network');
  addWishlist(bundle);
}
