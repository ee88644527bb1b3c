import path from 'node:path';
import type { Machine } from '../machine.ts';
import type { ProfileSetting } from './facts.ts';

/** Files of shells and sessions that set variables, those of this user first. */
const OWN = [
  '.bashrc',
  '.bash_profile',
  '.bash_login',
  '.profile',
  '.zshrc',
  '.zshenv',
  '.zprofile',
  '.zlogin',
  '.pam_environment',
  '.config/fish/config.fish',
  '.config/environment.d',
  '.config/fish/conf.d',
];
const SYSTEM = [
  '/etc/environment',
  '/etc/profile',
  '/etc/profile.d',
  '/etc/bash.bashrc',
  '/etc/bashrc',
  '/etc/zsh/zshrc',
  '/etc/zsh/zshenv',
  '/etc/fish/config.fish',
];
const MOST = 256 * 1024;

/**
 * The lines of profile files that set one of these variables. Nothing is run: a line inside an `if` counts as any other, and
 * a value that the shell works out is not worked out.
 */
export function readProfiles(machine: Machine, isAsked: (name: string) => boolean): ProfileSetting[] {
  if (machine.platform === 'win32') return [];
  const places = [...OWN.map((name) => path.join(machine.home, name)), ...SYSTEM];
  return places.flatMap((place) => {
    const below = machine.list(place).filter((name) => /\.(?:sh|conf|fish)$/.test(name));
    const files = below.length > 0 ? below.sort().map((name) => path.join(place, name)) : [place];
    return files.flatMap((file) => {
      const state = machine.read(file, MOST);
      return state.kind === 'file' ? settingsIn(file, state.text, isAsked) : [];
    });
  });
}

const POSIX = /^\s*(?:export\s+|declare\s+-x\s+|typeset\s+-x\s+|readonly\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;
const FISH = /^\s*set\s+(?:-\S+\s+)*([A-Za-z_][A-Za-z0-9_]*)\s+(.*)$/;

/** The settings in the text of one such file. */
export function settingsIn(file: string, text: string, isAsked: (name: string) => boolean): ProfileSetting[] {
  const found: ProfileSetting[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (/^\s*#/.test(line)) continue;
    const [, name = '', rest = ''] = (file.endsWith('.fish') ? FISH : POSIX).exec(line) ?? [];
    if (name === '' || !isAsked(name)) continue;
    const value = unquote(rest);
    found.push({ file, line: at + 1, name, value, literal: !/[$`]/.test(value) });
  }
  return found;
}

/** The first word, without its quotes. */
function unquote(rest: string): string {
  const trimmed = rest.trim();
  const [, double, single] = /^"((?:[^"\\]|\\.)*)"|^'([^']*)'/.exec(trimmed) ?? [];
  return double ?? single ?? trimmed.replace(/(?:\s+#|[\s;]).*$/, '');
}
