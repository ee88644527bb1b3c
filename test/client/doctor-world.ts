import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { examine } from '../../src/client/doctor/doctor.ts';
import { HostMachine } from '../../src/client/doctor/host-machine.ts';
import type { Report } from '../../src/client/doctor/report.ts';
import { signNote } from '../../src/note/note.ts';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { formatTree } from '../../src/tlog/tree-note.ts';
import { HostileUpstream } from '../upstream/hostile-upstream.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { GuardedGokeep, PRIVATE } from '../world/guarded-gokeep.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';
import { type BrokenCertificates, makeBrokenCertificates } from './broken-certificates.ts';

export const HELD = 'example.test/held@v1.0.0';

/** Servers that machines in need of a doctor talk to: an open gokeep, a guarded one with TLS, and some that are none. */
export class DoctorWorld implements AsyncDisposable {
  readonly world: UpstreamWorld;
  readonly open: GokeepProcess;
  readonly guarded: GuardedGokeep;
  readonly token: string;
  readonly certificates: BrokenCertificates;
  readonly #owned: AsyncDisposableStack;
  readonly #directory: string;
  #homes = 0;

  private constructor(
    parts: Pick<DoctorWorld, 'world' | 'open' | 'guarded' | 'token' | 'certificates'>,
    owned: AsyncDisposableStack,
  ) {
    this.world = parts.world;
    this.open = parts.open;
    this.guarded = parts.guarded;
    this.token = parts.token;
    this.certificates = parts.certificates;
    this.#owned = owned;
    this.#directory = mkdtempSync(path.join(tmpdir(), 'gokeep-machines-'));
  }

  static async start(): Promise<DoctorWorld> {
    const owned = new AsyncDisposableStack();
    const world = owned.use(await UpstreamWorld.start());
    await world.publish({ path: 'example.test/held', version: 'v1.0.0' });
    const toml = [
      `[[upstream]]\nmatch = ["${PRIVATE}"]\nprivate = true\nproxy = "${world.url}"`,
      `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`,
    ].join('\n');
    const [open, guarded] = await Promise.all([GokeepProcess.start({ toml }), GuardedGokeep.start(world)]);
    owned.use(open);
    owned.use(guarded);
    const token = await guarded.create('--name', 'doctor', '--read', '*');
    await open.get('/example.test/held/@v/v1.0.0.zip');
    await guarded.ask('/example.test/held/@v/v1.0.0.zip', { headers: { authorization: `Bearer ${token}` } });
    return new DoctorWorld({ world, open, guarded, token, certificates: makeBrokenCertificates() }, owned);
  }

  /** A home of its own, with these files; a name in it may have directories. */
  home(files: Readonly<Record<string, string>> = {}): string {
    const home = path.join(this.#directory, String(this.#homes++));
    mkdirSync(home, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
      writeFileSync(path.join(home, name), text, { mode: 0o600 });
    }
    return home;
  }

  /** What a machine has that is well: nothing is set but the two lines. */
  env(home: string): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      GOPROXY: this.open.url,
      GOSUMDB: this.open.vkey,
      GIT_CONFIG_NOSYSTEM: '1',
    };
  }

  /** The same for the guarded server. */
  guardedEnv(home: string): Record<string, string> {
    return {
      ...this.env(home),
      GOPROXY: this.guarded.url,
      GOSUMDB: this.guarded.gokeep.vkey,
      SSL_CERT_FILE: this.guarded.caFile,
    };
  }

  /** A line of netrc for the guarded server. */
  netrc(password = this.token): string {
    return `machine ${this.guarded.host} login token password ${password}\n`;
  }

  /** A tree head that the key of the open server has signed; no log of its has ever had it. */
  forgedHead(size: number): string {
    const [skey = ''] = readFileSync(path.join(this.open.data, 'sumdb.key'), 'utf8').split('\n');
    const root = createHash('sha256').update('another history').digest();
    return signNote(formatTree({ size, root }), [parseSigner(skey)]).toString();
  }

  /** The same database's name with another key. */
  otherKey(): { vkey: string; head: string } {
    const name = this.open.vkey.split('+')[0] ?? '';
    const { skey, vkey } = generateKey(name, Buffer.alloc(32, 7));
    const root = createHash('sha256').update('another key').digest();
    return { vkey, head: signNote(formatTree({ size: 1, root }), [parseSigner(skey)]).toString() };
  }

  /** Where go remembers the newest head of the open server, below a home. */
  get headFile(): string {
    return `go/pkg/sumdb/${this.open.vkey.split('+')[0]}/latest`;
  }

  /** Where go keeps the lookup of what is held, below a home. */
  get lookupFile(): string {
    return `go/pkg/mod/cache/download/sumdb/${this.open.vkey.split('+')[0]}/lookup/${HELD}`;
  }

  /** Another server, which ends with the world. */
  async hostile(tls?: { readonly cert: string; readonly key: string }): Promise<HostileUpstream> {
    return this.#owned.use(await HostileUpstream.start(tls));
  }

  examine(env: Readonly<Record<string, string | undefined>>, url?: string): Promise<Report> {
    return examine(new HostMachine({ env, cwd: env['HOME'] ?? this.#directory }), { url });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
