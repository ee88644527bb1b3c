import type { Machine } from '../machine.ts';
import type { ProfileSetting } from './facts.ts';

const KEYS = [
  String.raw`HKCU\Environment`,
  String.raw`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment`,
];
const MYTH_KEYS = [
  String.raw`HKLM\SOFTWARE\Go`,
  String.raw`HKCU\SOFTWARE\Go`,
  String.raw`HKLM\SOFTWARE\Policies\Go`,
];
const DEADLINE = 2_000;

/** What the registry sets for sessions yet to come, of the user and of the machine. Written from `reg query`'s format, not run on Windows. */
export async function readRegistry(
  machine: Machine,
  isAsked: (name: string) => boolean,
): Promise<ProfileSetting[]> {
  if (machine.platform !== 'win32') return [];
  const answers = await Promise.all(
    KEYS.map((key) => machine.run('reg', ['query', key], { deadline: DEADLINE })),
  );
  return answers.flatMap(({ stdout }, at) =>
    registryValues(stdout)
      .filter(({ name }) => isAsked(name))
      .map(({ name, value }) => ({
        file: KEYS[at] ?? '',
        line: 0,
        name,
        value,
        literal: !/%[^%]+%/.test(value),
      })),
  );
}

/** Registry keys and directories that articles name and no go reads. */
export async function registryMyths(machine: Machine): Promise<string[]> {
  if (machine.platform !== 'win32') return [];
  const found = await Promise.all(
    MYTH_KEYS.map(async (key) => {
      const { code } = await machine.run('reg', ['query', key], { deadline: DEADLINE });
      return code === 0 ? [key] : [];
    }),
  );
  const certs = String.raw`${machine.env['ProgramData'] ?? String.raw`C:\ProgramData`}\Go\certs`;
  return [...found.flat(), ...(machine.list(certs).length > 0 ? [certs] : [])];
}

/** The values in what `reg query` prints: four spaces, a name, a type, a value. */
export function registryValues(output: string): { name: string; value: string }[] {
  return output.split(/\r?\n/).flatMap((line) => {
    const [, name, value] = /^ {4}(\S.*?) {4}REG_(?:EXPAND_)?SZ {4}(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [{ name, value }];
  });
}
