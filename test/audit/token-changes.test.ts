import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NO_GRANTS } from '../../src/access/principal.ts';
import { TokenChanges } from '../../src/audit/token-changes.ts';
import { GokeepError } from '../../src/errors.ts';
import type { TrailEvent } from '../../src/store/trail-entry.ts';

let directory: string;
let told: TrailEvent[];
let changed: number;
let record: (event: TrailEvent) => Promise<void>;
let changes: TokenChanges;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-changes-'));
  told = [];
  changed = 0;
  record = async (event) => void told.push(event);
  changes = new TokenChanges({
    file: path.join(directory, 'access.db'),
    trail: { record: (event) => record(event) },
    uses: () => undefined,
    onChanged: () => changed++,
    now: Date.now,
  });
});

afterEach(() => rmSync(directory, { recursive: true }));

const by = { who: 'token:operator', from: '192.0.2.1' };
const wanted = (name: string) => ({
  name,
  grants: { ...NO_GRANTS, read: ['*'] },
  lifetime: 'never' as const,
});

it('makes no token and revokes none that cannot be recorded', async () => {
  await changes.create(wanted('kept'), by);
  record = () => Promise.reject(new GokeepError('storage_full', 'the disk is full'));
  await expect(changes.create(wanted('lost'), by)).rejects.toMatchObject({ code: 'storage_full' });
  await expect(changes.revoke('kept', by)).rejects.toMatchObject({ code: 'storage_full' });
  expect(changes.all().map(({ name, revoked }) => [name, revoked])).toEqual([['kept', undefined]]);
  expect(changed).toBe(1);
  record = async () => undefined;
  await changes.create(wanted('lost'), by);
  expect(changes.all()).toHaveLength(2);
});

it('has a token count only once its entry is durable, and says then that something has changed', async () => {
  await changes.create(wanted('first'), by);
  const { promise, resolve } = Promise.withResolvers<void>();
  record = () => promise;
  const making = changes.create(wanted('second'), by);
  await new Promise((next) => setTimeout(next, 50));
  expect(changes.all().map(({ name }) => name)).toEqual(['first']);
  expect(changed).toBe(1);
  resolve();
  await making;
  expect(changes.all().map(({ name }) => name)).toEqual(['first', 'second']);
  expect(changed).toBe(2);
});

it('makes one of two tokens of a name that are asked for at once, and records that one', async () => {
  const made = await Promise.allSettled([
    changes.create(wanted('twin'), by),
    changes.create(wanted('twin'), by),
  ]);
  expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({
    ...by,
    kind: 'token',
    facts: { token: 'created', name: 'twin', expires: 'never' },
  });
});

it('neither records nor keeps the token itself', async () => {
  const { token, stored } = await changes.create(wanted('secret'), by);
  expect(JSON.stringify([told, stored, changes.all()])).not.toContain(token);
});
