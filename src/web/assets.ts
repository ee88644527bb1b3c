import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file that pages name by what is in it, so that it can be kept for ever. */
export interface Asset {
  readonly url: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** The same, for who takes it: a third of the size. */
  readonly gzipped: Buffer;
}

const DIRECTORY = path.join(import.meta.dirname, '..', '..', 'assets');

export const ASSETS_PREFIX = '/ui/assets/';

const load = (file: string, contentType: string): Asset =>
  asset(file, contentType, readFileSync(path.join(DIRECTORY, file)));

/** One style sheet for all pages, of a file for each subject: later ones win, so their names say in which order they come. */
function loadStyles(): Asset {
  const directory = path.join(DIRECTORY, 'styles');
  const files = readdirSync(directory).filter((name) => name.endsWith('.css'));
  const parts = files.toSorted().map((name) => readFileSync(path.join(directory, name)));
  return asset('page.css', 'text/css; charset=utf-8', Buffer.concat(parts));
}

function asset(file: string, contentType: string, body: Buffer): Asset {
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 12);
  const { name, ext } = path.parse(file);
  return {
    url: `${ASSETS_PREFIX}${name}.${digest}${ext}`,
    contentType,
    body,
    gzipped: gzipSync(body, { level: 9 }),
  };
}

export interface Assets {
  readonly style: Asset;
  readonly script: Asset;
  /** For the pages about bundles. */
  readonly bundles: Asset;
  readonly icon: Asset;
  /** Undefined for an address that is none of theirs: one of another release, or a guess. */
  find(url: string): Asset | undefined;
}

/** Reads the files once, at the start. */
export function openAssets(): Assets {
  const style = loadStyles();
  const script = load('page.js', 'text/javascript; charset=utf-8');
  const bundles = load('bundles.js', 'text/javascript; charset=utf-8');
  const icon = load('icon.svg', 'image/svg+xml');
  const all = new Map([style, script, bundles, icon].map((asset) => [asset.url, asset]));
  return { style, script, bundles, icon, find: (url) => all.get(url) };
}
