/**
 * What pages do beyond HTML: buttons that copy, and the proof of a record, checked here, in the browser. Pages are complete
 * without it.
 */

const HEIGHT = 8;
const WIDTH = 256;

const bytesOf = (text) => new TextEncoder().encode(text);
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));
const sha256 = async (...parts) => {
  const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
  return new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
};

/** RFC 6962: a record is hashed behind a zero, two hashes behind a one. */
const leafHash = (text) => sha256(Uint8Array.of(0), bytesOf(text));
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

/** The largest power of two below a number. */
function powerBelow(n) {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** The answer to a lookup: a record and the head of a tree that has it (golang.org/x/mod/sumdb). */
export function parseLookup(body) {
  const [record, text, signatures] = split(body);
  const [id, ...lines] = record.split('\n');
  const [kind, size, root] = text.split('\n');
  if (kind !== 'go.sum database tree' || !/^[0-9]+$/.test(id) || !/^[0-9]+$/.test(size))
    throw new Error('the answer is no record with a tree head');
  return {
    id: Number(id),
    record: `${lines.join('\n')}\n`,
    size: Number(size),
    root: fromBase64(root),
    note: `${text}\n`,
    signatures: signatures.split('\n').filter((line) => line !== ''),
  };
}

/** Three parts, with an empty line between them. */
function split(body) {
  const first = body.indexOf('\n\n');
  const second = body.indexOf('\n\n', first + 2);
  if (first < 0 || second < 0) throw new Error('the answer is no record with a tree head');
  return [body.slice(0, first), body.slice(first + 2, second), body.slice(second + 2)];
}

/** Where a tile lies (golang.org/x/mod/sumdb/tlog, Tile.Path). */
export function tilePath(level, n, width) {
  let path = String(n % 1000).padStart(3, '0');
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  return `tile/${HEIGHT}/${level}/${path}${width === WIDTH ? '' : `.p/${width}`}`;
}

/**
 * The root of the tree of `size` records, computed from the hash of record `id` and, out of tiles, those of everything beside it. The
 * tiles prove nothing by themselves: a wrong hash anywhere gives another root.
 *
 * @param readTile gives the bytes of a tile
 */
export async function rootFrom(id, leaf, size, readTile) {
  const tiles = new Map();
  const tile = (level, n) => {
    const width = Math.min(WIDTH, Math.floor(size / WIDTH ** level) - n * WIDTH);
    const path = tilePath(level, n, width);
    if (!tiles.has(path))
      tiles.set(
        path,
        readTile(path).then((bytes) => {
          if (bytes.length !== width * 32) throw new Error(`${path} has ${bytes.length} bytes`);
          return bytes;
        }),
      );
    return tiles.get(path);
  };
  /** Hash of the whole subtree of 2^level records, the nth of its kind. */
  const stored = async (level, n) => {
    const tileLevel = Math.floor(level / HEIGHT);
    const span = 2 ** (level % HEIGHT);
    const from = n * span;
    const bytes = await tile(tileLevel, Math.floor(from / WIDTH));
    let hashes = Array.from({ length: span }, (_, at) => {
      const start = ((from % WIDTH) + at) * 32;
      return bytes.subarray(start, start + 32);
    });
    while (hashes.length > 1)
      hashes = await Promise.all(
        Array.from({ length: hashes.length / 2 }, (_, at) => nodeHash(hashes[2 * at], hashes[2 * at + 1])),
      );
    return hashes[0];
  };
  const range = async (lo, hi) => {
    const span = hi - lo;
    if (id < lo || id >= hi) {
      const level = Math.log2(span);
      if (Number.isInteger(level)) return stored(level, lo / span);
    } else if (span === 1) {
      return leaf;
    }
    const middle = lo + powerBelow(span);
    return nodeHash(...(await Promise.all([range(lo, middle), range(middle, hi)])));
  };
  const root = await range(0, size);
  return { root, tiles: [...tiles.keys()] };
}

/**
 * Whether the note carries a signature by the key. Undefined where this browser has no Ed25519.
 *
 * @param key a verifier key, as in GOSUMDB: name+hash+base64
 */
export async function isSigned({ note, signatures }, key) {
  const [name, id, ...rest] = key.split('+');
  const encoded = fromBase64(rest.join('+'));
  const lines = signatures.filter((line) => line.startsWith(`— ${name} `));
  if (encoded[0] !== 1 || lines.length === 0) return false;
  let imported;
  try {
    imported = await crypto.subtle.importKey('raw', encoded.subarray(1), { name: 'Ed25519' }, false, [
      'verify',
    ]);
  } catch {
    return undefined;
  }
  const own = (await sha256(bytesOf(`${name}\n`), encoded)).subarray(0, 4);
  const hex = [...own].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (hex !== id) return false;
  for (const line of lines) {
    const signature = fromBase64(line.slice(`— ${name} `.length));
    if (toBase64(signature.subarray(0, 4)) !== toBase64(own)) continue;
    if (await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature.subarray(4), bytesOf(note)))
      return true;
  }
  return false;
}

