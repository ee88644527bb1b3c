import { afterAll, beforeAll, expect, it } from 'vitest';
import { gateOf } from '../../src/http/gate.ts';
import { MadeAccess } from '../access/made-access.ts';
import { InProcess } from './in-process.ts';
import { rawGet, sendRaw } from './raw-socket.ts';

const LIST = '/private.test/held/@v/list';

const access = new MadeAccess();
const token = access.add('nothing');
const targets: string[] = [];

let server: InProcess;

beforeAll(async () => {
  server = await InProcess.start({
    gate: gateOf(access.authenticator, false),
    isPrivate: () => true,
    find: async () => ({ kind: 'bytes', body: Buffer.from('v1.0.0\n'), origin: 'store', immutable: true }),
    onRefused: ({ target }) => targets.push(target),
  });
});

afterAll(() => server[Symbol.asyncDispose]());

it.each([LIST, `${LIST}?token=hunter2`, `http://me:hunter2@gokeep.test${LIST}`])(
  'what is told of a refusal has no query, user or password in it: %s',
  async (asked) => {
    targets.length = 0;
    const { status } = await sendRaw(server.port, rawGet(asked, [`Authorization: Bearer ${token}`]));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(targets).toHaveLength(1);
    expect(targets[0]).toContain(LIST);
    expect(targets[0]).not.toContain('hunter2');
  },
);
