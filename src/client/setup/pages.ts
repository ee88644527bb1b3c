import { GokeepError } from '../../errors.ts';
import { checkedSettings, type SetupSettings } from './settings.ts';
import { setupFiles, TARGETS, targetNamed } from './targets.ts';

export const SETUP_PATH = '/setup';

/**
 * What stands at a path below the server's address: the index, the file of a target, or, where a target has several, their list and
 * each of them.
 *
 * @param path `/setup` and whatever follows
 * @throws not_found; bad_config where the settings cannot be written into scripts
 */
export function setupPage(path: string, from: SetupSettings): string {
  const settings = checkedSettings(from);
  const [name = '', ...rest] = path.slice(SETUP_PATH.length).replace(/^\//, '').split('/');
  if (name === '') return index(settings);
  const target = targetNamed(name);
  const files = setupFiles(target, settings);
  const [first] = files;
  if (rest.length === 0) {
    if (files.length === 1 && first !== undefined) return first.text;
    return list(settings, target.name);
  }
  const file = files.find((each) => each.name === rest.join('/'));
  if (file !== undefined) return file.text;
  throw new GokeepError(
    'not_found',
    `The setup for ${target.name} has no such file: it has ${files.map((each) => each.name).join(', ')}.`,
  );
}

const CHECK = [
  'Each text begins with a comment that names the SHA-256 of everything below it, the same as here:',
  '  tail -n +2 FILE | sha256sum',
  'It tells that a text is whole, and the same that somebody else saw. It does not tell who wrote it: for that there is TLS.',
];

function index(settings: SetupSettings): string {
  return [
    'gokeep: how to set up clients',
    '',
    ...TARGETS.flatMap((target) => {
      const files = setupFiles(target, settings);
      const path = `${settings.url}${SETUP_PATH}/${target.name}`;
      return [
        path,
        `  ${target.title}`,
        ...files.map(({ name, sha256 }) => `  ${sha256}${files.length === 1 ? '' : `  ${name}`}`),
        `  undo: ${target.undo(settings)}`,
        '',
      ];
    }),
    ...CHECK,
    '',
  ].join('\n');
}

function list(settings: SetupSettings, name: string): string {
  const target = targetNamed(name);
  return [
    `gokeep: ${target.title}`,
    '',
    ...setupFiles(target, settings).flatMap((file) => [
      `${settings.url}${SETUP_PATH}/${name}/${file.name}`,
      `  ${file.sha256}`,
    ]),
    '',
    `All of them into a directory: npx gokeep setup --for ${name} --url ${settings.url} --sumdb '${settings.vkey}' --output DIRECTORY`,
    `Undo: ${target.undo(settings)}`,
    '',
    ...CHECK,
    '',
  ].join('\n');
}
