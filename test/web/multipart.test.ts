import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readForm } from '../../src/web/multipart.ts';

const MIB = 2 ** 20;
const ROW = 'a'.repeat(MIB);

/** A form of so many fields of 4 MiB, and how many of them were read. */
function formOf(count: number) {
  const read = { fields: 0 };
  const parts = function* () {
    for (; read.fields < count; read.fields++) {
      yield Buffer.from(`--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n`);
      for (let n = 0; n < 4; n++) yield Buffer.from(ROW);
      yield Buffer.from('\r\n');
    }
    yield Buffer.from('--x--\r\n');
  };
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };
  const request = Object.assign(Readable.from(parts(), { objectMode: false }), { headers });
  return { request: request as unknown as IncomingMessage, read };
}

it('holds 16 MiB of a form in memory, however many fields it has, and reads little more', async () => {
  const none = () => Promise.reject(new Error('no file'));
  expect((await readForm(formOf(4).request, none)).getAll('f').join('')).toHaveLength(16 * MIB);
  const { request, read } = formOf(200);
  await expect(readForm(request, none)).rejects.toMatchObject({ code: 'too_large' });
  expect(read.fields).toBeLessThan(7);
});
