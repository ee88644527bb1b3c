import path from 'node:path';
import { parseNetrc } from '../../../upstream/netrc.ts';
import type { Machine } from '../machine.ts';
import type { NetrcFact } from './facts.ts';

/** The netrc that go reads: NETRC, else one in the home directory; on Windows either name. */
export function readNetrc(machine: Machine): NetrcFact {
  const own = ['.netrc', ...(machine.platform === 'win32' ? ['_netrc'] : [])];
  const files = machine.env['NETRC']
    ? [machine.env['NETRC']]
    : own.map((name) => path.join(machine.home, name));
  const states = files.map((file) => ({ file, state: machine.read(file) }));
  const { file, state } = states.find((each) => each.state.kind !== 'absent') ?? states[0] ?? { file: '' };
  const none = { file, why: undefined, mode: 0, machines: [], incomplete: [] };
  if (state === undefined || state.kind === 'absent') return { ...none, state: 'absent' };
  if (state.kind === 'unreadable') return { ...none, state: 'unreadable', why: state.why };
  const machines = parseNetrc(state.text);
  const whole = new Set(machines.map((each) => each.machine));
  const named = [...state.text.matchAll(/(?:^|\s)machine\s+(\S+)/g)].map(([, name = '']) => name);
  return {
    file,
    state: 'read',
    why: undefined,
    // Windows has no such bits.
    mode: machine.platform === 'win32' ? 0 : state.mode,
    machines,
    incomplete: [...new Set(named)].filter((name) => !whole.has(name)),
  };
}
