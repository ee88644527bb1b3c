import { lstatSync, readFileSync } from 'node:fs';
import { GokeepError } from '../errors.ts';
import { generateKey, parseSigner } from '../note/signer.ts';
import { parseVerifier } from '../note/verifier.ts';
import { writeDurablySync } from '../store/durable-file.ts';

export interface LogKey {
  readonly name: string;
  /** Verifier key, `name+hash+base64`: what clients put into GOSUMDB. */
  readonly vkey: string;
  /** The secret signer key. Never logged, never in an error. */
  readonly skey: string;
  /** No log has begun under it: only then may one begin. */
  readonly unused: boolean;
}

/** Third line of a key under which no log has begun yet. */
const UNUSED = 'unused';
const FORMAT = /^(PRIVATE\+KEY\+[^\n]+)\n([^\n]+)\n(unused\n)?$/;

function refuse(file: string, why: string, cause?: unknown): never {
  throw new GokeepError('bad_config', `${file}: ${why}`, { cause });
}

/** The name that both keys carry; undefined when what one signs the other does not verify. */
function pairName(skey: string, vkey: string): string | undefined {
  const signer = parseSigner(skey);
  const verifier = parseVerifier(vkey);
  const probe = Buffer.from('one pair?\n');
  const pair =
    signer.name === verifier.name &&
    signer.keyHash === verifier.keyHash &&
    verifier.verify(probe, signer.sign(probe));
  return pair ? signer.name : undefined;
}

/**
 * Reads the log's key pair. The file holds the signer key and, on a second line, its verifier key; on a third, the word
 * `unused` until its log has begun.
 *
 * Refused with bad_config: a symbolic link, a file that others may read, one that belongs to another user, a pair
 * that does not match. Returns undefined when there is no file.
 */
export function readKeyFile(file: string, uid: number | undefined): LogKey | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isFile()) refuse(file, 'the signing key has to be a plain file, not a link or directory');
  if ((stat.mode & 0o077) !== 0) refuse(file, 'the signing key can be read by others; chmod 600 it');
  if (uid !== undefined && uid !== 0 && stat.uid !== uid)
    refuse(file, 'the signing key belongs to another user');
  const match = FORMAT.exec(readFileSync(file, 'utf8'));
  if (match?.[1] === undefined || match[2] === undefined) {
    refuse(file, 'is no key file: it holds a signer key and its verifier key, a line each');
  }
  const [, skey, vkey, unused] = match;
  let name: string | undefined;
  try {
    name = pairName(skey, vkey);
  } catch (error) {
    refuse(file, 'a key in it is malformed', error);
  }
  if (name === undefined) refuse(file, 'the signer key and the verifier key in it are not a pair');
  return { name, vkey, skey, unused: unused !== undefined };
}

/**
 * The log's key: read, or created on the first start (mode 0600, durable on return).
 *
 * A log's name is part of its key hash, so a configured name that differs from the key's is refused: clients that
 * trust the old name would refuse everything under a new one.
 *
 * @param random 36 bytes or more of randomness: a seed, and what makes a generated name unique.
 */
export function openKeyFile(
  file: string,
  name: string | undefined,
  random: Buffer,
  uid: number | undefined,
): LogKey & { readonly created: boolean } {
  const existing = readKeyFile(file, uid);
  if (existing !== undefined) {
    if (name !== undefined && name !== existing.name) {
      refuse(
        file,
        `the key was made for the name ${existing.name}, but sumdb.name says ${name}. A name cannot change once clients trust it: set sumdb.name back, or start a new log in a new data directory and give its GOSUMDB line to every client`,
      );
    }
    return { ...existing, created: false };
  }
  const chosen = name ?? `gokeep-${random.subarray(32, 36).toString('hex')}.internal`;
  const { skey, vkey } = generateKey(chosen, random.subarray(0, 32));
  writeDurablySync(file, `${skey}\n${vkey}\n${UNUSED}\n`, 0o600);
  return { name: chosen, vkey, skey, unused: true, created: true };
}

/**
 * Notes in the key file that its log has begun. From then on, a start that finds the key but neither database nor
 * mark is refused: they were lost, and a log that began anew under the same key would be a fork to every client.
 *
 * False where the file cannot be written, as with a key that a service manager hands over: then that loss goes
 * unnoticed.
 */
export function noteKeyUse(file: string, key: LogKey): boolean {
  if (!key.unused) return true;
  try {
    writeDurablySync(file, `${key.skey}\n${key.vkey}\n`, 0o600);
    return true;
  } catch {
    return false;
  }
}
