import { describe, expect, it } from 'vitest';
import { generateKey } from '../../src/note/signer.ts';
import { gokeep } from './program.ts';

const twin = (name: string) => generateKey(name, Buffer.alloc(32, 7)).vkey;

describe('a key that is given for bundles', () => {
  it('may not be called like the public database and be another', async () => {
    const { code, stderr } = await gokeep(['bundle', 'verify', 'any.tar', '--key', twin('sum.golang.org')]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      'two different keys are called sum.golang.org: take the one that is not its own out',
    );
  });

  it('may be of any other name', async () => {
    const { stderr } = await gokeep(['bundle', 'verify', 'any.tar', '--key', twin('sum.corp.test')]);
    expect(stderr).not.toContain('two different keys');
  });
});
