import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { parseVerifier } from '../../src/note/verifier.ts';
import { HighWaterMark } from '../../src/store/high-water-mark.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import type { RecordSource } from '../../src/store/log-records.ts';
import { ModuleStore } from '../../src/store/module-store.ts';
import type { Finding, LogFacts } from '../../src/sumdb/audit.ts';
import { auditLog } from '../../src/sumdb/audit-log.ts';
import { openKeyFile } from '../../src/sumdb/key-file.ts';
import type { Candidate } from '../../src/sumdb/log-engine.ts';
import { Sequencer } from '../../src/sumdb/sequencer.ts';
import type { MadeModule } from '../world/modules.ts';

export const LOG_NAME = 'sum.corp.test';

/** A record that needs no module: hashes made of its number. */
export function candidate(n: number, source: RecordSource = 'proven'): Candidate {
  const h1 = (salt: number) => `h1:${Buffer.alloc(32, `${salt} ${n}`).toString('base64')}`;
  return {
    path: `example.test/m${n}`,
    version: 'v1.0.0',
    zip: h1(1),
    mod: h1(2),
    provenance: { source, firstSeen: 1_700_000_000, evidence: 'sum.golang.org 100 root' },
  };
}

/** A data directory as the server leaves it behind. */
export class DataDirectory implements Disposable {
  readonly data: string;

  private constructor(data: string) {
    this.data = data;
  }

  /** A log without records, its key and its mark. */
  static async create(): Promise<DataDirectory> {
    const made = new DataDirectory(mkdtempSync(path.join(tmpdir(), 'gokeep-data-')));
    openKeyFile(made.file('sumdb.key'), LOG_NAME, randomBytes(36), undefined);
    await made.append();
    await new ModuleStore(made.data).clearTemporary();
    return made;
  }

  /** The same in a directory of its own, to be damaged. */
  copy(): DataDirectory {
    const to = mkdtempSync(path.join(tmpdir(), 'gokeep-data-'));
    cpSync(this.data, to, { recursive: true });
    return new DataDirectory(to);
  }

  file(name: string): string {
    return path.join(this.data, name);
  }

  get key(): { skey: string; vkey: string } {
    const [skey = '', vkey = ''] = readFileSync(this.file('sumdb.key'), 'utf8').split('\n');
    return { skey, vkey };
  }

  /** Logs each batch under a head of its own. */
  async append(...batches: (readonly Candidate[])[]): Promise<void> {
    const sequencer = new Sequencer(
      { database: this.file('gokeep.db'), mark: this.file('sumdb.mark'), skey: this.key.skey },
      { onHead: () => undefined, onFatal: () => undefined },
    );
    await sequencer.start();
    for (const batch of batches) {
      // The first of a batch goes off alone, so a batch of one is kept apart from what follows it.
      await Promise.all(batch.map((one) => sequencer.add(one)));
    }
    await sequencer.close();
  }

  /** Holds a module with its record, as after admission. */
  async hold(made: MadeModule, source: RecordSource = 'proven'): Promise<void> {
    const { h1 } = made;
    const provenance = { source, firstSeen: 1_700_000_000, evidence: 'sum.golang.org 100 root' };
    await this.append([{ path: made.path, version: made.version, zip: h1.zip, mod: h1.mod, provenance }]);
    await this.place(made);
  }

  /** Stores a module's files, whatever the log says. */
  async place(made: MadeModule): Promise<void> {
    const store = new ModuleStore(this.data);
    await store.keep('info', made.path, made.version, Buffer.from(made.info));
    await store.keep('mod', made.path, made.version, Buffer.from(made.mod));
    await store.keep('zip', made.path, made.version, made.zip);
  }

  /** Runs SQL on the log's database behind everybody's back. */
  sql(statement: string, ...values: unknown[]): void {
    const db = new Database(this.file('gokeep.db'));
    db.prepare(statement).run(...values);
    db.close();
  }

  /** Turns one bit of a blob, or of a file. */
  flip(table: string, column: string, where: string, byte: number): void {
    const db = new Database(this.file('gokeep.db'));
    const blob = db.prepare(`SELECT ${column} FROM ${table} WHERE ${where}`).pluck().get() as Buffer;
    blob[byte]! ^= 1;
    db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(blob);
    db.close();
  }

  flipInFile(name: string, at: number): void {
    const bytes = readFileSync(this.file(name));
    bytes[at]! ^= 1;
    writeFileSync(this.file(name), bytes);
  }

  audit(onProgress: () => void = () => undefined): { facts: LogFacts; findings: Finding[] } {
    using log = new LogReader(this.file('gokeep.db'));
    const findings: Finding[] = [];
    const facts = auditLog({
      log,
      mark: new HighWaterMark(this.file('sumdb.mark'), LOG_NAME),
      verifier: parseVerifier(this.key.vkey),
      report: (finding) => findings.push(finding),
      progress: onProgress,
    });
    return { facts, findings };
  }

  [Symbol.dispose](): void {
    rmSync(this.data, { recursive: true, force: true });
  }
}
