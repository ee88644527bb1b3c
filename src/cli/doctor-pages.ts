import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Exchange } from '../http/exchange.ts';
import type { Handler } from '../http/handler.ts';
import { scriptPage } from '../http/own-pages.ts';
import { doctorBundle } from './doctor-bundle.ts';

const TEXT = 'text/plain; charset=utf-8';
/** Stands in the scripts for this server's address. */
const PLACEHOLDER = '@GOKEEP_URL@';
/** What a URL holds that no shell, and no JavaScript string, reads as anything else. */
const PLAIN_URL = /^https?:\/\/[\w.:[\]/-]+$/;

/** The doctor in three languages, for whoever has nothing of us: by path, and each with this server's address in it. */
export function doctorPages(exchange: Exchange, url: () => string): Readonly<Record<string, Handler>> {
  const shown = () => (PLAIN_URL.test(url()) ? url() : '');
  const script = async (name: string) => {
    const text = await readFile(path.join(import.meta.dirname, '..', '..', 'bin', name), 'utf8');
    return text.replaceAll(PLACEHOLDER, shown());
  };
  let bundled: Promise<string> | undefined;
  const mjs = async () => {
    bundled ??= doctorBundle();
    // Failures are not remembered: somebody may run the build meanwhile.
    bundled.catch(() => (bundled = undefined));
    return withAddress(await bundled, shown());
  };
  return {
    '/doctor.mjs': scriptPage(exchange, 'text/javascript; charset=utf-8', mjs),
    '/doctor.sh': scriptPage(exchange, TEXT, () => script('doctor.sh')),
    '/doctor.ps1': scriptPage(exchange, TEXT, () => script('doctor.ps1')),
  };
}

/** Below the first line, which has to stay the first. */
function withAddress(code: string, url: string): string {
  if (url === '') return code;
  const end = code.indexOf('\n') + 1;
  return `${code.slice(0, end)}process.env.GOKEEP_URL ||= ${JSON.stringify(url)};\n${code.slice(end)}`;
}
