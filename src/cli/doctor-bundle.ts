import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../errors.ts';

/** The first line of a script, for those who make it executable. */
const SHEBANG = '#!/usr/bin/env node\n';

/**
 * The doctor as one file: what `npm run build` has made, or, in a checkout, made now by its development dependencies.
 *
 * @throws not_found where there is neither
 */
export async function doctorBundle(): Promise<string> {
  const built = path.join(import.meta.dirname, '..', 'doctor.mjs');
  if (existsSync(built)) return readFile(built, 'utf8');
  const entry = path.join(import.meta.dirname, '..', 'client', 'doctor', 'standalone.ts');
  try {
    return await bundle(entry);
  } catch (cause) {
    throw new GokeepError(
      'not_found',
      'this gokeep has no doctor.mjs: run `npm run build`, or use `npx gokeep doctor`',
      { cause },
    );
  }
}

/** Writes it beside what the compiler emitted. */
export async function writeDoctorBundle(dist: string): Promise<void> {
  const entry = path.join(dist, 'client', 'doctor', 'standalone.js');
  await writeFile(path.join(dist, 'doctor.mjs'), await bundle(entry), { mode: 0o755 });
}

async function bundle(entry: string): Promise<string> {
  const { rolldown } = await import('rolldown');
  const made = await rolldown({
    input: entry,
    platform: 'node',
    // What Node 20 does not know is written in older words; what it lacks is in node20.ts.
    transform: { target: 'node20' },
    logLevel: 'silent',
  });
  const { output } = await made.generate({ format: 'esm', codeSplitting: false, minify: false });
  await made.close();
  const code = output[0].code;
  return code.startsWith('#!') ? code : SHEBANG + code;
}
