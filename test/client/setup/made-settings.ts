import { checkedSettings, type SetupSettings } from '../../../src/client/setup/settings.ts';
import type { SetupFile } from '../../../src/client/setup/target.ts';
import { setupFiles, TARGETS, undoFiles } from '../../../src/client/setup/targets.ts';
import { makeTestCa } from '../../upstream/test-ca.ts';

/** All that a key's last part may hold stands in this one. */
export const PLAIN: SetupSettings = {
  url: 'https://go.corp.example:8443',
  vkey: 'sum.corp.example+8268832e+AWrHNDtjb8+WBPSrCel6yS76EKRw/IOtx+PEL91qFoF9A===',
  credentials: true,
};

/** One for each branch of the texts. */
export const SETTINGS: readonly (readonly [string, SetupSettings])[] = [
  ['with credentials', checkedSettings(PLAIN)],
  ['for everybody', checkedSettings({ ...PLAIN, url: 'http://127.0.0.1:8787/', credentials: false })],
  ['with a private authority', checkedSettings({ ...PLAIN, ca: makeTestCa().ca })],
];

/** Every file of every target for all settings, those that undo too. */
export const FILES: readonly (readonly [string, SetupFile])[] = SETTINGS.flatMap(([how, settings]) =>
  TARGETS.flatMap((target) => [
    ...setupFiles(target, settings).map((file) => [`${target.name}/${file.name} ${how}`, file] as const),
    ...(undoFiles(target, settings) ?? []).map(
      (file) => [`${target.name}/${file.name} ${how}, to undo`, file] as const,
    ),
  ]),
);

/** Those of them whose names end so. */
export function filesNamed(...ends: string[]): readonly (readonly [string, SetupFile])[] {
  return FILES.filter(([, { name }]) => ends.some((end) => name.endsWith(end)));
}
