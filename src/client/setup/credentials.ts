import { netrcMachine, type SetupSettings } from './settings.ts';

/** What to do about credentials, line by line; none are ever written by a script. Empty where none are needed. */
export function credentialsLines(settings: SetupSettings, file = '~/.netrc'): readonly string[] {
  if (!settings.credentials) return [];
  return [
    `This gokeep wants to know who asks. Put one line into ${file}, readable by you alone:`,
    `  machine ${netrcMachine(settings)} login token password <token>`,
  ];
}
