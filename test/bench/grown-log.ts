import { randomBytes } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { LOG_DATABASE } from '../../src/cli/data-files.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import { openKeyFile } from '../../src/sumdb/key-file.ts';
import type { Candidate } from '../../src/sumdb/log-engine.ts';
import { DatabaseReader } from '../../src/sumdb/reader.ts';
import { Sequencer } from '../../src/sumdb/sequencer.ts';

const VERSIONS = 20;

/**
 * Record `n` of a made-up world: 20 versions of each module, names as long as real ones, and in no order, as real
 * records come: neighbours in the log are far apart in the index by name.
 */
function moduleOf(n: number): { path: string; version: string } {
  const scattered = (n * 7_919_993) % 20_000_003;
  const repository = Math.floor(scattered / VERSIONS);
  return {
    path: `github.com/organisation-${repository % 4_001}/repository-${repository}`,
    version: `v1.${scattered % VERSIONS}.0`,
  };
}

function candidate(n: number): Candidate {
  const h1 = () => `h1:${randomBytes(32).toString('base64')}`;
  const evidence = `sum.golang.org ${Math.floor(n / 100)} ${'A'.repeat(43)}=`;
  const provenance = { source: 'proven', firstSeen: 1_750_000_000, evidence } as const;
  return { ...moduleOf(n), zip: h1(), mod: h1(), provenance };
}

/** A log of its own in a data directory that a server can be started on. */
export class GrownLog {
  readonly data: string;
  readonly #database: string;
  readonly #sequencer: Sequencer;
  #size = 0;

  private constructor(data: string, database: string, sequencer: Sequencer) {
    this.data = data;
    this.#database = database;
    this.#sequencer = sequencer;
  }

  static async create(data: string): Promise<GrownLog> {
    mkdirSync(data, { recursive: true });
    const key = openKeyFile(path.join(data, 'sumdb.key'), 'bench.internal', randomBytes(36), undefined);
    const database = path.join(data, LOG_DATABASE);
    const sequencer = new Sequencer(
      { database, mark: path.join(data, 'sumdb.mark'), skey: key.skey },
      { onHead: () => undefined, onFatal: () => undefined },
    );
    await sequencer.start();
    return new GrownLog(data, database, sequencer);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds records, `batch` of them at a time, each acknowledged before the next; returns records a second. */
  async append(count: number, batch: number): Promise<number> {
    const startedAt = performance.now();
    for (let left = count; left > 0; left -= batch) {
      const adding = Array.from({ length: Math.min(batch, left) }, () =>
        this.#sequencer.add(candidate(this.#size++)),
      );
      await Promise.all(adding);
    }
    return (count / (performance.now() - startedAt)) * 1000;
  }

  /** Microseconds that making the body of a lookup takes, averaged over records all over the log. */
  lookupUs(count: number): number {
    const log = new LogReader(this.#database);
    const head = this.#sequencer.head;
    if (head === undefined) throw new Error('no head');
    const reader = new DatabaseReader(log, () => head);
    const lookUp = (at: number) => {
      const asked = moduleOf((at * 611_953) % this.#size);
      const record = reader.find(asked.path, asked.version);
      if (record === undefined) throw new Error(`${asked.path} is not in the log`);
      reader.lookupBody(record);
    };
    for (let at = 0; at < count; at++) lookUp(at);
    const startedAt = performance.now();
    for (let at = 0; at < count; at++) lookUp(at);
    const spent = performance.now() - startedAt;
    log.close();
    return (spent / count) * 1000;
  }

  /** Closes the log; the size of its database then is what the records cost. */
  async close(): Promise<{ bytes: number }> {
    await this.#sequencer.close();
    return { bytes: statSync(this.#database).size };
  }
}