/**
 * Checks that the record a page shows is in the log, from nothing but what `go` itself would fetch.
 *
 * @param claim what the page shows: module, version, zip, mod, key, lookup and database (addresses)
 * @param get fetches an address of this server
 * @returns what was found, step by step; `problem` says what does not hold
 */
export async function check(claim, get) {
  const steps = [];
  const said = (text, code) => steps.push({ text, code });
  const { module, version, zip, mod, key, lookup, database } = claim;
  const head = parseLookup(await (await get(lookup)).text());
  const wanted = `${module} ${version} ${zip}\n${module} ${version}/go.mod ${mod}\n`;
  if (head.record !== wanted)
    return { steps, problem: 'the log answers with another record than this page shows' };
  if (head.id >= head.size)
    return { steps, problem: 'the record lies beyond the tree head that came with it' };
  const leaf = await leafHash(head.record);
  said(`Hash of record ${head.id}, from the two lines of go.sum`, toBase64(leaf));
  const { root, tiles } = await rootFrom(head.id, leaf, head.size, async (path) => {
    const answer = await get(`${database}/${path}`);
    return new Uint8Array(await answer.arrayBuffer());
  });
  said(`${tiles.length} ${tiles.length === 1 ? 'tile' : 'tiles'} of the log fetched`, tiles.join(' '));
  said(`Root of the tree of ${head.size} records, computed from these`, toBase64(root));
  if (toBase64(root) !== toBase64(head.root))
    return { steps, problem: `the tree head says ${toBase64(head.root)}: this record is not in the log` };
  said('The same root stands in the signed tree head', toBase64(head.root));
  const signed = await isSigned(head, key);
  if (signed === false) return { steps, problem: 'the tree head is not signed by the key of this log' };
  said(
    signed === undefined
      ? 'This browser cannot check Ed25519 signatures, so the one of the tree head was not checked; go does'
      : 'The tree head is signed by the key of this log (Ed25519)',
    signed === undefined ? undefined : key,
  );
  return { steps, problem: undefined, signed };
}

async function get(address) {
  const answer = await fetch(address, { credentials: 'same-origin', redirect: 'error' });
  if (!answer.ok) throw new Error(`${address} answers ${answer.status}`);
  return answer;
}

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

async function showProof(box) {
  const state = box.querySelector('.state');
  const say = (kind, text) => {
    box.dataset.state = kind;
    state.textContent = text;
  };
  if (globalThis.crypto?.subtle === undefined) {
    say('none', 'Not checked here: browsers compute hashes for pages that come over https only.');
    box.querySelector('ol')?.remove();
    return;
  }
  say('busy', 'Your browser is checking the proof…');
  try {
    const { steps, problem, signed } = await check(box.dataset, get);
    if (problem === undefined)
      say(
        'good',
        signed
          ? '✓ Your browser has checked the proof.'
          : '✓ Your browser has checked the proof, but not the signature.',
      );
    else say('bad', `✗ The proof fails: ${problem}.`);
    const list = box.querySelector('ol');
    if (list === null) return;
    const items = steps.map(({ text, code }) => {
      const item = element('li', text);
      if (code === undefined) return item;
      const shown = element('code', code);
      shown.className = 'hash';
      item.append(': ', shown);
      return item;
    });
    list.replaceChildren(...items);
    list.hidden = false;
  } catch (error) {
    say('bad', `✗ The proof could not be checked: ${error.message}.`);
  }
}

function addCopyButton(block) {
  const button = element('button', 'Copy');
  button.type = 'button';
  button.className = 'plain';
  button.setAttribute('aria-label', `Copy: ${block.dataset.copy}`);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(block);
      button.textContent = 'Selected';
    }
    setTimeout(() => (button.textContent = 'Copy'), 2000);
  });
  block.parentElement.querySelector('.card-head').append(button);
}

if (globalThis.document !== undefined) {
  if (navigator.clipboard !== undefined)
    for (const block of document.querySelectorAll('[data-copy]')) addCopyButton(block);
  for (const box of document.querySelectorAll('[data-lookup]')) void showProof(box);
}
