import { readFileSync } from 'node:fs';
import path from 'node:path';

/** This program's version, as its package says. */
export const VERSION: string = (
  JSON.parse(readFileSync(path.join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
    version: string;
  }
).version;
