import { GokeepError } from '../../errors.ts';
import { readGoproxy } from './facts/goproxy-list.ts';
import type { ModuleVersion } from './probes/database.ts';

/** @throws bad_config for what is no http or https URL */
export function readUrl(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  const [entry, ...more] = readGoproxy(text);
  if (entry?.kind === 'http' && more.length === 0) return /^https?:/i.test(text) ? text : `https://${text}`;
  throw new GokeepError('bad_config', 'The address in --url is no http or https URL.');
}

/** @throws bad_config for what is not path@version */
export function readModule(text: string | undefined): ModuleVersion | undefined {
  if (text === undefined) return undefined;
  const at = text.lastIndexOf('@');
  if (at > 0 && /^v\d[\w.+-]*$/.test(text.slice(at + 1)))
    return { path: text.slice(0, at), version: text.slice(at + 1) };
  throw new GokeepError(
    'bad_config',
    'What --module names is no module version: write example.com/mod@v1.2.3.',
  );
}
