import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import type { TrailSink } from '../audit/trail.ts';
import type { Config } from '../config/load.ts';
import type { Actor, TrailEvent } from '../store/trail-entry.ts';
import { TrailWriter } from '../store/trail-table.ts';
import { AUDIT_DATABASE } from './data-files.ts';

export const trailFile = ({ data }: Config): string => path.join(data, AUDIT_DATABASE);

/** Whoever runs a command on the host itself. */
export function localActor(): Actor {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    // A user that the host has no name for, as in a container.
    user = String(process.getuid?.() ?? 'unknown');
  }
  return { who: `local:${user}` };
}

/** Adds what a command does to the audit trail, beside a running server too. Durable when it returns. Throws storage_full, storage_failed. */
export function recordLocally(config: Config, event: Omit<TrailEvent, 'who' | 'from'>): void {
  mkdirSync(config.data, { recursive: true, mode: 0o750 });
  using trail = new TrailWriter(trailFile(config));
  trail.append([{ ...localActor(), ...event }], Date.now());
}

/** The same for what is done by a part of the server in a command's own process. */
export function localTrail(config: Config): TrailSink {
  return { record: async (event) => recordLocally(config, event) };
}
